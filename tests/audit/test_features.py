from pathlib import Path

import numpy as np
import pytest
from recognise.faces import astronaut, senator

from anonymizer.audit.crops import cut
from anonymizer.audit.features import build_features, resembling
from anonymizer.errors import ModelError
from anonymizer.recognise.align import TEMPLATE
from anonymizer.recognise.models import describe_recogniser
from anonymizer.recognise.recogniser import Recogniser

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
"""Keras converts its variables in a way that NumPy 2 warns of."""


@pytest.mark.slow
def test_the_vectors_are_those_of_the_recogniser_and_unlike_faces_cost() -> None:
    path = describe_recogniser().path
    faces = np.array([cut(picture, TEMPLATE) for picture in (astronaut(), senator())])
    features = build_features(path)
    shown = faces.astype(np.float32) / 255
    both = np.asarray(features(shown)) + np.asarray(features(shown[:, :, ::-1]))
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    expected = np.array([Recogniser(path).vector_of(face) for face in faces])
    assert (both * expected).sum(axis=1).min() > 0.99

    loss = resembling(features, 1.0)
    assert float(loss(shown, shown)) == pytest.approx(0, abs=1e-3)
    first, second = np.asarray(features(shown))
    unlike = float(loss(shown, shown[::-1])) - float(np.abs(shown - shown[::-1]).mean())
    assert unlike == pytest.approx(1 - float(first @ second), abs=1e-3)


def test_a_file_that_is_another_network_is_named(tmp_path: Path) -> None:
    (tmp_path / "sface.tflite").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"sface.tflite is missing, damaged, or another"):
        build_features(tmp_path / "sface.tflite")
