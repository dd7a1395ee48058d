"""Redaction of one frame of a picture: its pixels and its alpha channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anonymizer.files.picture import Frame
from anonymizer.redact.planes import Mask
from anonymizer.redact.redaction import redact, to_scene
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.redact.targets import to_targets
from anonymizer.settings import RedactSettings
from anonymizer.types import Alpha, Detection, FrameDetections, Pixels

_INKS = 4
"""Channels of CMYK."""


def redact_frame(
    frame: Frame, found: FrameDetections, settings: RedactSettings, in_place: bool = False
) -> tuple[Frame, npt.NDArray[np.bool_]]:
    """The frame without what was found in it, and where it changed, bool (H, W).

    Args:
        in_place: the result may take the place of the frame's pixels, which saves time.
    """
    targets = _targets_in(frame.pixels, found.detections, settings)
    if not targets:
        return frame, np.zeros(frame.pixels.shape[:2], bool)
    # Methods know light alone: in CMYK the values are of ink.
    pixels, scene = redact(frame.pixels, targets, in_place) if frame.shown is None else _redact_ink(frame, targets)
    alpha = _redact_alpha(frame.alpha, found.to_hide_in_alpha, settings)
    return Frame(pixels, alpha, further=frame.further), scene.changed


def _redact_ink(frame: Frame, targets: Sequence[RedactionTarget]) -> tuple[Pixels, Scene]:
    """The pixels of a frame in CMYK with every target replaced as the picture is shown, and what was hidden in it.

    What hides has no black ink; at soft edges that of the source fades out.
    """
    assert frame.shown is not None
    shown, scene = redact(frame.shown, targets)
    where = scene.changed
    colors, mask = shown[where].astype(np.float32), scene.mask[where]
    key = np.maximum(255 - (1 - mask) * frame.pixels[where][:, _INKS - 1], colors.max(axis=1))[:, np.newaxis]
    light = np.concatenate([colors * 255 / key.clip(1, None), key], axis=1)  # programs show the product of both
    pixels = frame.pixels.copy()
    pixels[where, :_INKS] = 255 - light.round()
    if frame.further:
        pixels[:, :, _INKS:] = redact(np.ascontiguousarray(frame.pixels[:, :, _INKS:]), targets)[0]
    return pixels, scene


def redact_detections(pixels: Pixels, detections: Sequence[Detection], settings: RedactSettings) -> Pixels:
    """The picture, (H, W, C), without what was found in it."""
    return redact(pixels, _targets_in(pixels, detections, settings))[0]


def mask_detections(pixels: Pixels, detections: Sequence[Detection], settings: RedactSettings) -> Mask:
    """The mask alone, with nothing painted."""
    return to_scene(pixels, _targets_in(pixels, detections, settings)).mask


def mask_frame(frame: Frame, found: FrameDetections, settings: RedactSettings) -> npt.NDArray[np.uint8]:
    """How far each pixel is hidden, uint8 (H, W): 0 where it stays as it is, 255 where nothing of it is left, and only
    there.
    """
    mask = mask_detections(frame.pixels, found.detections, settings)
    levels: npt.NDArray[np.uint8] = np.where(mask < 1, np.ceil(mask * np.float32(254)), 255).astype(np.uint8)
    return levels


def _redact_alpha(alpha: Alpha | None, in_alpha: Sequence[Detection], settings: RedactSettings) -> Alpha | None:
    """The alpha channel without what it shows of objects; elsewhere it stays as it is."""
    if alpha is None:
        return None
    return redact_detections(alpha[:, :, np.newaxis], in_alpha, settings.in_alpha())[:, :, 0]


def _targets_in(pixels: Pixels, detections: Sequence[Detection], settings: RedactSettings) -> list[RedactionTarget]:
    return to_targets(detections, (pixels.shape[0], pixels.shape[1]), settings)
