"""Kills a run again and again, and lets it go on: what comes out must be that of a run that nothing disturbed.

    python -m tests.benchmarks.endurance kills [--kills 200] [--pictures 300]
    python -m tests.benchmarks.endurance growth [--pictures 100000]
    python -m tests.benchmarks.endurance gate [--pictures 20000]

`growth` prints how the memory of all processes of a run grows between its first thousand pictures and its end, and
how long a second run over the finished folder takes. `gate` prints the peak memory of all processes of a check with
findings and thumbnails for every picture, over a thousand pictures and over many.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

ORIGINAL = Path(__file__).parents[2] / "images" / "originals" / "astronaut.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        PARTS[arguments.part](Path(scratch), arguments)


def kill_again_and_again(scratch: Path, arguments: argparse.Namespace) -> None:
    number = arguments.pictures or 300
    make_pictures(scratch / "in", number)
    assert start(scratch / "in", scratch / "expected").wait() == 0
    chance = random.Random(0)
    finished = 0
    for kill in range(arguments.kills):
        process = start(scratch / "in", scratch / "out")
        if kill % 2:  # somewhere in the work, but before too much of it is done
            wait_for_progress(scratch / "out", process)
            time.sleep(chance.random() / 20)
        else:  # while it starts, or soon after
            time.sleep(chance.random() * 0.7)
        finished += process.poll() is not None
        process.kill()
        process.wait()
        broken = [path for path in (scratch / "out").glob("[0-9]*") if not is_as_expected(path, scratch / "expected")]
        assert not broken, broken
        if kill % 20 == 19:
            done = len(list((scratch / "out").glob("[0-9]*.png")))
            print(f"{kill + 1} kills, {done} of {number} pictures done, no broken file", flush=True)
    assert start(scratch / "in", scratch / "out").wait() == 0
    names = {path.name for path in (scratch / "out").iterdir()}
    assert names == {path.name for path in (scratch / "expected").iterdir()}
    assert all(is_as_expected(path, scratch / "expected") for path in (scratch / "out").glob("[0-9]*"))
    print(f"all {len(names)} files as in the undisturbed run; {finished} runs had ended before they were killed")


def watch_memory(scratch: Path, arguments: argparse.Namespace) -> None:
    number = arguments.pictures or 100_000
    make_pictures(scratch / "in", number, side=64)
    process = start(scratch / "in", scratch / "out", "--workers", "2")
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    while process.poll() is None:
        if not first and count_done(scratch / "out") >= 1000:
            first = memory_of_all(process.pid)
        last = memory_of_all(process.pid) or last
        time.sleep(1)
    assert process.returncode == 0
    assert first, "too few pictures"
    print(f"resident after 1,000 pictures: {sum(first.values()):.0f} MB, at the end: {sum(last.values()):.0f} MB")
    print(f"{sum(last.values()) / sum(first.values()):.3f} of it", flush=True)
    begin = time.perf_counter()
    assert start(scratch / "in", scratch / "out").wait() == 0
    print(f"a second run over {number} finished pictures takes {time.perf_counter() - begin:.1f} s (limit 30 s)")


def watch_gate(scratch: Path, arguments: argparse.Namespace) -> None:
    number = arguments.pictures or 20_000
    peaks = {}
    for count in (1000, number):
        make_pictures(scratch / str(count), count, side=64)
        outputs = ["--html", str(scratch / "page.html"), "--json", str(scratch / "found.json")]
        command = [sys.executable, "-m", "anonymizer", "check", "--quiet", *outputs, "--workers", "2"]
        process = subprocess.Popen([*command, "--kinds", "face", str(scratch / str(count))], stdout=subprocess.DEVNULL)
        peaks[count] = 0.0
        while process.poll() is None:
            peaks[count] = max(peaks[count], sum(memory_of_all(process.pid).values()))
            time.sleep(0.2)
        assert process.returncode == 1, "each picture shows a face"
        size = (scratch / "page.html").stat().st_size / 1e6
        print(f"{count} pictures: at most {peaks[count]:.0f} MB resident, a page of {size:.0f} MB", flush=True)
    print(f"{peaks[number] / peaks[1000]:.3f} of it")


def wait_for_progress(output: Path, process: subprocess.Popen[bytes]) -> None:
    before = count_done(output)
    while process.poll() is None and count_done(output) == before:
        time.sleep(0.01)


def make_pictures(folder: Path, number: int, side: int = 320, height: int | None = None) -> None:
    """Different pictures, square unless a height is given, a face in each; a thousand to a folder below the first."""
    original = cv2.imread(str(ORIGINAL))
    assert original is not None
    face = cv2.resize(original[:400, 60:460], (side, height or side), interpolation=cv2.INTER_AREA)
    for index in range(number):
        face[0, :2] = np.array([[index % 251, index // 251 % 251, 0], [index // 63001, 0, 0]])
        path = folder / f"{index:06}.png" if number <= 1000 else folder / f"{index // 1000:04}" / f"{index:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), face)


def start(source: Path, target: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "anonymizer", "--input", str(source), "--image-output", str(target)]
    return subprocess.Popen([*command, "--kinds", "face", "--quiet", *options])


def is_as_expected(path: Path, expected: Path) -> bool:
    return path.read_bytes() == (expected / path.name).read_bytes()


def count_done(output: Path) -> int:
    return sum(1 for _ in output.rglob("*.png")) if output.exists() else 0


def memory_of_all(pid: int) -> dict[int, float]:
    """Resident megabytes of a process and of its children, by number."""
    memory = {}
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for number in [pid, *map(int, children)]:
            pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
            memory[number] = pages * 4096 / 1e6
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return {}
    return memory


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "kills": kill_again_and_again,
    "growth": watch_memory,
    "gate": watch_gate,
}

if __name__ == "__main__":
    main()
