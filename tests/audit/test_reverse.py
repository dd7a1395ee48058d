from pathlib import Path

import pytest
from audit import drawn

from anonymizer.audit.redactions import redaction
from anonymizer.audit.reverse import reverse, split
from anonymizer.audit.training import Training

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
"""Keras converts its variables in a way that NumPy 2 warns of."""


def test_people_are_held_out_as_a_whole() -> None:
    known, tested = split(drawn.faces(20, 3))
    assert {face.person for face in known}.isdisjoint(face.person for face in tested)
    assert (len(known), len(tested)) == (54, 6)


def test_pictures_are_held_out_where_there_are_few_people() -> None:
    known, tested = split(drawn.faces(1, 20))
    assert (len(known), len(tested)) == (18, 2)


def test_a_network_brings_hidden_drawings_nearer_to_the_originals(tmp_path: Path) -> None:
    """The smoke test of the audit: a few steps on drawn faces."""
    training = Training(side_px=32, epochs=4, seed=0, redaction="solid")
    result = reverse(drawn.faces(12, 8), redaction("solid"), tmp_path, training, copies=2)
    assert result.after.error < result.before.error
    assert result.smoothed.error <= result.before.error
    assert result.trained_on == 80
    (row, *_) = result.rows(4)
    assert [part.shape for part in row] == [(32, 32, 3)] * 4
    assert result.to_json()["held_out"] == 16
