"""Keeps loaded models, so that other settings do not load them again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from anonymizer.detect.catalogue import checksum
from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import LoadedModel


class ModelCache:
    """The models that were used last, by path and SHA-256. Several threads may use one cache.

    A model is loaded once even if several threads ask for it at the same time: one loads it while the others wait.
    A file that has changed is loaded again. Failed loads are not kept.
    """

    def __init__(self, load: Callable[[ModelDescription], LoadedModel], max_models: int) -> None:
        """
        Args:
            load: loads a model whose checksum is right.
            max_models: beyond this number, the model that was used longest ago is dropped.
        """
        self._load = load
        self._max_models = max_models
        self._models: OrderedDict[Hashable, LoadedModel] = OrderedDict()
        self._lock = Lock()

    def get(self, model: ModelDescription) -> LoadedModel:
        """
        Raises:
            ModelError: the model is missing, damaged or not a detection model.
        """
        # Whatever the loaders read of a description belongs to the key.
        outputs = (model.regions is None, *sorted(model.outputs.items()))
        key = (model.path.absolute(), checksum(model), model.format, outputs)
        with self._lock:
            if key not in self._models:
                self._models[key] = self._load(model)
            self._models.move_to_end(key)
            while len(self._models) > self._max_models:
                self._models.popitem(last=False)
            return self._models[key]

    def clear(self) -> None:
        with self._lock:
            self._models.clear()
