"""Compares a redacted picture with its original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anonymizer.check.detail import detail_left, detail_left_within, levels_of_detail
from anonymizer.check.finding import Finding
from anonymizer.detect.tones import to_8_bits
from anonymizer.files.encode import may_differ
from anonymizer.files.picture import Frame, Picture
from anonymizer.geometry import Box, slices_around
from anonymizer.redact.frame import mask_detections
from anonymizer.redact.touched import touched_pixels_at
from anonymizer.settings import RedactSettings, Settings
from anonymizer.types import Alpha, Detection, Fidelity, Pixels, Pixels8

MAX_REENCODED_RMS = 10.0
"""Levels of 256 by which pictures that were encoded anew may differ from their originals, root mean square."""


@dataclass(frozen=True)
class Seen:
    """What the detectors see in an original."""

    found: Sequence[Detection]
    """At the thresholds of the run; in animations those of the neighbouring frames too: they are hidden here."""
    in_alpha: Sequence[Detection]
    """Those of `found` that the alpha channel shows by itself."""
    weaker: Sequence[Detection]
    """All detections at the lower thresholds of the gate."""


@dataclass(frozen=True)
class FramePair:
    """A frame of an original and the same frame of the redacted picture."""

    file: str
    source: Picture
    """The whole file of the original."""
    original: Frame
    redacted: Frame
    fidelity: Fidelity | None
    """What the report of the anonymizing run says of this picture."""


def compare(pair: FramePair, seen: Seen, recorded: Sequence[Detection], settings: Settings) -> list[Finding]:
    """What differs between a frame and its redacted original; empty if the frame is exactly that.

    Args:
        recorded: what was redacted in this frame according to its detection JSON; empty without one.
        settings: of the anonymizing run.
    """
    original, redacted = _with_same_channels(pair.original, pair.redacted)
    if original.pixels.shape != redacted.pixels.shape or original.pixels.dtype != redacted.pixels.dtype:
        return [Finding(pair.file, "changed", "another size or other channels than its original")]
    planes = [(original.view, redacted.view, seen.found)]
    planes += [(one, other, seen.found) for one, other in zip(original.bands, redacted.bands, strict=False)]
    if original.alpha is not None and redacted.alpha is not None:
        planes.append((original.alpha[:, :, np.newaxis], redacted.alpha[:, :, np.newaxis], seen.in_alpha))
    shown = [detection for before, after, found in planes for detection in uncovered(before, after, found)]
    findings = [
        Finding(pair.file, "uncovered", f"{d.kind} of the original is not hidden", "finding", d.box, d.score)
        for d in shown
    ]
    known = {detection.box for detection in seen.found}
    weaker = [detection for detection in seen.weaker if detection.box not in known]
    findings += [
        Finding(pair.file, "uncovered", f"perhaps a {d.kind}, seen weakly in the original", "warning", d.box, d.score)
        for d in uncovered(original.view, redacted.view, weaker)
    ]
    alike = replace(pair, original=original, redacted=redacted)
    return findings + changes_outside(alike, [*seen.found, *recorded], settings.redact)


def _with_same_channels(one: Frame, other: Frame) -> tuple[Frame, Frame]:
    """Both frames with the same channels: some formats do not distinguish gray from RGB, or opaque from no alpha."""
    channels = max(one.pixels.shape[2], other.pixels.shape[2])
    has_alpha = one.alpha is not None or other.alpha is not None
    first, second = (_with_channels(frame, channels, has_alpha) for frame in (one, other))
    return first, second


def _with_channels(frame: Frame, channels: int, has_alpha: bool) -> Frame:
    pixels, alpha = frame.pixels, frame.alpha
    if pixels.shape[2] == 1 and channels == 3:
        pixels = np.repeat(pixels, 3, axis=2)
    if has_alpha and alpha is None:
        alpha = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
    return Frame(pixels, alpha, frame.shown, frame.further)


def uncovered(before: Pixels, after: Pixels, found: Sequence[Detection], least_levels: float = 0.0) -> list[Detection]:
    """The detections of an original that are not hidden.

    Args:
        before, after: (H, W, C), the original and the redacted picture.
        least_levels: what is left of the detail in a box counts from so many levels of 256 on, root mean square.
    """
    if not found:
        return []
    one, other = _shown_alike(before, after)
    return [detection for detection in found if _is_left(one, other, detection, least_levels)]


def _is_left(before: Pixels8, after: Pixels8, detection: Detection, least_levels: float) -> bool:
    left = _detail_left(before, after, detection)
    if left <= max_detail_left(detection.box):
        return False
    if not least_levels or detection.outline is not None:
        return True
    return left * levels_of_detail(before[slices_around(detection.box, before.shape)]) >= least_levels


def _detail_left(before: Pixels8, after: Pixels8, detection: Detection) -> float:
    place, outline = slices_around(detection.box, before.shape), detection.outline
    if outline is None:
        return detail_left(before[place], after[place])
    return detail_left_within(before[place], after[place], touched_pixels_at(outline, place), outline.size_px)


def max_detail_left(box: Box) -> float:
    """The share of its detail up to which an object counts as hidden.

    Small objects have few more pixels than the cells that replace them. All of 7,548 faces behind the default method
    are below 0.4, and those of 48 pixels and more below 0.11; without redaction it is 1. The classic kernel 21,2,9
    leaves 0.33 of half of the faces of 96 pixels and more.
    """
    return min(0.4, max(0.2, 10 / max(1.0, box.longer_side)))


def _shown_alike(before: Pixels, after: Pixels) -> tuple[Pixels8, Pixels8]:
    """Both pictures with 8 bits, scaled by the same range."""
    both = to_8_bits(np.concatenate([before, after]))
    return both[: before.shape[0]], both[before.shape[0] :]


def changes_outside(pair: FramePair, redacted: Sequence[Detection], settings: RedactSettings) -> list[Finding]:
    """A finding if pixels differ where nothing was to be redacted.

    Args:
        pair: frames with the same channels.
    """
    before, after = pair.original, pair.redacted
    mask = mask_detections(before.pixels, redacted, settings) > 0
    is_outside = ~may_differ(pair.source, before, mask)
    number, rms = _difference(before.pixels, after.pixels, is_outside)
    if before.alpha is not None and after.alpha is not None:
        in_alpha = _difference(before.alpha, after.alpha, ~mask)
        number, rms = number + in_alpha[0], max(rms, in_alpha[1])
    if not number or (pair.fidelity == "reencoded" and rms <= MAX_REENCODED_RMS):
        return []
    return [Finding(pair.file, "changed", f"{number} pixels differ outside the redacted areas")]


def _difference(before: Pixels | Alpha, after: Pixels | Alpha, where: npt.NDArray[np.bool_]) -> tuple[int, float]:
    """The number of pixels that differ, and the root mean square of all differences, in levels of 256."""
    differs = before != after
    is_different = (differs.any(axis=2) if differs.ndim == 3 else differs) & where
    number = int(is_different.sum())
    if not number:
        return 0, 0.0
    scale = 1.0 if before.dtype == np.uint8 else 257.0
    differences = (before[where].astype(np.float32) - after[where]) / scale
    return number, float(np.sqrt((differences**2).mean()))
