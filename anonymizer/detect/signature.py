"""The signature of the TensorFlow Object Detection API: pictures into tensors, tensors into detections.

A model takes one picture and returns `detection_boxes` (1, N, 4), y_min, x_min, y_max, x_max as fractions of
the input, `detection_scores` (1, N), `detection_classes` (1, N), numbered from 1, and `num_detections` (1,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.catalogue import AS_IT_IS, Look, ModelDescription
from anonymizer.detect.merge import Opinion, merge_opinions
from anonymizer.detect.rescore import look_again
from anonymizer.detect.views import Sight, View, sights_of, views_of
from anonymizer.errors import ModelError, PictureError
from anonymizer.geometry import Box
from anonymizer.types import Detection, Kind, Pixels8

Tensor = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]

BOXES, SCORES, CLASSES, NUMBER = "detection_boxes", "detection_scores", "detection_classes", "num_detections"
OUTPUTS = (BOXES, SCORES, CLASSES, NUMBER)

SCORE_TOLERANCE = 1e-3
"""How far rounding may take a score out of 0..1."""
FAINT = 0.25
"""Detections below this share of the threshold say nothing about what others have found."""
FAR_OUTSIDE = 10.0
"""Beyond so many sizes of the picture, coordinates are no fractions of it but something else, such as pixels."""


@dataclass(frozen=True)
class LoadedModel:
    """A model that a loader made callable."""

    call: Callable[[Tensor], Mapping[str, Tensor]]
    """(1, H, W, 3) in, the four outputs out, under the names of the API."""
    dtype: np.dtype[np.generic]
    """Of the input."""
    height: int | None
    """Of the input; None for any."""
    width: int | None
    first_class: int = 1
    """Number of the first class, unless the model's description says otherwise."""


def check_input(
    model: ModelDescription, dtype: np.dtype[np.generic], shape: Sequence[int | None]
) -> tuple[int | None, int | None]:
    """Height and width of a model's input, None where any will do.

    Args:
        shape: with None or -1 for unknown sizes.

    Raises:
        ModelError: the input takes no RGB pictures.
    """
    sizes = [None if size in (None, -1) else int(size) for size in shape]
    takes_pictures = len(sizes) == 4 and sizes[0] in (None, 1) and sizes[3] in (None, 3)
    if not takes_pictures or dtype not in (np.uint8, np.float32):
        raise ModelError(
            f"model {model.path} takes {dtype} {tuple(sizes)}: no detection model; "
            "expected are RGB pictures, uint8 or float32 (1, height, width, 3)"
        )
    return sizes[1], sizes[2]


def missing_outputs(model: ModelDescription, present: Sequence[str]) -> ModelError:
    return ModelError(
        f"model {model.path} is no detection model: of the outputs {', '.join(OUTPUTS)} it lacks "
        f"{', '.join(sorted(set(OUTPUTS).difference(present)))}; 'outputs' in model.yaml can name them"
    )


class SignatureDetector:
    """A `Detector` on a loaded model."""

    def __init__(
        self, model: ModelDescription, loaded: LoadedModel, preset: str, thresholds: Mapping[Kind, float]
    ) -> None:
        """
        Args:
            preset: how the model looks at each picture; of no account where its input has a fixed size.
            thresholds: lowest score per kind. Kinds that are not in it are not reported.
        """
        self._model = model
        self._loaded = loaded
        self._looks = model.views[preset] if loaded.height is None else AS_IT_IS
        self._calibration = model.calibration.get(preset, {})
        self._thresholds = {kind: thresholds[kind] for kind in model.found_kinds if kind in thresholds}
        has_second = model.second_look is not None and preset in model.second_look.presets
        self._second_look = model.second_look if has_second else None
        candidates_from = self._second_look.from_score if self._second_look else 1.0
        self._candidates_from = {kind: min(value, candidates_from) for kind, value in self._thresholds.items()}

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(self._thresholds)

    def detect(self, pictures: Sequence[Pixels8]) -> list[list[Detection]]:
        """One by one: on a CPU a batch of pictures takes no less time than one after the other."""
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: Pixels8) -> list[Detection]:
        """Each way of turning the picture has its own agreement: who sees a face upside down has no vote on it."""
        of_turn: dict[int, list[Opinion]] = {}
        for sight in sights_of(self._looks, picture.shape[0], picture.shape[1]):
            opinion = Opinion(self._look_at(picture, sight), sight.judges_from, sight.judges_to)
            of_turn.setdefault(sight.look.quarter_turns % 4, []).append(opinion)
        return [
            found
            for turns, opinions in of_turn.items()
            for found in self._reconsider(picture, self._agree(opinions), turns)
        ]

    def _agree(self, opinions: Sequence[Opinion]) -> list[Detection]:
        if self._model.is_agreement:
            return merge_opinions(opinions, self._candidates_from)
        return [found for opinion in opinions for found in opinion.detections]

    def _reconsider(self, picture: Pixels8, candidates: list[Detection], quarter_turns: int) -> list[Detection]:
        """Looks at the doubtful ones once more, if the model does that, and leaves out what is below the threshold."""
        if self._second_look is None:
            return candidates
        doubt = min((look.doubt for look in self._looks if look.quarter_turns % 4 == quarter_turns), default=1.0)
        look = Look(quarter_turns=quarter_turns, doubt=doubt)
        judged = look_again(picture, candidates, look, self._second_look, self._detect_in)
        return [one for one in judged if one.score >= self._thresholds[one.kind]]

    def _look_at(self, picture: Pixels8, sight: Sight) -> list[Detection]:
        is_whole = self._loaded.height is not None  # it is shrunk to the size of the input anyway
        views = [View(picture, picture.shape[0], picture.shape[1], Look())] if is_whole else views_of(picture, sight)
        return [found for view in views for found in self._detect_in(view)]

    def _detect_in(self, view: View) -> list[Detection]:
        """What is found in a view of a picture, in pixels of the picture."""
        tensor, covered_y, covered_x = self._to_tensor(view.pixels)
        outputs = self._loaded.call(tensor)
        number = int(np.ravel(outputs[NUMBER])[0])
        scores = np.ravel(outputs[SCORES])[:number].astype(np.float64)
        classes = np.ravel(outputs[CLASSES])[:number].astype(np.float64)
        boxes = np.reshape(outputs[BOXES], (-1, 4))[:number].astype(np.float64)
        self._check(number, scores, classes, boxes)

        is_far_outside = (np.abs(boxes) > FAR_OUTSIDE).any(axis=1)
        boxes = boxes * (covered_y, covered_x, covered_y, covered_x)
        is_wanted = view.answers_for(boxes)
        boxes = view.to_picture(boxes)
        height, width = view.height, view.width
        is_inside = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < (height, width)).all(axis=1)
        boxes = boxes.clip(0, (height, width, height, width))
        scores = self._calibrated(scores, boxes, view.look.doubt)
        found = []
        for kind, threshold in self._thresholds.items():
            candidates_from = self._candidates_from[kind]
            # Compared as the 32-bit floats that models compute with: 0.3 is not below 0.3.
            floor = min(threshold * FAINT, candidates_from) if self._model.is_agreement else candidates_from
            is_sure = scores.astype(np.float32) >= np.float32(floor)
            is_hit = is_sure & self._is_kind(classes, kind)
            # A model whose boxes are no fractions must not look like an empty picture.
            if (is_hit & is_far_outside).any():
                raise PictureError(f"model {self._model.name} answered with boxes that are no fractions of the picture")
            chosen = is_inside & is_wanted & is_hit
            for (y_min, x_min, y_max, x_max), score in zip(
                boxes[chosen].tolist(), scores[chosen].tolist(), strict=True
            ):
                found.append(Detection(Box(x_min, y_min, x_max, y_max), score, kind))
        return found

    def _calibrated(self, scores: Floats, boxes: Floats, doubt: float) -> Floats:
        if not self._calibration:
            return scores if doubt == 1 else np.asarray(scores.clip(0, 1) ** doubt)
        sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=1)
        exponents = np.interp(np.log(sizes), np.log(list(self._calibration)), list(self._calibration.values()))
        return np.asarray(scores.clip(0, 1) ** (exponents * doubt))

    def _check(self, number: int, scores: Floats, classes: Floats, boxes: Floats) -> None:
        """A broken model must not look like an empty picture."""
        name = self._model.name
        if not all(np.isfinite(values).all() for values in (scores, classes, boxes)):
            raise PictureError(f"model {name} answered with values that are no numbers")
        if not len(scores) == len(classes) == len(boxes) == number:
            raise PictureError(f"model {name} announced {number} detections but gave fewer")
        if ((scores < -SCORE_TOLERANCE) | (scores > 1 + SCORE_TOLERANCE)).any():
            raise PictureError(f"model {name} answered with scores that are not in the range 0..1")
        is_sure = scores >= min(self._thresholds.values(), default=1.0)
        if self._model.every_class is None and (classes[is_sure] < self._first_class - 0.5).any():
            raise PictureError(f"model {name} answered with classes below the first; see 'first_class' of model.yaml")

    @property
    def _first_class(self) -> int:
        return self._loaded.first_class if self._model.first_class is None else self._model.first_class

    def _is_kind(self, classes: Floats, kind: Kind) -> npt.NDArray[np.bool_]:
        if self._model.every_class is not None:
            return np.full(classes.shape, kind == self._model.every_class)
        numbers = [number for number, of_kind in self._model.kinds.items() if of_kind == kind]
        return np.isin(np.rint(classes) + 1 - self._first_class, numbers)

    def _to_tensor(self, view: Pixels8) -> tuple[Tensor, float, float]:
        """The input tensor, and how many pixels of the view its whole height and width stand for."""
        height, width = view.shape[:2]
        if self._loaded.height is None or self._loaded.width is None:
            multiple = self._model.size_multiple
            tensor = np.pad(view, ((0, -height % multiple), (0, -width % multiple), (0, 0)))
            scale_y, scale_x = float(tensor.shape[0]), float(tensor.shape[1])
        else:
            size = (self._loaded.width, self._loaded.height)
            tensor = cv2.resize(view, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            scale_y, scale_x = float(height), float(width)
        if self._loaded.dtype == np.uint8:
            return tensor[np.newaxis], scale_y, scale_x
        normalised = (tensor.astype(np.float32) - self._model.mean) / self._model.std
        return normalised[np.newaxis].astype(np.float32, copy=False), scale_y, scale_x
