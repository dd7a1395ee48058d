"""Turns the outputs of models into detections. A broken model must not look like an empty picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import BOXES, CLASSES, NUMBER, SCORES, Tensor
from anonymizer.detect.preprocessing import ModelInput
from anonymizer.detect.views import Crop
from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.types import Detection

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SCORE_TOLERANCE = 1e-3
"""Rounding may take a score out of 0..1 by this much."""
FAR_OUTSIDE = 10.0
"""Coordinates beyond this many sizes of the picture are not fractions of it but something else, such as pixels."""


@dataclass(frozen=True)
class Postprocessing:
    """What turns a model's outputs into detections."""

    model: ModelDescription
    first_class: int
    """Number that the model gives to the first class."""
    calibration: Mapping[float, float]
    """Exponents of the scores, by the longer side of the object in pixels of the picture; empty for none."""
    thresholds: Mapping[Kind, float]
    """Score threshold per kind that is looked for."""
    min_scores: Mapping[Kind, float]
    """Lowest score per kind of the detections that are returned; other steps need some below the threshold."""


@dataclass(frozen=True)
class _Candidates:
    """What a model found in a crop; all arrays have N rows."""

    boxes: Floats
    """(N, 4): y_min, x_min, y_max, x_max in pixels of the picture, clipped to it."""
    scores: Floats
    """(N,), calibrated."""
    classes: Floats
    """(N,), as the model numbers them."""
    is_far_outside: Flags
    """(N,): whether the box cannot be in fractions of the input."""
    is_covered: Flags
    """(N,): whether the box touches the picture, and the crop covers boxes of its size and position."""


def to_detections(
    outputs: Mapping[str, Tensor], model_input: ModelInput, crop: Crop, how: Postprocessing
) -> list[Detection]:
    """The detections of a model in a crop, in pixels of the picture.

    Raises:
        PictureError: the outputs are not those of a detection model.
    """
    found = _candidates(outputs, model_input, crop, how)
    detections = []
    for kind, min_score in how.min_scores.items():
        # Compared as the 32-bit floats that models compute with: 0.3 is not below 0.3.
        is_hit = (found.scores.astype(np.float32) >= np.float32(min_score)) & _is_kind(found.classes, kind, how)
        if (is_hit & found.is_far_outside).any():
            raise PictureError(f"model {how.model.name} answered with boxes that are no fractions of the picture")
        chosen = found.is_covered & is_hit
        for (y_min, x_min, y_max, x_max), score in zip(
            found.boxes[chosen].tolist(), found.scores[chosen].tolist(), strict=True
        ):
            detections.append(Detection(Box(x_min, y_min, x_max, y_max), score, kind))
    return detections


def _candidates(outputs: Mapping[str, Tensor], model_input: ModelInput, crop: Crop, how: Postprocessing) -> _Candidates:
    number = int(np.ravel(outputs[NUMBER])[0])
    scores = np.ravel(outputs[SCORES])[:number].astype(np.float64)
    classes = np.ravel(outputs[CLASSES])[:number].astype(np.float64)
    boxes = np.reshape(outputs[BOXES], (-1, 4))[:number].astype(np.float64)
    _check(number, scores, classes, boxes, how)

    is_far_outside = np.asarray((np.abs(boxes) > FAR_OUTSIDE).any(axis=1))
    covered = (model_input.covered_height, model_input.covered_width)
    boxes = boxes * (*covered, *covered)
    is_covered = crop.covers(boxes)
    boxes = crop.to_picture(boxes)
    size = (crop.picture_height, crop.picture_width)
    is_inside = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < size).all(axis=1)
    boxes = boxes.clip(0, (*size, *size))
    scores = calibrated(scores, boxes, how.calibration, crop.spec.score_exponent)
    return _Candidates(boxes, scores, classes, is_far_outside, np.asarray(is_covered & is_inside))


def calibrated(scores: Floats, boxes: Floats, calibration: Mapping[float, float], exponent: float) -> Floats:
    """Scores (N,) to the power of the view's exponent times that of the calibration for the size of each box (N, 4)."""
    if not calibration:
        return scores if exponent == 1 else np.asarray(scores.clip(0, 1) ** exponent)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=1)
    exponents = np.interp(np.log(sizes), np.log(list(calibration)), list(calibration.values()))
    return np.asarray(scores.clip(0, 1) ** (exponents * exponent))


def _check(number: int, scores: Floats, classes: Floats, boxes: Floats, how: Postprocessing) -> None:
    name = how.model.name
    if not all(np.isfinite(values).all() for values in (scores, classes, boxes)):
        raise PictureError(f"model {name} answered with values that are no numbers")
    if not len(scores) == len(classes) == len(boxes) == number:
        raise PictureError(f"model {name} announced {number} detections but gave fewer")
    if ((scores < -SCORE_TOLERANCE) | (scores > 1 + SCORE_TOLERANCE)).any():
        raise PictureError(f"model {name} answered with scores that are not in the range 0..1")
    is_sure = scores >= min(how.thresholds.values(), default=1.0)
    if how.model.every_class is None and (classes[is_sure] < how.first_class - 0.5).any():
        raise PictureError(f"model {name} answered with classes below the first; see 'first_class' of model.yaml")


def _is_kind(classes: Floats, kind: Kind, how: Postprocessing) -> Flags:
    if how.model.every_class is not None:
        return np.full(classes.shape, kind == how.model.every_class)
    numbers = [number for number, of_kind in how.model.kinds.items() if of_kind == kind]
    return np.isin(np.rint(classes) + 1 - how.first_class, numbers)
