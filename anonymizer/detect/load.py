"""Loads models by the loader for their format, and makes detectors on them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import cast

from anonymizer.detect.catalogue import find_models
from anonymizer.detect.description import ModelDescription
from anonymizer.detect.detector import Detector
from anonymizer.detect.inference import LoadedModel
from anonymizer.detect.model_cache import ModelCache
from anonymizer.detect.regions import RegionDetector
from anonymizer.detect.signature import SignatureDetector
from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.errors import ModelError, SettingsError
from anonymizer.kinds import KINDS, MODEL_KINDS, Kind, default_kinds
from anonymizer.settings import DetectSettings

logger = logging.getLogger(__name__)

MAX_MODELS = 8
"""This many models are kept in memory, those that were used last."""

# One loader per format: a module with load(description) -> LoadedModel, imported when it is first needed.
LOADERS = {
    "tflite": "anonymizer.detect.tflite",
    "saved_model": "anonymizer.detect.saved_model",
    "graph_def": "anonymizer.detect.graph_def",
}

# Detectors without a network: a module with to_detector(description, preset, thresholds) -> Detector and runtime(),
# imported when it is first needed.
DETECTORS = {"codes": "anonymizer.detect.codes"}


def choose_models(settings: DetectSettings) -> list[ModelDescription]:
    """The models that are needed to look for the wanted kinds, if any; nothing is loaded.

    Raises:
        ModelError: there is no model for a kind that the user asks for, or for none of the default kinds.
        SettingsError: the user asks for kinds that no model looks for, and neither for others nor for zones.
    """
    models = _models_of(settings)
    available = set(available_kinds(settings))
    place = "no bundled model" if settings.weights is None else f"no model in {settings.weights}"
    by_default = default_kinds(settings.preset)
    named = settings.kinds or [kind for kind in by_default if kind in available]
    wanted = [kind for kind in named if kind in MODEL_KINDS]
    if named and not wanted and settings.given_kinds:
        return []
    if named and not wanted:
        others = " or ".join(MODEL_KINDS)
        raise SettingsError(f"--kinds {','.join(named)}: no model looks for that; add {others}, or --redact-zone")
    if not wanted:
        raise ModelError(
            f"{place} finds {' or '.join(by_default)} with --preset {settings.preset}; name a folder with such a "
            "model by --weights, or what to look for by --kinds"
        )
    for kind in wanted:
        if kind not in available:
            raise ModelError(
                f"{place} finds the kind {kind!r}; name a folder with such a model by --weights, or leave the kind "
                f"out with --kinds {','.join(sorted(available))}"
            )
    return [model for model in models if set(wanted).intersection(model.found_kinds)]


def _models_of(settings: DetectSettings) -> list[ModelDescription]:
    """Those that look for anything with this preset."""
    return [model for model in find_models(settings.weights) if settings.preset in model.views]


def available_kinds(settings: DetectSettings) -> tuple[Kind, ...]:
    """The kinds that models could look for, in the order of `KINDS`, whichever are wanted.

    Raises:
        ModelError: a description is wrong.
    """
    found = {kind for model in _models_of(settings) for kind in model.found_kinds}
    return tuple(kind for kind in KINDS if kind in found)


def lowest_thresholds(settings: DetectSettings) -> dict[Kind, float]:
    """The score from which on each kind counts that models could look for; the lowest, where several do.

    Raises:
        ModelError: a description is wrong.
    """
    every = replace(settings, kinds=available_kinds(settings))
    pairs = [pair for model in _models_of(settings) for pair in thresholds_of(model, every).items()]
    return {kind: min(value for other, value in pairs if other == kind) for kind in every.kinds or ()}


def chosen_kinds(models: Sequence[ModelDescription], settings: DetectSettings) -> tuple[Kind, ...]:
    """The kinds that are looked for, in the order of `KINDS`."""
    found = {kind for model in models for kind in model.found_kinds}
    return tuple(kind for kind in KINDS if kind in found and kind in (settings.kinds or default_kinds(settings.preset)))


def thresholds_of(model: ModelDescription, settings: DetectSettings) -> dict[Kind, float]:
    """The score threshold per wanted kind of a model: the user's, else the model's own."""
    return {kind: settings.threshold_of(kind) or model.threshold(kind) for kind in chosen_kinds([model], settings)}


def load_model(model: ModelDescription) -> LoadedModel:
    """A model that is ready to be called. It is kept: the next call only computes the checksum of its file.

    Raises:
        ModelError: the model is missing, damaged or not a detection model.
    """
    return _cache.get(model)


def try_model(model: ModelDescription) -> str:
    """Loads a model, or what a detector without a network needs; returns what runs it, with the version.

    Raises:
        ModelError: it is missing, damaged or not a detection model.
    """
    if model.format in DETECTORS:
        return cast(str, import_module(DETECTORS[model.format]).runtime())
    return load_model(model).runtime


def forget_models() -> None:
    """Empties the cache of loaded models."""
    _cache.clear()


def _load(model: ModelDescription) -> LoadedModel:
    start_s = time.perf_counter()
    with suppress_native_stderr():
        loaded = cast(LoadedModel, import_module(LOADERS[model.format]).load(model))
    taken_s = time.perf_counter() - start_s
    logger.debug("loaded model %s from %s with %s in %.2f s", model.name, model.path, loaded.runtime, taken_s)
    return loaded


_cache = ModelCache(_load, MAX_MODELS)


def load_detectors(settings: DetectSettings) -> tuple[Detector, ...]:
    """Detectors for all wanted kinds. They are made anew for each call, which is cheap; the models are kept.

    Several threads may call this function, and one detector; a TFLite model serves one thread at a time.

    Raises:
        ModelError: a model is missing, damaged or not a detection model.
    """
    return tuple(_detector(model, settings) for model in choose_models(settings))


def _detector(model: ModelDescription, settings: DetectSettings) -> Detector:
    if model.format in DETECTORS:
        module = import_module(DETECTORS[model.format])
        return cast(Detector, module.to_detector(model, settings.preset, thresholds_of(model, settings)))
    made_by = SignatureDetector if model.regions is None else RegionDetector
    return made_by(model, load_model(model), settings.preset, thresholds_of(model, settings))
