from pathlib import Path

import numpy as np
import pytest

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import LoadedModel
from anonymizer.detect.model_cache import ModelCache
from anonymizer.errors import ModelError


def described(path: Path) -> ModelDescription:
    path.write_text(path.name)
    return ModelDescription(path.name, path.parent, path, "tflite", {}, "face")


class Loader:
    """Makes models that cannot be called, and notes which."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, model: ModelDescription) -> LoadedModel:
        self.names.append(model.name)
        return LoadedModel(lambda tensor: {}, np.dtype(np.uint8), None, None, "none")


def test_the_models_that_were_used_last_are_kept(tmp_path: Path) -> None:
    a, b, c = (described(tmp_path / name) for name in "abc")
    load = Loader()
    cache = ModelCache(load, max_models=2)
    first = cache.get(a)
    cache.get(b)
    assert cache.get(a) is first
    cache.get(c)  # takes the place of b
    assert cache.get(a) is first
    cache.get(b)
    assert load.names == ["a", "b", "c", "b"]


def test_an_emptied_cache_loads_anew(tmp_path: Path) -> None:
    model, load = described(tmp_path / "a"), Loader()
    cache = ModelCache(load, max_models=2)
    cache.get(model)
    cache.clear()
    cache.get(model)
    assert load.names == ["a", "a"]


def test_a_file_that_is_gone_is_an_error_even_if_its_model_is_kept(tmp_path: Path) -> None:
    model = described(tmp_path / "a")
    cache = ModelCache(Loader(), max_models=2)
    cache.get(model)
    model.path.unlink()
    with pytest.raises(ModelError, match="No such file"):
        cache.get(model)
