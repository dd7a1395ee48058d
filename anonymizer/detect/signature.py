"""A detector on a model with the signature of the TensorFlow Object Detection API."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from anonymizer.detect.description import ORIGINAL_SIZE, ModelDescription, ViewSpec
from anonymizer.detect.inference import LoadedModel
from anonymizer.detect.merge import ViewDetections, merge_views
from anonymizer.detect.model_detector import ModelDetector
from anonymizer.detect.postprocessing import Postprocessing, to_detections
from anonymizer.detect.preprocessing import to_input
from anonymizer.detect.rescore import rescore
from anonymizer.detect.views import Crop, ScaledView, close_crop, crops_of, scaled_views, whole_picture
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.types import Detection, Pixels8

logger = logging.getLogger(__name__)

FAINT = 0.25
"""Detections below this share of the threshold are dropped before views are merged."""


class SignatureDetector(ModelDetector):
    """A `Detector` on a model with such a signature."""

    def __init__(
        self,
        model: ModelDescription,
        loaded: LoadedModel,
        preset: str,
        thresholds: Mapping[Kind, float],
        *,
        in_films: bool = False,
    ) -> None:
        """The views are ignored where the input has a fixed size."""
        super().__init__(model, loaded, preset, thresholds, in_films=in_films)
        if loaded.height is not None:
            self._specs = ORIGINAL_SIZE
        has_second_look = model.second_look is not None and preset in model.second_look.presets
        self._second_look = model.second_look if has_second_look else None
        doubtful_from = self._second_look.from_score if self._second_look else 1.0
        self._candidates_from = {kind: min(value, doubtful_from) for kind, value in self._thresholds.items()}
        self._postprocessing = Postprocessing(
            model,
            loaded.first_class if model.first_class is None else model.first_class,
            model.calibration.get(preset, {}),
            self._thresholds,
            self._min_scores(),
        )

    def detect(self, picture: Pixels8) -> list[Detection]:
        """What is found in all views of a picture, uint8 (H, W, 3), RGB.

        Views with different turns are merged apart: a view that shows a face upside down has no vote on it.

        Raises:
            PictureError: the model gave no usable answer.
        """
        height, width = picture.shape[:2]
        views = scaled_views(self._specs, height, width)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "model %s sees %d x %d pixels at %s", self._model.name, width, height, ", ".join(map(str, views))
            )
        of_turn: dict[int, list[ViewDetections]] = {}
        for view in views:
            found = ViewDetections(self._find_in_view(picture, view), view.vote_min_size, view.vote_max_size)
            of_turn.setdefault(view.spec.quarter_turns % 4, []).append(found)
        return [
            found
            for turns, views_found in of_turn.items()
            for found in self._look_again(picture, self._merged(views_found), turns)
        ]

    def look_closely(self, picture: Pixels8, box: Box, size: float, side: int, turns: int = 0) -> list[Detection]:
        """What is found around a box alone, in pixels of the picture.

        Args:
            box: its centre lies in the picture.
            size: pixels that the model sees of its longer side.
            side: height and width of what the model sees.
            turns: quarters by which the picture is turned first, anticlockwise.

        Raises:
            PictureError: the model gave no usable answer.
        """
        return list(self._find_in_crop(close_crop(picture, box, ViewSpec(quarter_turns=turns), size, side)))

    def _min_scores(self) -> dict[Kind, float]:
        """What a mean needs: the scores of single views may be far below the threshold."""
        if self._model.score == "best":
            return self._candidates_from
        return {
            kind: min(threshold * FAINT, self._candidates_from[kind]) for kind, threshold in self._thresholds.items()
        }

    def _merged(self, views: Sequence[ViewDetections]) -> list[Detection]:
        if self._model.score == "mean":
            return merge_views(views, self._candidates_from)
        return [found for view in views for found in view.detections]

    def _look_again(self, picture: Pixels8, candidates: list[Detection], quarter_turns: int) -> list[Detection]:
        """Scores doubtful candidates again, if the model has a second look, and drops those below the threshold."""
        if self._second_look is None:
            return candidates
        exponents = (spec.score_exponent for spec in self._specs if spec.quarter_turns % 4 == quarter_turns)
        spec = ViewSpec(quarter_turns=quarter_turns, score_exponent=min(exponents, default=1.0))
        rescored = rescore(picture, candidates, spec, self._second_look, self._find_in_crop)
        return [one for one in rescored if one.score >= self._thresholds[one.kind]]

    def _find_in_view(self, picture: Pixels8, view: ScaledView) -> list[Detection]:
        has_fixed_size = self._loaded.height is not None  # the picture is resized to it anyway
        crops = [whole_picture(picture)] if has_fixed_size else crops_of(picture, view)
        return [found for crop in crops for found in self._find_in_crop(crop)]

    def _find_in_crop(self, crop: Crop) -> list[Detection]:
        """The detections in a crop of a picture, in pixels of the picture."""
        model_input = to_input(crop.pixels, self._model, self._loaded)
        return to_detections(self._loaded.call(model_input.tensor), model_input, crop, self._postprocessing)
