"""How long a run over an object store takes, beside one over local files.

    python -m tests.benchmarks.stores --pictures 1000 --rounds 3 [--side 256x192]

Makes small pictures from those of images/originals, and anonymizes them from a folder to a folder, and from and to a
local S3 server (rclone), in turn. Prints the seconds of each and their ratio: the median of the rounds; and, from runs
over a quarter of the pictures, which part of them each picture takes, and which the start and the end. The server has
its share of the same cores, as one on another machine would not; wall-clock seconds say little on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from anonymizer.addresses import Address

sys.path.insert(0, str(Path(__file__).parents[1]))
from stores import BUCKET, fill, rclone_server, s3_at

WHERE = ("local", "store")
ORIGINALS = Path(__file__).parents[2] / "images" / "originals"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", help="of both [default: those of the program]")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--side", default="256x192", help="of the pictures")
    given = parser.parse_args()
    options = ["--preset", given.preset, *(["--workers", given.workers] if given.workers else [])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        width, height = map(int, given.side.split("x"))
        contents = make_pictures(folder / "in", given.pictures, (width, height))
        few = given.pictures // 4
        with rclone_server(folder / "server") as url, s3_at(url):
            source = fill(Address("s3", BUCKET, "in"), contents)
            seconds: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
            for number in range(given.rounds):
                for limit in (few, given.pictures):
                    name, limited = f"out-{number}-{limit}", [*options, "--limit", str(limit)]
                    seconds["local", limit].append(measure(folder / "in", folder / name, limited))
                    seconds["store", limit].append(measure(source, Address("s3", BUCKET, name), limited))
    for what, of in (("wall-clock", 0), ("CPU", 1)):
        median = {each: statistics.median(time[of] for time in times) for each, times in seconds.items()}
        local, store = (median[where, given.pictures] for where in ("local", "store"))
        print(f"{what} seconds: local {local:.1f}, store {store:.1f}, ratio {store / local:.2f}")
        each = {where: (median[where, given.pictures] - median[where, few]) / (given.pictures - few) for where in WHERE}
        start = {where: median[where, few] - few * each[where] for where in WHERE}
        for part, values, unit in (("each picture", each, 1e3), ("start and end", start, 1)):
            local, store = (values[where] * unit for where in WHERE)
            print(
                f"  {part}: local {local:.1f}, store {store:.1f} {'ms' if unit > 1 else 's'}, ratio {store / local:.2f}"
            )
    print(f"{given.pictures} pictures, load {os.getloadavg()[0]:.1f}")
    return 0


def make_pictures(folder: Path, number: int, size: tuple[int, int]) -> Mapping[str, bytes]:
    """Small pictures of people, all different."""
    folder.mkdir()
    sources = [Image.open(path).convert("RGB") for path in sorted(ORIGINALS.iterdir())]
    for index in range(number):
        source = sources[index % len(sources)]
        width = min(source.size) - index // len(sources) % 40
        source.crop((0, 0, width, width)).resize(size).save(folder / f"{index:05}.jpg", quality=90)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def measure(source: object, target: object, options: list[str]) -> tuple[float, float]:
    """Wall-clock seconds of a whole run, and CPU seconds of its processes without the server's."""
    command = [sys.executable, "-m", "anonymizer", "--quiet", "--input", str(source), "--image-output", str(target)]
    began_s, before = time.perf_counter(), os.times()
    subprocess.run([*command, *options], check=True)
    wall_s, after = time.perf_counter() - began_s, os.times()
    if isinstance(target, Path):
        shutil.rmtree(target)
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return wall_s, cpu_s


if __name__ == "__main__":
    sys.exit(main())
