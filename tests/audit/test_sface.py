import numpy as np
import pytest

from anonymizer.recognise.align import SIDE
from anonymizer.recognise.models import describe_recogniser

pytestmark = [
    pytest.mark.slow,  # it imports TensorFlow
    # Keras converts its variables in a way that NumPy 2 warns of.
    pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning"),
]


def test_levels_of_either_range_give_the_same_vectors() -> None:
    """The recipe shows 0 to 255, the audit 0 to 1."""
    import keras

    from anonymizer.audit.features import build_features
    from anonymizer.audit.sface import LENGTH, vectors_of

    faces = keras.Input((SIDE, SIDE, 3))
    bytes_in, shares_in = (keras.Model(faces, vectors_of(faces, brightest)) for brightest in (255.0, 1.0))
    numbers = build_features(describe_recogniser().path).get_weights()
    for network in (bytes_in, shares_in):
        network.set_weights(numbers)
    shown = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.float32)
    first, second = np.asarray(bytes_in(shown)), np.asarray(shares_in(shown / 255))
    assert first.shape == (2, LENGTH)
    assert np.linalg.norm(first, axis=1) == pytest.approx(1, abs=1e-3)
    assert first == pytest.approx(second, abs=1e-3)
