"""Whole runs over films beside deface: frames for each CPU second, lengths, sound, sizes.

    python -m tests.benchmarks.film_speed FILM... --deface EXECUTABLE

deface looks for faces alone; ours is measured with faces alone and with plates too. CPU time is that of all processes:
others may use the machine. The pictures of both lie in the folder of --keep, to be looked at.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av

WAYS = {
    "fast, faces": ["--preset", "fast", "--kinds", "face"],
    "fast": ["--preset", "fast"],
    "balanced, faces": ["--preset", "balanced", "--kinds", "face"],
    "balanced": ["--preset", "balanced"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", type=Path, nargs="+", metavar="FILM")
    parser.add_argument("--deface", default=shutil.which("deface"), metavar="EXECUTABLE", help="of an installed deface")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for the outputs")
    arguments = parser.parse_args()
    if arguments.deface is None:
        parser.error("no deface is installed; name its executable by --deface")
    with tempfile.TemporaryDirectory() as scratch:
        for film in arguments.films:
            measure(film, arguments.deface, arguments.keep or Path(scratch))


def measure(film: Path, deface: str, outputs: Path) -> None:
    print(f"\n{film.name}: {describe(film)}")
    peer = outputs / "deface" / film.name
    peer.parent.mkdir(parents=True, exist_ok=True)
    peer_s = cpu_seconds_of([deface, str(film), "--output", str(peer)])
    print(f"  {'deface':16} {peer_s:7.1f} CPU s; {describe(peer)}", flush=True)
    for name, options in WAYS.items():
        folder = outputs / name.replace(", ", "_")
        with tempfile.TemporaryDirectory() as source:
            shutil.copy(film, source)
            paths = ["--input", source, "--image-output", str(folder / film.stem)]
            spent_s = cpu_seconds_of([sys.executable, "-m", "anonymizer", *paths, "--quiet", *options])
        done = describe(folder / film.stem / film.name)
        print(f"  {name:16} {spent_s:7.1f} CPU s, {peer_s / spent_s:.1f} of deface's frames; {done}", flush=True)


def cpu_seconds_of(command: Sequence[str]) -> float:
    """CPU time of a command and its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def describe(film: Path) -> str:
    """Frames, seconds, sound tracks and size."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
        sounds = len(container.streams.audio)
        sides = f"{stream.width} x {stream.height}"
    return f"{sides}, {frames} frames, {seconds:.2f} s, {sounds} sound tracks, {film.stat().st_size / 1e6:.2f} MB"


if __name__ == "__main__":
    main()
