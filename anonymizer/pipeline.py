"""The way of one picture: read -> detect -> merge -> mask and redact -> write -> record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from anonymizer.detect.detector import Detector
from anonymizer.detect.merge import merge_detections
from anonymizer.detect.panorama import unwrap, wrap
from anonymizer.detect.zones import keep_in_zones
from anonymizer.errors import OutputError, PictureError, VanishedError
from anonymizer.files.encode import encode_picture
from anonymizer.files.picture import Frame, Picture
from anonymizer.files.read import read_picture
from anonymizer.files.write import remove_files, write_files
from anonymizer.geometry import Box
from anonymizer.kinds import KINDS, TRAITS
from anonymizer.record.detections import to_json
from anonymizer.redact.planes import Mask
from anonymizer.redact.redaction import redact, to_scene
from anonymizer.redact.scene import RedactionTarget
from anonymizer.redact.targets import to_targets
from anonymizer.redact.warnings import redaction_warnings
from anonymizer.settings import DetectSettings, Projection, Settings
from anonymizer.types import Alpha, Detection, Job, Pixels, Pixels8, Result

FAINT_BELOW = 64
"""Pictures of 8 bits that use fewer levels of brightness are spread out for detection."""
HIGHLIGHTS_FROM = 99.9
"""Percentile of brightness from which on 16-bit pixels are shown white; as few are shown black."""
SAMPLED_LINES = 256
"""Of so many rows or columns, whichever are fewer, the brightness is taken; it hardly differs in between."""


@dataclass(frozen=True)
class Found:
    """What is in a frame."""

    detections: Sequence[Detection]
    in_alpha: Sequence[Detection]
    """Those of which the alpha channel shows something."""
    not_counted: int = 0
    """How many more there are where the zones say that nothing counts."""


def find_in_frames(picture: Picture, detectors: Sequence[Detector], settings: DetectSettings) -> list[Found]:
    """What is found in each frame by itself."""
    return [detect_in_planes(frame.view, frame.alpha, detectors, settings) for frame in picture.frames]


def to_hide(found: Sequence[Found], is_animation: bool) -> list[Found]:
    """What to hide in each frame: of animations also what is found in the frames directly before and after.

    Models lose an object in single frames, which would show it.
    """
    if not is_animation:
        return list(found)
    near = [found[max(0, number - 1) : number + 2] for number in range(len(found))]
    return [Found([d for f in some for d in f.detections], [d for f in some for d in f.in_alpha]) for some in near]


def redact_frame(
    frame: Frame, found: Found, settings: Settings, overwrite: bool = False
) -> tuple[Frame, npt.NDArray[np.bool_]]:
    """The frame without what was found in it, and where it changed.

    Args:
        overwrite: the result may take the place of the frame's pixels, which saves time.
    """
    targets = _targets_in(frame.pixels, found.detections, settings)
    if not targets:
        return frame, np.zeros(frame.pixels.shape[:2], bool)
    pixels, scene = redact(frame.pixels, targets, overwrite)
    return Frame(pixels, redact_alpha(frame.alpha, found.in_alpha, settings)), scene.changed


def detect(pixels: Pixels, detectors: Sequence[Detector], projection: Projection = "flat") -> list[Detection]:
    """Everything that any of the detectors finds in a picture, gray or RGB, of 8 or 16 bits."""
    shown = to_8_bits(pixels)
    rgb = shown if shown.shape[2] == 3 else np.repeat(shown, 3, axis=2)
    if projection == "flat":
        return merge_detections([found for detector in detectors for found in detector.detect([rgb])[0]])
    wrapped, width = wrap(rgb), rgb.shape[1]
    return merge_detections([part for each in detectors for part in unwrap(each.detect([wrapped])[0], width)])


def detect_in_planes(
    pixels: Pixels, alpha: Alpha | None, detectors: Sequence[Detector], settings: DetectSettings
) -> Found:
    """What is found in a picture with its alpha channel."""
    size = (pixels.shape[0], pixels.shape[1])
    found_in_alpha = detect_in_alpha(alpha, detectors, settings.projection)
    found = merge_detections([*detect(pixels, detectors, settings.projection), *found_in_alpha])
    counted = keep_in_zones(found, size, settings)
    in_alpha = [] if alpha is None else [one for one in counted if _varies(alpha, one.redaction_box)]
    return Found(counted, in_alpha, len(found) - len(counted))


def _varies(alpha: Alpha, box: Box) -> bool:
    """Whether an alpha channel has more than one value in and around a box, and so an outline at least."""
    height, width = alpha.shape
    by_y, by_x = box.height / 2, box.width / 2
    rows = slice(max(0, int(box.y_min - by_y)), min(height, ceil(box.y_max + by_y)))
    columns = slice(max(0, int(box.x_min - by_x)), min(width, ceil(box.x_max + by_x)))
    part = alpha[rows, columns]
    return bool(part.size and np.ptp(part))


def detect_in_alpha(alpha: Alpha | None, detectors: Sequence[Detector], projection: Projection) -> list[Detection]:
    """What an alpha channel shows by itself, in front of something bright or of something dark."""
    if alpha is None or not np.ptp(alpha):
        return []
    plane = alpha[:, :, np.newaxis]
    return merge_detections([*detect(plane, detectors, projection), *detect(~plane, detectors, projection)])


def to_8_bits(pixels: Pixels) -> Pixels8:
    """A picture as detectors should see it: the range in use, but for a few shadows and highlights, is spread out.

    Pictures of 8 bits stay as they are unless they are so dark or pale that models would miss most of what is there.
    """
    step = max(1, min(pixels.shape[:2]) // SAMPLED_LINES)
    darkest, brightest = np.percentile(pixels[::step, ::step], (100 - HIGHLIGHTS_FROM, HIGHLIGHTS_FROM))
    if pixels.dtype == np.uint8 and not 0 < brightest - darkest < FAINT_BELOW:
        return cast(Pixels8, pixels)
    shown = (pixels.astype(np.float32) - np.float32(darkest)) * np.float32(255 / max(1.0, brightest - darkest))
    return cast(Pixels8, np.rint(shown).clip(0, 255).astype(np.uint8))


def process(job: Job, input_root: Path, output_root: Path, detectors: Sequence[Detector], settings: Settings) -> Result:
    """Makes the outputs of one picture: all of them, or none.

    Whatever goes wrong with the picture becomes a failed `Result`, and no output of this or an earlier run stays under
    its names, unless the picture is gone: then an earlier run's stays.

    Raises:
        OutputError: no further picture can be written either; nothing has changed in the output.
    """
    began_s = time.perf_counter()
    seconds: dict[str, float] = {}
    try:
        with picture_boundary({"input folder": input_root, "output folder": output_root}):
            result = _process(job, input_root, output_root, detectors, settings, seconds)
        return replace(result, began_s=began_s)
    except PictureError as error:
        if not isinstance(error, VanishedError):
            remove_files(output_root, [job.target, job.record, *job.stale_records])
        return Result(job.name, "failed", str(error), seconds=seconds, began_s=began_s)


@contextmanager
def picture_boundary(roots: Mapping[str, Path]) -> Iterator[None]:
    """The boundary of one picture: whatever goes wrong with it never stops the others.

    Args:
        roots: folders whose place on the machine no message should tell, and what to call them.

    Raises:
        PictureError: something went wrong with the picture.
        OutputError: no further picture can be written either.
    """
    try:
        yield
    except OutputError:
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, PictureError) else f"unexpected {type(error).__name__}: {error}"
        for name, root in roots.items():
            reason = reason.replace(str(root.absolute()), name)
        raise (VanishedError if isinstance(error, VanishedError) else PictureError)(reason) from error


def _process(
    job: Job,
    input_root: Path,
    output_root: Path,
    detectors: Sequence[Detector],
    settings: Settings,
    seconds: dict[str, float],
) -> Result:
    with _timed(seconds, "read"):
        picture = read_picture(input_root / job.source, settings.read)
    with _timed(seconds, "detect"):
        found = find_in_frames(picture, detectors, settings.detect)
    looked_for = {kind for detector in detectors for kind in detector.kinds}
    detections = [detection for one in found for detection in one.detections]
    counts = {kind: sum(d.kind == kind for d in detections) for kind in sorted(looked_for, key=KINDS.index)}
    if settings.redact.only_detects(looked_for):
        with _timed(seconds, "write"):
            write_files(output_root, {job.record: to_json([one.detections for one in found])})
            remove_files(output_root, job.stale_records)
        return Result(job.name, "detected", counts=counts, seconds=seconds)

    with _timed(seconds, "redact"):
        hidden = to_hide(found, picture.is_animation)
        pairs = zip(picture.frames, hidden, strict=True)
        redacted = [redact_frame(frame, to_go, settings, overwrite=True) for frame, to_go in pairs]
    with _timed(seconds, "write"):
        frames, changed = zip(*redacted, strict=True)
        encoded = encode_picture(picture, frames, changed, settings.write.metadata)
        if settings.write.lossless_only and encoded.fidelity != "lossless":
            raise PictureError("cannot be kept bit for bit outside the blurred areas, as --lossless-only asks")
        # The picture comes last: where it is, its detections are.
        record = {job.record: to_json([one.detections for one in found])} if settings.record.write_detections else {}
        write_files(output_root, {**record, job.target: encoded.content})
        remove_files(output_root, [*job.stale_records, *([] if record else [job.record])])
    return Result(
        job.name,
        "anonymized",
        counts=counts,
        seconds=seconds,
        warnings=(*picture.remarks, *_not_counted(found), *redaction_warnings(detections, settings.redact)),
        fidelity=encoded.fidelity,
        left_out=encoded.left_out,
    )


def _not_counted(found: Sequence[Found]) -> list[str]:
    number = sum(one.not_counted for one in found)
    plurals = " or ".join(traits.plural for traits in TRAITS.values())
    text = f"{plurals} stay visible, since they lie where zones say that nothing counts"
    return [f"{number} {text}"] if number else []


def redact_detections(pixels: Pixels, detections: Sequence[Detection], settings: Settings) -> tuple[Pixels, Mask]:
    """The picture without what was found in it, and the mask of that."""
    result, scene = redact(pixels, _targets_in(pixels, detections, settings))
    return result, scene.mask


def mask_detections(pixels: Pixels, detections: Sequence[Detection], settings: Settings) -> Mask:
    """The mask alone, with nothing painted."""
    return to_scene(pixels, _targets_in(pixels, detections, settings)).mask


def _targets_in(pixels: Pixels, detections: Sequence[Detection], settings: Settings) -> list[RedactionTarget]:
    return to_targets(detections, (pixels.shape[0], pixels.shape[1]), settings.redact)


def redact_alpha(alpha: Alpha | None, in_alpha: Sequence[Detection], settings: Settings) -> Alpha | None:
    """The alpha channel without what it shows of objects; elsewhere it stays as it is."""
    return None if alpha is None else redact_detections(alpha[:, :, np.newaxis], in_alpha, settings)[0][:, :, 0]


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = time.perf_counter() - start
