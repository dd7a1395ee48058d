from __future__ import annotations

import numpy as np
import pytest
from fakes import face, noise
from redact.strategies import bare, redacted

from anonymizer.redact.drawings import DRAW, SIDE_PX
from anonymizer.settings import Drawing
from anonymizer.settings.values import DRAWINGS


def test_every_name_has_a_drawing() -> None:
    assert tuple(DRAW) == DRAWINGS


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_fills_most_of_its_square(name: Drawing) -> None:
    drawn = DRAW[name]()
    assert drawn.shape == (SIDE_PX, SIDE_PX, 4)
    assert drawn.dtype == np.uint8
    assert 0.4 < (drawn[:, :, 3] == 255).mean() < 0.9
    for axis in (0, 1):
        assert (drawn[:, :, 3] > 0).any(axis=axis).mean() > 0.68


def test_each_is_laid_over_the_object() -> None:
    results = [
        redacted(noise(40, 40), [face(10, 10, 30, 30)], bare("image", drawing=name)).tobytes() for name in DRAWINGS
    ]
    assert len(set(results)) == len(DRAWINGS)
