import numpy as np
import pytest

from anonymizer.audit.network import build_network


@pytest.mark.parametrize("side_px", [32, 64])
def test_an_untrained_network_changes_nothing(side_px: int) -> None:
    faces = np.random.default_rng(0).random((2, side_px, side_px, 3)).astype(np.float32)
    np.testing.assert_allclose(build_network(side_px).predict(faces, verbose=0), faces, atol=1e-6)
