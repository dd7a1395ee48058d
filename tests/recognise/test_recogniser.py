from pathlib import Path

import numpy as np
import pytest
from recognise.faces import astronaut, reader

from anonymizer.errors import ModelError
from anonymizer.geometry import Box
from anonymizer.recognise.recogniser import Recogniser
from anonymizer.types import Pixels8

FACE = Box(y_min=53, x_min=175, y_max=181, x_max=275)
LEAST_SAME = 0.7


def vector_in(rgb: Pixels8) -> np.ndarray:
    vector = reader().read(rgb, FACE).vector
    assert vector is not None
    return vector


def test_vectors_have_length_one() -> None:
    assert abs(float(np.linalg.norm(vector_in(astronaut()))) - 1) < 1e-5


def test_a_darker_noisier_mirrored_face_stays_the_same_person() -> None:
    noise = np.random.default_rng(0).normal(0, 6, (512, 512, 3))
    changed = (astronaut() * 0.7 + noise).clip(0, 255).astype(np.uint8)
    mirrored = np.ascontiguousarray(astronaut()[:, ::-1])
    other = reader().read(mirrored, Box(y_min=53, x_min=512 - 275, y_max=181, x_max=512 - 175)).vector
    assert other is not None
    assert vector_in(astronaut()) @ vector_in(changed) > LEAST_SAME
    assert vector_in(astronaut()) @ other > LEAST_SAME


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"model\.tflite is missing, damaged, or no TFLite model"):
        Recogniser(path)
