from pathlib import Path

import cv2
import numpy as np
import pytest
from recognise.faces import astronaut, reader

from anonymizer.audit.recognisers import FACENET_SIDE_PX, FaceNet, SFace
from anonymizer.errors import ModelError
from anonymizer.recognise.align import align


def test_faces_become_vectors_of_length_one() -> None:
    faces = [np.full((112, 112, 3), level, np.uint8) for level in (20, 200)]
    vectors = SFace().vectors_of(faces)
    assert vectors.shape == (2, 128)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_a_face_is_recognised_in_another_light() -> None:
    picture = astronaut()
    (face,) = reader()._landmarks.find_all(picture, 1.0)
    bright = align(picture, face.landmarks)
    dark = (bright * 0.6).astype(np.uint8)
    other = cv2.flip(np.random.default_rng(0).integers(0, 255, bright.shape, np.uint8), 0).astype(np.uint8)
    one, same, stranger = SFace().vectors_of([bright, dark, other])
    assert one @ same > 0.8 > 0.3 > one @ stranger


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_facenet_is_read_from_a_keras_file(tmp_path: Path) -> None:
    import keras

    inputs = keras.layers.Input((FACENET_SIDE_PX, FACENET_SIDE_PX, 3))
    outputs = keras.layers.Dense(8)(keras.layers.GlobalAveragePooling2D()(inputs))
    keras.Model([inputs], outputs).save(tmp_path / "net.h5")
    faces = [np.random.default_rng(seed).integers(0, 255, (112, 112, 3), np.uint8) for seed in range(3)]
    vectors = FaceNet(tmp_path / "net.h5").vectors_of(faces)
    assert vectors.shape == (3, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"net\.h5"):
        FaceNet(tmp_path / "net.h5")
