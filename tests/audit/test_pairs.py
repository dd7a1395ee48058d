import numpy as np
from audit import drawn

from anonymizer.audit.pairs import as_they_are, varied
from anonymizer.audit.redactions import NAMED


def test_a_pair_is_a_redacted_face_and_its_original() -> None:
    pairs = as_they_are(drawn.faces(3, 1), NAMED["solid"], 32)
    assert pairs.redacted.shape == pairs.originals.shape == (3, 32, 32, 3)
    assert len(pairs) == 3
    assert (pairs.redacted[:, 16, 16] == 0).all()
    assert pairs.originals[:, 16, 16].max() > 0


def test_copies_differ_and_come_back_with_the_seed() -> None:
    faces = drawn.faces(2, 1)
    pairs = varied(faces, NAMED["pixelate-16"], 32, copies=3, seed=5)
    again = varied(faces, NAMED["pixelate-16"], 32, copies=3, seed=5)
    assert len(pairs) == 6
    np.testing.assert_array_equal(pairs.redacted, again.redacted)
    assert not np.array_equal(pairs.redacted[0], pairs.redacted[1])
    np.testing.assert_allclose(pairs.originals[0].mean(), pairs.originals[1].mean(), rtol=0.35)


def test_copies_show_the_face_at_its_place_in_either_part_of_a_pair() -> None:
    """Where pictures begin elsewhere, boxes and landmarks move along: what is hidden is the same part of the face."""
    face = drawn.face(1)
    (hidden,) = as_they_are([face], NAMED["solid"], 32).redacted
    for copy in varied([face], NAMED["solid"], 32, copies=8, seed=1).redacted:
        both = ((copy == 0).all(axis=2), (hidden == 0).all(axis=2))
        assert (both[0] == both[1]).mean() > 0.85


def test_some_copies_have_no_colours() -> None:
    originals = varied([drawn.face(1)], NAMED["none"], 32, copies=40, seed=0).originals.astype(int)
    gray = (originals.max(axis=3) - originals.min(axis=3)).max(axis=(1, 2)) <= 1
    assert 2 <= gray.sum() <= 16
