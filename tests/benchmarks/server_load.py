"""Compares the server with the command line on the same pictures, under load and alone.

    python -m tests.benchmarks.server_load [FOLDER] [--clients 50] [--seconds 60] [--workers 2]

It prints pictures a second of both and their ratio (the command line before and after, since machines change), the
statuses that clients saw, how the memory of the server and its workers grew, and how long a single client waits for a
picture, as a ratio to what the pipeline itself takes; and the load of the machine, which should have no other.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import cv2
import httpx

from anonymizer import anonymize_bytes

ORIGINALS = Path(__file__).parents[2] / "images" / "originals"
LEAST_PICTURES = 40
"""For the command line, so that its start does not count for much."""
PARTS = 10
"""Of the time. In the first one workers see pictures for the first time; from then on memory should not grow."""
SINGLE_ROUNDS = 5
"""How often each picture is sent, and given to the pipeline in turn."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=ORIGINALS)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.iterdir() if path.suffix != ".md")
    before_line = speed_of_command_line(paths, arguments.workers)
    with serving(arguments.workers, arguments.clients) as (address, process):
        contents = [path.read_bytes() for path in paths]
        waits_s, alone_s = zip(*time_single_client(address, contents), strict=True)
        ratio = statistics.median(wait / alone for wait, alone in zip(waits_s, alone_s, strict=True))
        print(f"single client: waits {statistics.mean(waits_s):.3f} s, {ratio:.2f} of what the pipeline itself takes")
        before = memory_of(process)
        statuses, memory, elapsed_s = load(address, contents, arguments.clients, arguments.seconds, process)
        parts = [statistics.median(part) for part in parts_of(memory)]
        print(
            f"memory of all processes: {before / 1e6:.0f} MB before; median of each tenth of the time: "
            f"{', '.join(f'{part / 1e6:.0f}' for part in parts)} MB, at most {max(memory) / 1e6:.0f} MB; "
            f"from the second tenth to the last {parts[-1] / parts[1] - 1:+.1%}"
        )
    lines = before_line, speed_of_command_line(paths, arguments.workers)
    line = statistics.mean(lines)
    speeds = " and ".join(f"{speed:.2f}" for speed in lines)
    print(f"command line: {speeds} pictures a second, before and after, with {arguments.workers} workers")
    server = statuses[200] / elapsed_s
    print(f"{arguments.clients} clients: {server:.2f} pictures a second, {server / line:.2f} of the command line's")
    print(f"statuses: {dict(statuses)}")
    print(f"load of the machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())} over 1, 5 and 15 minutes")
    return 0 if set(statuses) <= {200, 429} else 1


def speed_of_command_line(paths: Sequence[Path], workers: int) -> float:
    """Pictures a second of a run over copies of the pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "in")
        source.mkdir()
        for number, path in enumerate([*paths] * -(-LEAST_PICTURES // len(paths))):
            (source / f"{number}{path.suffix}").write_bytes(path.read_bytes())
        command = [
            sys.executable,
            "-m",
            "anonymizer",
            "--input",
            str(source),
            "--image-output",
            str(Path(scratch, "out")),
        ]
        done = subprocess.run([*command, "--workers", str(workers)], capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if "pictures a second" in line]
    return float(line.split()[0])


@contextmanager
def serving(workers: int, clients: int) -> Iterator[tuple[str, int]]:
    """The address of a server, and the number of its process."""
    command = [sys.executable, "-m", "anonymizer", "serve", "--port", "0", "--workers", str(workers)]
    command += ["--max-jobs", str(clients), "--max-waiting", str(clients)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[2].rstrip("/;"), process.pid
        finally:
            process.terminate()


def time_single_client(address: str, contents: Sequence[bytes]) -> Iterator[tuple[float, float]]:
    """Seconds that a client waits for a picture, and seconds that the pipeline takes in this process, in turn."""
    cv2.setNumThreads(1)  # as in workers
    with httpx.Client(base_url=address, timeout=600) as client:
        for number, content in enumerate([*contents] * (SINGLE_ROUNDS + 1)):
            began_s = time.perf_counter()
            response = client.post("/v1/redact", content=content)
            between_s = time.perf_counter()
            assert anonymize_bytes(content).data == response.content
            if number >= len(contents):
                yield between_s - began_s, time.perf_counter() - between_s


def load(
    address: str, contents: Sequence[bytes], clients: int, seconds: float, process: int
) -> tuple[Counter[int], list[int], float]:
    """The statuses that clients saw, the bytes in memory twice a second or more often, and how long it took."""
    statuses: Counter[int] = Counter()
    began_s = time.perf_counter()

    def work(first: int) -> None:
        with httpx.Client(base_url=address, timeout=600) as client:
            for content in cycle([*contents[first:], *contents[:first]]):
                if time.perf_counter() - began_s > seconds:
                    return
                response = client.post("/v1/redact", content=content)
                statuses[response.status_code] += 1
                if response.status_code in (429, 503):
                    time.sleep(float(response.headers["retry-after"]))

    threads = [threading.Thread(target=work, args=[number % len(contents)], daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in threads):
        memory.append(memory_of(process))
        time.sleep(min(0.5, seconds / (10 * PARTS)))
    return statuses, memory, time.perf_counter() - began_s


def parts_of(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for number in range(PARTS):
        yield values[number * len(values) // PARTS : (number + 1) * len(values) // PARTS]


def memory_of(process: int) -> int:
    """Bytes of a process and its children that are in memory."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return sum(resident_bytes(number) for number in (process, *children))


def resident_bytes(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it has just ended
        return 0


if __name__ == "__main__":
    sys.exit(main())
