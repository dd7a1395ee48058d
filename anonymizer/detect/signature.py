"""A detector on a model with the signature of the TensorFlow Object Detection API."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace

from anonymizer.detect.description import ORIGINAL_SIZE, ModelDescription, ViewSpec
from anonymizer.detect.inference import LoadedModel
from anonymizer.detect.merge import ViewDetections, merge_views
from anonymizer.detect.model_detector import ModelDetector
from anonymizer.detect.postprocessing import Postprocessing, to_detections
from anonymizer.detect.preprocessing import to_input
from anonymizer.detect.rescore import rescore
from anonymizer.detect.turns import UPRIGHT, TurnedLooks
from anonymizer.detect.views import Crop, ScaledView, crops_of, scaled_views, whole_picture
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
        has_turned_look = model.turned_look is not None and preset in model.turned_look.presets
        # The tracks of a film find again what single frames miss, and a film says itself which way is up.
        self._turned_look = model.turned_look if has_turned_look and not in_films and loaded.height is None else None
        doubtful_from = min(
            self._second_look.from_score if self._second_look else 1.0,
            self._turned_look.from_score if self._turned_look else 1.0,
        )
        self._candidates_from = {kind: min(value, doubtful_from) for kind, value in self._thresholds.items()}
        self._postprocessing = Postprocessing(
            model,
            loaded.first_class if model.first_class is None else model.first_class,
            model.calibration.get(preset, {}),
            self._thresholds,
            self._min_scores(),
        )

    def upright(self) -> SignatureDetector:
        """The same detector, which takes no picture and no object for turned."""
        same = copy(self)
        same._turned_look = None
        return same

    def detect(self, picture: Pixels8) -> list[Detection]:
        """What is found in all views of a picture, uint8 (H, W, 3), RGB.

        Views with different turns are merged apart: a view that shows a face upside down has no vote on it.

        Raises:
            PictureError: the model gave no usable answer.
        """
        found = self._search(picture, self._specs)
        sure = self._sure_of(picture, found, self._specs)
        if self._turned_look is None:
            return sure
        looks = TurnedLooks(picture, found.get(UPRIGHT, []), self._turned_look, self._find_in_crop)
        turns = looks.turn_of_picture()
        if turns == UPRIGHT:
            return [*sure, *self._above_threshold(looks.turned_objects())]
        logger.debug("the picture seems to be turned: it is searched turned by %d degrees, too", 90 * turns)
        specs = [replace(spec, quarter_turns=turns) for spec in self._specs if spec.quarter_turns % 4 == UPRIGHT]
        return [*sure, *self._sure_of(picture, self._search(picture, specs), specs)]

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

    def _search(self, picture: Pixels8, specs: Sequence[ViewSpec]) -> dict[int, list[Detection]]:
        """The candidates that views with each turn find in a picture."""
        height, width = picture.shape[:2]
        views = scaled_views(specs, height, width)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "model %s sees %d x %d pixels at %s", self._model.name, width, height, ", ".join(map(str, views))
            )
        of_turn: dict[int, list[ViewDetections]] = {}
        for view in views:
            found = ViewDetections(self._find_in_view(picture, view), view.vote_min_size, view.vote_max_size)
            of_turn.setdefault(view.spec.quarter_turns % 4, []).append(found)
        return {turns: self._merged(views_found) for turns, views_found in of_turn.items()}

    def _sure_of(
        self, picture: Pixels8, candidates: Mapping[int, Sequence[Detection]], specs: Sequence[ViewSpec]
    ) -> list[Detection]:
        """What is sure enough of the candidates of each turn, after a second look if the model has one."""
        sure = []
        for turns, found in candidates.items():
            exponents = (spec.score_exponent for spec in specs if spec.quarter_turns % 4 == turns)
            spec = ViewSpec(quarter_turns=turns, score_exponent=min(exponents, default=1.0))
            sure += self._above_threshold(self._look_again(picture, found, spec))
        return sure

    def _look_again(self, picture: Pixels8, candidates: Sequence[Detection], spec: ViewSpec) -> Sequence[Detection]:
        """Scores doubtful candidates again, if the model has a second look."""
        if self._second_look is None:
            return candidates
        return rescore(picture, candidates, spec, self._second_look, self._find_in_crop)

    def _above_threshold(self, found: Sequence[Detection]) -> list[Detection]:
        return [one for one in found if one.score >= self._thresholds[one.kind]]

    def _find_in_view(self, picture: Pixels8, view: ScaledView) -> list[Detection]:
        has_fixed_size = self._loaded.height is not None  # the picture is resized to it anyway
        crops = [whole_picture(picture)] if has_fixed_size else crops_of(picture, view)
        return [found for crop in crops for found in self._find_in_crop(crop)]

    def _find_in_crop(self, crop: Crop) -> list[Detection]:
        """The detections in a crop of a picture, in pixels of the picture."""
        model_input = to_input(crop.pixels, self._model, self._loaded)
        return to_detections(self._loaded.call(model_input.tensor), model_input, crop, self._postprocessing)
