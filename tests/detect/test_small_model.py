from pathlib import Path

import numpy as np
import pytest

from anonymizer.detect.catalogue import BUNDLED
from anonymizer.detect.small_model import SmallModel
from anonymizer.errors import ModelError


def test_sizes_may_change_from_call_to_call() -> None:
    model = SmallModel(BUNDLED / "text" / "reader.tflite")
    lines = [np.full((48, width, 3), 128, np.uint8) for width in (160, 320, 160)]
    short, long, again = (model(line) for line in lines)
    assert short.shape[1] == long.shape[1] == model.answer_length
    assert long.shape[0] > short.shape[0]
    assert np.array_equal(short, again)


def test_it_says_what_it_takes() -> None:
    model = SmallModel(BUNDLED / "silhouette" / "silhouette.tflite")
    height, width, channels = model.taken_shape
    assert model(np.zeros((height, width, channels), model.taken_dtype)).size == height * width


def test_damage_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"small\.tflite is missing, damaged, or no TFLite model"):
        SmallModel(tmp_path / "small.tflite")
    (tmp_path / "small.tflite").write_bytes(b"no model")
    with pytest.raises(ModelError, match="is missing, damaged, or no TFLite model"):
        SmallModel(tmp_path / "small.tflite")
