"""A few hundred of the files of the benchmark; the command itself runs thousands."""

import numpy as np
import pytest

from anonymizer.formats import Format
from benchmarks import hidden_pictures


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "JPEG2000"])
def test_hidden_pictures_do_not_survive(file_format: Format) -> None:
    random = np.random.default_rng(4)
    for _ in range(40):
        hidden = hidden_pictures.hide(random, [file_format])
        outcome = hidden_pictures.outcome(hidden, change=bool(random.integers(2)))
        told = (hidden.place, hidden.encoding, len(hidden.pieces))
        assert outcome.survivor is None, told
        assert outcome.is_found, told


def test_the_benchmark_sees_what_survives() -> None:
    random = np.random.default_rng(0)
    hidden = hidden_pictures.hide(random, ["GIF"])
    assert hidden_pictures.survivor(hidden, b"before" + hidden.pieces[0] + b"behind", change=False)
    assert hidden_pictures.survivor(hidden, b"nothing", change=False) is None
