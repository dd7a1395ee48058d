"""Measures speed and memory: ratios against deface and against limits, in one run on the same pictures.

    python -m tests.benchmarks.speed FOLDER [--deface EXECUTABLE] [--parts peer,files,scaling,start,memory]

FOLDER holds JPEG pictures, best of people. Times of a machine do not travel; the ratios do, on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

# Programs that are installed have their modules compiled.
OF_OTHERS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # for what is measured in here, as in workers
import cv2
import numpy as np

from anonymizer.detect.frames import detect
from anonymizer.detect.load import load_detectors
from anonymizer.files.encode import encode_picture
from anonymizer.files.read import read_picture
from anonymizer.pipeline import PictureProcess, encode_redacted, find_in, redact_picture
from anonymizer.record.detections import to_json
from anonymizer.redact.frame import redact_frame
from anonymizer.run.machine import auto_workers
from anonymizer.run.replay import RecordedFinder
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Detection, FrameDetections, Job, Recorded

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "12 MP": (4000, 3000)}
ROUNDS = 3
"""How often rivals take turns; the median counts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="JPEG pictures, best of people")
    parser.add_argument("--deface", default=shutil.which("deface"), metavar="EXECUTABLE", help="of an installed deface")
    parser.add_argument("--parts", default="peer,files,scaling,start,memory", metavar="LIST")
    parser.add_argument("--pictures", type=int, default=40, metavar="N", help="of each size")
    arguments = parser.parse_args()
    sources = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    if not sources:
        parser.error(f"{arguments.folder} holds no JPEG picture")
    with tempfile.TemporaryDirectory() as scratch:
        OF_OTHERS["PYTHONPYCACHEPREFIX"] = str(Path(scratch) / "compiled")
        folders = {
            size: make_pictures(sources, Path(scratch) / size.replace(" ", ""), SIZES[size], arguments.pictures)
            for size in SIZES
        }
        for part in arguments.parts.split(","):
            print(f"\n== {part}", flush=True)
            PARTS[part](folders, arguments.deface)


def make_pictures(sources: Sequence[Path], folder: Path, size: tuple[int, int], number: int) -> Path:
    """Pictures of one size, cut to its proportions and enlarged or shrunk, from all over the sources."""
    folder.mkdir()
    width, height = size
    chosen = sources[:: max(1, len(sources) // number)]
    for index, path in enumerate(islice(cycle(chosen), number)):
        picture = cv2.imread(str(path))
        assert picture is not None, path
        scale = max(width / picture.shape[1], height / picture.shape[0])
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 2)
        picture = np.ascontiguousarray(picture[:height, :width])
        cv2.imwrite(str(folder / f"{index:04}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return folder


def measure_peer(folders: dict[str, Path], deface: str | None) -> None:
    """Whole processes, faces only, each with its defaults and all cores."""
    for size, folder in folders.items():
        number = len(list(folder.iterdir()))
        rivals = {f"ours, {preset}": ["--preset", preset] for preset in ("fast", "balanced")}
        seconds: dict[str, list[float]] = {name: [] for name in (*rivals, "deface")}
        for _ in range(ROUNDS):
            for name, options in rivals.items():
                seconds[name].append(run_ours(folder, ["--kinds", "face", *options]))
            seconds["deface"].append(run_deface(folder, deface))
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        for name, median in medians.items():
            ratio = medians["deface"] / median
            print(f"{size:6} {name:16} {number / median:6.2f} pictures/s, {ratio:.2f} of deface's", flush=True)


def measure_files(folders: dict[str, Path], deface: str | None) -> None:
    """Everything but the model, and whole replays of records, against decoding and encoding alone.

    CPU seconds, for each picture the best round: others may use the machine.
    """
    cv2.setNumThreads(1)
    settings = Settings(detect=DetectSettings(kinds=("face",)))
    detectors = load_detectors(settings.detect)
    for size, folder in folders.items():
        totals, faces = Counter[str](), 0
        for path in sorted(folder.iterdir()):
            detections = detect(read_picture(path).frames[0].pixels, detectors)
            faces += len(detections)
            with tempfile.TemporaryDirectory() as scratch:
                process, job = make_replay(path, detections, settings, Path(scratch))
                ways: dict[str, Callable[[], object]] = {
                    "files": partial(redact_file, path, detections, settings),
                    "replay": partial(redact_recorded, process, job),
                    "written": partial(process, job),
                    "limit": partial(decode_and_encode, path),
                }
                rounds = [{name: cpu_seconds(way) for name, way in ways.items()} for _ in range(2 * ROUNDS)]
            totals.update({name: min(seconds[name] for seconds in rounds) for name in ways})
        number = len(list(folder.iterdir()))
        print(
            f"{size:6} {1000 * totals['files'] / number:6.1f} ms a picture with {faces / number:.1f} faces; OpenCV's "
            f"decoding and encoding takes {1000 * totals['limit'] / number:.1f} ms: "
            f"{totals['files'] / totals['limit']:.2f} of it. A replay, which also reads the record and "
            f"compares the checksum: {totals['replay'] / totals['limit']:.2f} of it, and with both files forced to the "
            f"disk {totals['written'] / totals['limit']:.2f}",
            flush=True,
        )


def redact_file(path: Path, detections: Sequence[Detection], settings: Settings) -> None:
    picture = read_picture(path)
    found = FrameDetections(detections)
    frame, changed = redact_frame(picture.frames[0], found, settings.redact, in_place=True)
    encode_picture(picture, [frame], [changed], "strip")


def redact_recorded(process: PictureProcess, job: Job) -> None:
    """All that a replay does with a picture but writing the files."""
    picture = read_picture(process.input_root / job.source)
    found = find_in(picture, process.finder, job)
    encode_redacted(
        picture, redact_picture(picture, found, process.settings.redact, in_place=True), process.settings.write
    )
    to_json(found)


def decode_and_encode(path: Path) -> None:
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None, path
    cv2.imencode(".jpg", decoded)


def cpu_seconds(way: Callable[[], object]) -> float:
    start = time.process_time()
    way()
    return time.process_time() - start


def make_replay(
    path: Path, detections: Sequence[Detection], settings: Settings, scratch: Path
) -> tuple[PictureProcess, Job]:
    """What a run with --detections does with one picture."""
    record = scratch / "record.json"
    record.write_bytes(to_json([FrameDetections(detections)]))
    name = Path(path.name)
    recorded = Recorded(record, read_picture(path).source)
    finder = RecordedFinder(DetectSettings(), frozenset(["face"]), frozenset(["face"]), takes_changed=False)
    job = Job(name, name, name.with_suffix(".json"), recorded=recorded)
    return PictureProcess(path.parent, scratch / "out", finder, settings), job


def measure_scaling(folders: dict[str, Path], deface: str | None) -> None:
    """One process against one on each core."""
    folder, cores = folders["1080p"], auto_workers()
    alone = statistics.median(run_ours(folder, ["--workers", "1"]) for _ in range(ROUNDS))
    together = statistics.median(run_ours(folder, ["--workers", str(cores)]) for _ in range(ROUNDS))
    print(f"{cores} processes do {alone / together:.2f} times the work of one, start included")


def measure_start(folders: dict[str, Path], deface: str | None) -> None:
    """A cold command on one small picture."""
    with tempfile.TemporaryDirectory() as scratch:
        source = min(folders["720p"].iterdir())
        shutil.copy(source, scratch)
        ours = statistics.median(run_ours(Path(scratch), []) for _ in range(2 * ROUNDS))
        imports = [sys.executable, "-c", "import cv2, numpy, PIL.Image, jpeglib, ai_edge_litert.interpreter"]
        bare = statistics.median(timed(imports) for _ in range(2 * ROUNDS))
        print(f"{ours:.2f} s for one picture of 720p; importing the libraries alone takes {bare:.2f} s")
        if deface:
            peer = statistics.median(run_deface(Path(scratch), deface) for _ in range(ROUNDS))
            print(f"deface takes {peer:.2f} s: {ours / peer:.2f} of it")


def measure_memory(folders: dict[str, Path], deface: str | None) -> None:
    """The largest process of a run, resident. A process of its own measures each, as only the maximum is known."""
    for size, folder in folders.items():
        ours = peak_mb(lambda folder=folder: run_ours(folder, ["--kinds", "face", "--limit", "4"]))
        text = f"{size:6} the largest of our processes has {ours:.0f} MB"
        if deface:
            peer = peak_mb(lambda folder=folder: run_deface(folder, deface))
            text += f", deface {peer:.0f} MB: {ours / peer:.2f} of it"
        print(text, flush=True)


def run_ours(folder: Path, options: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "anonymizer", "--quiet", "--input", str(folder)]
        return timed([*command, "--image-output", f"{scratch}/out", *options])


def run_deface(folder: Path, deface: str | None) -> float:
    if deface is None:
        sys.exit("deface is not installed: 'pip install deface onnxruntime' somewhere, and name it by --deface")
    with tempfile.TemporaryDirectory() as scratch:  # it writes beside its input
        copies = [shutil.copy(path, scratch) for path in sorted(folder.iterdir())]
        return timed([deface, *copies])


def timed(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=OF_OTHERS)
    return time.perf_counter() - start


def peak_mb(run: object) -> float:
    """Of the largest process below a fork that does nothing else."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        run()  # type: ignore[operator]
        os.write(writer, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss).encode())
        os._exit(0)
    os.wait()
    return int(os.read(reader, 100)) / (1024 if sys.platform == "linux" else 1024 * 1024)


PARTS = {
    "peer": measure_peer,
    "files": measure_files,
    "scaling": measure_scaling,
    "start": measure_start,
    "memory": measure_memory,
}

if __name__ == "__main__":
    main()
