"""What a cluster costs beside the work: Ray against the pool, the dispatcher with many nodes, the books of a million.

    python -m tests.benchmarks.cluster overhead [--pictures 1000] [--side 96 | --side 256x192]
    python -m tests.benchmarks.cluster scaling [--pictures 300]
    python -m tests.benchmarks.cluster dispatcher [--items 1000000] [--nodes 1000]
    python -m tests.benchmarks.cluster calls [--items 5000]
    python -m tests.benchmarks.cluster books [--items 1000000]

`overhead` and `scaling` run over real pictures, for which the machine should be idle: rivals take turns, and the load
is printed. `dispatcher` has workers that answer at once and touch no file: what it hands out in a second is what
our code can do at most. `calls` does the same through a real Ray. `books` is the manifest and the report alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from anonymizer.record.report import Report, write_report
from anonymizer.record.shards import merge_reports, read_report
from anonymizer.run.dispatcher import Dispatcher, Seat
from anonymizer.run.manifest import Manifest
from anonymizer.run.ray import RayPlace, make_ray_executor
from anonymizer.run.worker import Done
from anonymizer.settings import Settings
from anonymizer.types import Job, Result, Source

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest does
from run.fake_cluster import FakeCluster
from run.tasks import Doubling

from benchmarks.endurance import make_pictures

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--pictures", type=int, default=None)
    parser.add_argument("--side", default="96", help="of pictures for `overhead`, or both, such as 256x192")
    parser.add_argument("--items", type=int, default=None)
    parser.add_argument("--nodes", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        PARTS[arguments.part](Path(scratch), arguments)
    print(f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")


def measure_overhead(scratch: Path, arguments: argparse.Namespace) -> None:
    """The seconds of whole runs as their reports say them, without the start of the program and of Ray.

    Under load the second worker comes late. So the time from a quarter of the pictures on is compared, too.
    """
    number = arguments.pictures or 1000
    width, _, height = arguments.side.partition("x")
    make_pictures(scratch / "in", number, int(width), int(height or width))
    whole, steady = [], []
    for turn in range(ROUNDS):
        pool = _run(scratch / "in", scratch / f"pool{turn}", "--workers", "2")
        ray = _run(scratch / "in", scratch / f"ray{turn}", "--workers", "2", "--executor", "ray")
        whole.append(ray.work_s / pool.work_s)
        steady.append(ray.steady_s / pool.steady_s)
        print(f"{number} pictures: pool {pool}, Ray {ray}", flush=True)
    of_all, later = statistics.median(whole), statistics.median(steady)
    print(f"Ray takes {of_all:.2f} of the pool's time, {later:.2f} from a quarter on")


def measure_scaling(scratch: Path, arguments: argparse.Namespace) -> None:
    """Beside what the machine allows at most: two runs at once that know nothing of each other."""
    number = arguments.pictures or 300
    make_pictures(scratch / "in", number, side=320)
    ratios, ceilings = [], []
    for turn in range(ROUNDS):
        one_s, two_s = (
            _run(scratch / "in", scratch / f"{turn}-{workers}", "--workers", str(workers), "--executor", "ray").work_s
            for workers in (1, 2)
        )
        alone_s = _run(scratch / "in", scratch / f"{turn}-alone", "--workers", "1").work_s
        with ThreadPoolExecutor() as pool:
            folders = [scratch / f"{turn}-{name}" for name in ("left", "right")]
            both = pool.map(lambda folder: _run(scratch / "in", folder, "--workers", "1").work_s, folders)
        ratios.append(one_s / two_s)
        ceilings.append(2 * alone_s / max(both))
        print(f"{number} pictures: 1 worker {one_s:.1f} s, 2 workers {two_s:.1f} s", flush=True)
    print(f"2 workers are {statistics.median(ratios):.2f} times as fast as one (limit 1.8)")
    print(f"two separate runs at once do {statistics.median(ceilings):.2f} times the work of one without Ray")


class _Seconds(NamedTuple):
    work_s: float
    steady_s: float
    """From a quarter of the pictures on."""
    wall_s: float

    def __str__(self) -> str:
        return f"{self.work_s:.1f} s, {self.steady_s:.1f} s from a quarter on, {self.wall_s:.1f} s with its start"


def _run(source: Path, target: Path, *options: str) -> _Seconds:
    command = [sys.executable, "-m", "anonymizer", "--input", str(source), "--image-output", str(target)]
    begin = time.perf_counter()
    options = ("--kinds", "face", "--preset", "fast", *options, "--verbose")  # names each picture when it is done
    with subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stderr is not None
        times = [time.perf_counter() for line in process.stderr if line.startswith("anonymized: ")]
    assert process.returncode == 0
    work_s = read_report(target / "anonymize-report.json").head["totals"]["elapsed_seconds"]
    return _Seconds(work_s, times[-1] - times[len(times) // 4], time.perf_counter() - begin)


class _Forgetful(FakeCluster):
    """Notes nothing."""

    def send(self, seat: Seat[int], items: Sequence[int]) -> None:
        self._say(seat, [Done(2 * item) for item in items])


def measure_dispatcher(scratch: Path, arguments: argparse.Namespace) -> None:
    number = arguments.items or 1_000_000
    executor = Dispatcher(_Forgetful(arguments.nodes), Doubling(scratch), arguments.nodes, 600.0)
    with closing(executor):
        executor.start()
        _follow(executor.run(_counted(number)))


def measure_calls(scratch: Path, arguments: argparse.Namespace) -> None:
    number = arguments.items or 5000
    with closing(make_ray_executor(Doubling(scratch), RayPlace(cpus=0.25), 4, 600.0)) as executor:
        executor.start()
        sum(1 for _ in executor.run(_counted(100)))
        _follow(executor.run(_counted(number)))


def measure_books(scratch: Path, arguments: argparse.Namespace) -> None:
    """The manifest of a run, its report, and the merge of two such reports, for pictures that are not there."""
    number = arguments.items or 1_000_000
    (scratch / "in").mkdir()
    (scratch / "out").mkdir()
    reports = []
    for share in (1, 2):
        path = scratch / "out" / f"anonymize-manifest-{share}-of-2.sqlite"
        with closing(Manifest(path, scratch / "in", scratch / "out", "", is_shard=True)) as manifest:
            report = Report(Settings(), [], ("face",), results=manifest, shard=f"{share}/2", complete=True)
            print(f"share {share}: results into the manifest", flush=True)
            _follow(_record(manifest, report, position, share) for position in range(number // 2))
            begin = time.perf_counter()
            reports.append(scratch / f"report{share}.json")
            write_report(reports[-1], report.to_json())
            size = reports[-1].stat().st_size / 1e6
            print(f"report of {size:.0f} MB: {time.perf_counter() - begin:.1f} s, {_resident_mb():.0f} MB", flush=True)
        print(f"manifest of {path.stat().st_size / 1e6:.0f} MB")
    begin = time.perf_counter()
    write_report(scratch / "merged.json", merge_reports([read_report(path) for path in reports]).to_json())
    print(f"merged: {time.perf_counter() - begin:.1f} s, {_resident_mb():.0f} MB, {_peak_mb():.0f} MB at most")


def _record(manifest: Manifest, report: Report, position: int, share: int) -> Job:
    path = Path(f"{position % 1000:04}") / f"{position:09}-{share}.jpg"
    job = Job(path, path, path.with_suffix(".json"))
    source = Source(f"{position:064x}", 1, ((1920, 1080),))
    seconds = {"read": 0.01, "detect": 0.2, "redact": 0.01, "write": 0.02}
    result = Result(job.name, "anonymized", counts={"face": 2}, seconds=seconds, source=source, record=path.as_posix())
    inputs = manifest.inputs_of(job)
    manifest.begin([job])
    manifest.record(position, job, result, inputs)
    report.totals.add(result)
    return job


def _counted(number: int) -> Iterator[int]:
    return iter(range(1000, 1000 + number))


def _follow(steps: Iterator[object]) -> None:
    """Prints the rate and the memory after ever more steps."""
    begin, next_stop = time.perf_counter(), 1000
    done = 0
    for done, _ in enumerate(steps, 1):
        if done == next_stop:
            rate = done / (time.perf_counter() - begin)
            print(f"{done:9,} items: {rate:,.0f} a second, {_resident_mb():.1f} MB resident", flush=True)
            next_stop *= 10
    rate = done / (time.perf_counter() - begin)
    print(f"{done:9,} items: {rate:,.0f} a second, {_resident_mb():.1f} MB resident at the end", flush=True)


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def _peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "overhead": measure_overhead,
    "scaling": measure_scaling,
    "dispatcher": measure_dispatcher,
    "calls": measure_calls,
    "books": measure_books,
}

if __name__ == "__main__":
    main()
