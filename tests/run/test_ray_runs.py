"""Whole runs on a real Ray of three nodes: nodes and the driver are killed, and the output is that of a local run."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from fakes import Folders, noise, save
from run.ray_nodes import RayNodes, ray_nodes
from stores import BUCKET, contents_of, fill, moto_server, s3_at

from anonymizer.addresses import Address, Place

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Ray leaves files open
]
PICTURES = 500
OPTIONS = ("--kinds", "face", "--preset", "fast")
WAIT_S = 400.0
BOOKS = "anonymize-"
"""How the names of manifest and report begin."""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, originals: Path) -> Folders:
    """Pictures, and what a run on this machine makes of them."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("local")
    with Image.open(originals / "astronaut.png") as image:
        face = image.crop((150, 0, 310, 160)).resize((96, 96))
    for index in range(PICTURES):
        path = save(folder / "in" / f"{index % 7}" / f"{index:03}.png", noise(96, 96, seed=index))
        with Image.open(path) as background:
            background.paste(face.resize((60, 60)), (index % 30, 10))
            background.save(path)
    assert start(folder / "in", folder / "out", "--workers", "2").wait(WAIT_S) == 0
    return folder / "in", folder / "out"


@pytest.fixture(scope="module")
def cluster(needs_ray: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayNodes]:
    with ray_nodes(tmp_path_factory.mktemp("home")) as nodes:
        yield nodes


def start(source: Place, target: Place, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "anonymizer", "--input", str(source), "--image-output", str(target), *OPTIONS]
    return subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


NODE_DIED = re.compile(r"\x1b\[\d+m\(raylet\)\x1b\[0m The node with node id.*?busy workload\.", re.DOTALL)
"""What Ray reports of a node that was killed, if it notices before the run ends."""


def outputs(folder: Path) -> dict[str, bytes]:
    """What lies under final names."""
    if not folder.exists():
        return {}
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(BOOKS)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.name[0] != "."}


def is_named(text: str) -> bool:
    """Whether a process has it in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended by now
            if text.encode() in path.read_bytes():
                return True
    return False


def wait_for(number: int, output: Path, driver: subprocess.Popen[str]) -> None:
    """Until so many pictures are done."""
    deadline = time.monotonic() + WAIT_S
    while driver.poll() is None and sum(1 for _ in output.rglob("*.png")) < number:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert driver.poll() is None, driver.communicate()[0]


@contextmanager
def paused(driver: subprocess.Popen[str]) -> Iterator[None]:
    driver.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        driver.send_signal(signal.SIGCONT)


def test_nodes_and_the_driver_die_and_nothing_is_lost_or_half_written(
    local: Folders, cluster: RayNodes, tmp_path: Path
) -> None:
    source, expected = local[0], outputs(local[1])
    assert len(expected) == 2 * PICTURES
    chance = random.Random()
    out = tmp_path / "out"
    options = ("--executor", "ray", "--ray-address", cluster.address, "--workers", "3")
    events = ["node", "node", "node with its workers", "driver"]
    chance.shuffle(events)
    moments = sorted(chance.sample(range(5, PICTURES * 3 // 5), len(events)))
    driver = start(source, out, *options)
    for event, moment in zip(events, moments, strict=True):
        wait_for(moment, out, driver)
        if event == "driver":
            driver.kill()
            driver.communicate()
            driver = start(source, out, *options)
        else:
            cluster.kill(chance.randrange(2), with_workers="workers" in event)
            with paused(driver):  # or it is done before the new node is there
                cluster.add()
        half = {name for name, content in outputs(out).items() if content != expected[name]}
        assert not half
    text = driver.communicate(timeout=WAIT_S)[0]
    assert driver.returncode == 0, text
    assert outputs(out) == expected
    assert not list(out.rglob(".*"))
    report = json.loads((out / "anonymize-report.json").read_text())
    assert report["complete"]
    assert [entry["file"] for entry in report["files"]] == sorted(entry["file"] for entry in report["files"])
    assert {entry["status"] for entry in report["files"]} == {"anonymized"}
    assert len(report["files"]) == PICTURES
    assert "[" not in re.sub(NODE_DIED, "", text).replace("[00", ""), text  # Ray itself says nothing else


def test_ctrl_c_finishes_what_is_in_flight_and_another_machine_goes_on(
    local: Folders, cluster: RayNodes, tmp_path: Path
) -> None:
    """Here: without the cluster."""
    out = tmp_path / "out"
    driver = start(local[0], out, "--executor", "ray", "--ray-address", cluster.address, "--workers", "1")
    wait_for(10, out, driver)  # one worker, or all are done before the signal comes
    os.killpg(driver.pid, signal.SIGINT)
    text = driver.communicate(timeout=WAIT_S)[0]
    assert driver.returncode == 130, text
    assert "finishing what is in hand" in text
    report = json.loads((out / "anonymize-report.json").read_text())
    done = len(list(out.rglob("*.png")))
    assert not report["complete"]
    assert report["totals"]["anonymized"] == done
    again = start(local[0], out, "--workers", "2")
    text = again.communicate(timeout=WAIT_S)[0]
    assert again.returncode == 0, text
    assert f"{done} of them by an earlier run" in text
    assert outputs(out) == outputs(local[1])


def test_pictures_in_a_store_are_those_of_a_local_run(needs_ray: None, local: Folders) -> None:
    """Workers read and write them; addresses travel, and no credentials."""
    pictures = {path.name: path.read_bytes() for path in (local[0] / "0").iterdir()}
    with moto_server() as url, s3_at(url):
        source, target = Address("s3", BUCKET, "in"), Address("s3", BUCKET, "out")
        fill(source, pictures)
        driver = start(source, target, "--executor", "ray", "--workers", "2")
        text = driver.communicate(timeout=WAIT_S)[0]
        assert driver.returncode == 0, text
        found = contents_of(target)
    assert {name: found[name] for name in found if name[0].isdigit()} == outputs(local[1] / "0")
    assert f"{len(pictures)} of {len(pictures)} pictures anonymized" in text


def test_a_machine_that_does_not_share_the_output_folder_ends_the_run(
    local: Folders, cluster: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of the driver is another one than the same path is on the nodes: it sees it in a place of its own."""
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "own").mkdir()
    command = f"mount --bind {tmp_path}/own {out} && exec {sys.executable} -m anonymizer"
    arguments = f"--input {local[0]} --image-output {out} --executor ray --ray-address {cluster.address}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{command} {arguments}"], capture_output=True, text=True, timeout=WAIT_S
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("needs to mount")
    assert done.returncode == 4, done.stderr
    assert "is not that of the machine where the run began" in done.stderr
    assert not list(out.iterdir())
    assert not list((tmp_path / "own").iterdir())


def test_a_killed_driver_takes_its_own_ray_with_it(needs_ray: None, local: Folders, tmp_path: Path) -> None:
    out = tmp_path / "out"
    driver = start(local[0], out, "--executor", "ray", "--workers", "1")
    wait_for(1, out, driver)
    folder = next(path for path in Path("/tmp").glob("ray?*/session_*") if str(driver.pid) in path.name).parent
    driver.kill()
    driver.communicate()
    deadline = time.monotonic() + 120
    while is_named(f"{folder}/"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
