"""Which object owns the pixels that objects share, and how the settings of a kind apply to its targets."""

import numpy as np
import pytest
from fakes import face, noise, plate
from redact.strategies import redacted

from anonymizer.geometry import Box
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection


def test_of_overlapping_objects_the_largest_has_the_pixels() -> None:
    """The small one would show more of the place that they share."""
    pixels = noise(80, 80)
    large, small = face(10, 10, 70, 70), face(30, 30, 40, 40)
    both, alone = redacted(pixels, [small, large], RedactSettings()), redacted(pixels, [large], RedactSettings())
    assert (both == alone).all()


@pytest.mark.parametrize("face_method", ["gaussian", "mosaic"])
def test_of_overlapping_objects_the_stricter_method_has_the_pixels(face_method: str) -> None:
    pixels = noise(80, 80)
    settings = RedactSettings(face_method=face_method, plate_method="solid", feather=0)
    result = redacted(pixels, [face(10, 10, 70, 70), plate(30, 30, 50, 40)], settings)
    assert (result[30:40, 30:50] == 0).all()


def test_the_extent_of_a_detection_is_hidden() -> None:
    pixels = noise(80, 80)
    wide = Detection(Box(30, 30, 40, 40), 0.9, "face", extent=Box(20, 20, 60, 60))
    expected = redacted(pixels, [face(20, 20, 60, 60)], RedactSettings())
    assert (redacted(pixels, [wide], RedactSettings()) == expected).all()


def test_kinds_have_their_own_margins_shapes_and_methods() -> None:
    pixels = noise(60, 60)
    settings = RedactSettings(
        face_margin=0.5, plate_margin=0.0, feather=0.0, face_method="solid", plate_method="gaussian", color="#0a141e"
    )
    as_face = redacted(pixels, [face(20, 20, 40, 40)], settings)
    as_plate = redacted(pixels, [plate(20, 20, 40, 40)], settings)
    changed = (as_face != pixels).any(axis=2)
    assert changed[30, 6:54].all()
    assert not changed[6:10, 6:10].any()
    assert (as_face[30, 30] == (10, 20, 30)).all()
    assert np.ptp(as_plate[20:40, 20:40].astype(int)) < 60
    assert ((as_plate != pixels).any(axis=2) == (np.pad(np.ones((20, 20), bool), 20))).mean() > 0.99


def test_a_kind_with_the_method_none_stays_as_it_is() -> None:
    pixels = noise(60, 60)
    settings = RedactSettings(face_method="none")
    both = redacted(pixels, [face(5, 5, 25, 25), plate(30, 30, 50, 40)], settings)
    assert (both == redacted(pixels, [plate(30, 30, 50, 40)], settings)).all()
    assert (both[:25] == pixels[:25]).all()
