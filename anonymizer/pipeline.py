"""The way of one picture: read -> detect -> merge -> mask and redact -> write -> record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from anonymizer.detect.detector import Detector
from anonymizer.detect.merge import merge_detections
from anonymizer.errors import OutputError, PictureError
from anonymizer.files.read import read_picture
from anonymizer.files.write import encode_picture, remove_file, write_file
from anonymizer.record.detections import to_json
from anonymizer.redact.redact import redact, weaknesses
from anonymizer.settings import KINDS, Settings
from anonymizer.types import Detection, Job, Pixels, Result


def detect(pixels: Pixels, detectors: Sequence[Detector]) -> list[Detection]:
    """Everything that any of the detectors finds in a picture, gray or RGB."""
    rgb = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)
    return merge_detections([found for detector in detectors for found in detector.detect([rgb])[0]])


def process(job: Job, input_root: Path, output_root: Path, detectors: Sequence[Detector], settings: Settings) -> Result:
    """Makes the outputs of one picture: all of them, or none.

    Whatever goes wrong with the picture becomes a failed `Result`, and no output of this or an earlier run
    stays under its names.

    Raises:
        OutputError: no further picture can be written either.
    """
    seconds: dict[str, float] = {}
    try:
        return _process(job, input_root, output_root, detectors, settings, seconds)
    except OutputError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: one picture never stops the others
        reason = str(error) if isinstance(error, PictureError) else f"unexpected {type(error).__name__}: {error}"
        for path in (job.target, job.record):
            remove_file(output_root, path)
        return Result(job.name, "failed", reason, seconds=seconds)


def _process(
    job: Job,
    input_root: Path,
    output_root: Path,
    detectors: Sequence[Detector],
    settings: Settings,
    seconds: dict[str, float],
) -> Result:
    with _timed(seconds, "read"):
        picture = read_picture(input_root / job.source)
    with _timed(seconds, "detect"):
        detections = detect(picture.pixels, detectors)
    with _timed(seconds, "redact"):
        redacted = redact(picture.pixels, detections, settings.redact)
    with _timed(seconds, "write"):
        content = encode_picture(picture, redacted)
        # The picture comes last: where it is, its detections are.
        if settings.record.write_detections:
            write_file(output_root, job.record, to_json(detections))
        else:
            remove_file(output_root, job.record)
        write_file(output_root, job.target, content)

    looked_for = {kind for detector in detectors for kind in detector.kinds}
    counts = {kind: sum(d.kind == kind for d in detections) for kind in sorted(looked_for, key=KINDS.index)}
    warnings = tuple(weaknesses(detections, settings.redact))
    return Result(job.name, "anonymized", counts=counts, seconds=seconds, warnings=warnings)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = time.perf_counter() - start
