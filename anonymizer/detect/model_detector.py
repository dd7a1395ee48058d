"""What detectors on a loaded model have in common: the views of the preset, and the thresholds of the kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import LoadedModel
from anonymizer.kinds import Kind

_Same = TypeVar("_Same", bound="ModelDetector")


class ModelDetector:
    """What is the same in every `Detector` on a loaded model. It is cheap to make: several can share one model."""

    def __init__(
        self,
        model: ModelDescription,
        loaded: LoadedModel,
        preset: str,
        thresholds: Mapping[Kind, float],
        *,
        in_films: bool = False,
    ) -> None:
        """
        Args:
            preset: which views of the model are used.
            thresholds: lowest score per kind. Kinds that are missing are not reported.
            in_films: whether it looks at the frames of films.
        """
        self._model = model
        self._loaded = loaded
        self._preset = preset
        self._specs = {**model.views, **(model.film_views if in_films else {})}[preset]
        self._thresholds = {kind: thresholds[kind] for kind in model.found_kinds if kind in thresholds}

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(self._thresholds)

    @property
    def thresholds(self) -> Mapping[Kind, float]:
        """The lowest score of each kind that it looks for."""
        return self._thresholds

    def for_films(self: _Same, threshold_share: float) -> _Same:
        """A detector for the frames of films, which also returns what has this share of the thresholds."""
        lower = {kind: threshold * threshold_share for kind, threshold in self._thresholds.items()}
        return type(self)(self._model, self._loaded, self._preset, lower, in_films=True)
