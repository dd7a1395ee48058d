"""Loads models: picks the loader for each format, and checks that every wanted kind is covered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import cast

from anonymizer.detect.catalogue import checksum, find_models
from anonymizer.detect.description import ModelDescription
from anonymizer.detect.detector import Detector
from anonymizer.detect.inference import LoadedModel
from anonymizer.detect.signature import SignatureDetector
from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.errors import ModelError
from anonymizer.kinds import DEFAULT_KINDS, KINDS, Kind
from anonymizer.settings import DetectSettings

# One loader per format: a module with load(description) -> LoadedModel, imported when first needed.
LOADERS = {
    "tflite": "anonymizer.detect.tflite",
    "saved_model": "anonymizer.detect.saved_model",
    "graph_def": "anonymizer.detect.graph_def",
}


def choose_models(settings: DetectSettings) -> list[ModelDescription]:
    """The models that are needed to look for the wanted kinds; nothing is loaded.

    Raises:
        ModelError: there is no model for a kind that the user asks for, or for none of the default kinds.
    """
    models = [model for model in find_models(settings.weights) if settings.preset in model.views]
    available = {kind for model in models for kind in model.found_kinds}
    place = "no bundled model" if settings.weights is None else f"no model in {settings.weights}"
    wanted = settings.kinds or [kind for kind in DEFAULT_KINDS if kind in available]
    if not wanted:
        raise ModelError(
            f"{place} finds {' or '.join(DEFAULT_KINDS)} with --preset {settings.preset}; name a folder with such a "
            "model by --weights, or what to look for by --kinds"
        )
    for kind in wanted:
        if kind not in available:
            raise ModelError(
                f"{place} finds the kind {kind!r}; name a folder with such a model by --weights, or leave the kind "
                f"out with --kinds {','.join(sorted(available))}"
            )
    return [model for model in models if set(wanted).intersection(model.found_kinds)]


def chosen_kinds(models: Sequence[ModelDescription], settings: DetectSettings) -> tuple[Kind, ...]:
    """The kinds that are looked for, in the order of `KINDS`."""
    found = {kind for model in models for kind in model.found_kinds}
    return tuple(kind for kind in KINDS if kind in found and kind in (settings.kinds or DEFAULT_KINDS))


def thresholds_of(model: ModelDescription, settings: DetectSettings) -> dict[Kind, float]:
    """The lowest score per wanted kind of a model: the user's, else the model's own."""
    return {kind: settings.threshold_of(kind) or model.threshold(kind) for kind in chosen_kinds([model], settings)}


def load_model(model: ModelDescription) -> LoadedModel:
    """
    Raises:
        ModelError: the model is missing, damaged or no detection model.
    """
    checksum(model)
    with suppress_native_stderr():
        load = import_module(LOADERS[model.format]).load
        return cast(LoadedModel, load(model))


@lru_cache(maxsize=4)
def load_detectors(settings: DetectSettings) -> tuple[Detector, ...]:
    """Detectors for all wanted kinds; kept for the next call with the same settings.

    Raises:
        ModelError: a model is missing, damaged or no detection model.
    """
    return tuple(
        SignatureDetector(model, load_model(model), settings.preset, thresholds_of(model, settings))
        for model in choose_models(settings)
    )
