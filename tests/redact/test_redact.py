"""What holds for every method. `test_methods.py` proves that none lets more through than it says."""

import numpy as np
import pytest
from fakes import face, noise, noise16, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box
from anonymizer.pipeline import redact_detections
from anonymizer.redact.warnings import redaction_warnings
from anonymizer.settings import METHODS, Kernel, RedactSettings, Settings
from anonymizer.types import Detection

SETTINGS = [
    *(RedactSettings(method=method) for method in METHODS if method != "none"),
    RedactSettings(obfuscation_kernel=Kernel(21, 2, 9)),
]
IDS = [*(settings.method for settings in SETTINGS[:-1]), "kernel"]
CLASSIC = SETTINGS[-1]


def redact(pixels, found, settings):
    return redact_detections(pixels, found, Settings(redact=settings))[0]


def mask_of(pixels, found, settings):
    return redact_detections(pixels, found, Settings(redact=settings))[1]


@st.composite
def detections(draw):
    x_min, y_min = draw(st.floats(0, 39)), draw(st.floats(0, 29))
    box = Box(x_min, y_min, draw(st.floats(x_min, 40)), draw(st.floats(y_min, 30)))
    return Detection(box, 0.5, draw(st.sampled_from(["face", "plate"])))


@given(found=st.lists(detections(), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_the_output_never_depends_on_the_order(found, seed):
    pixels = noise(30, 40, seed=seed)
    for settings in SETTINGS:
        assert (redact(pixels, found, settings) == redact(pixels, found[::-1], settings)).all()


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
def test_16_bits_look_like_8(settings):
    pixels = noise(60, 60)
    found = [face(10, 10, 40, 40)]
    as_8, as_16 = redact(pixels, found, settings), redact(pixels.astype(np.uint16) * 257, found, settings)
    assert np.abs(as_16 / 257 - as_8).max() <= 1.5


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
def test_source_is_not_changed(settings):
    pixels = noise(30, 40)
    before = pixels.copy()
    redact(pixels, [face(5, 5, 20, 20)], settings)
    assert (pixels == before).all()


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
@pytest.mark.parametrize("box", [(0, 0, 40, 30), (39, 29, 40, 30), (0, 0, 0.5, 0.5), (10, 10, 10, 10), (35, 0, 40, 30)])
def test_boxes_at_the_limits(settings, box):
    pixels = noise(30, 40)
    found = [face(*box)]
    result = redact(pixels, found, settings)
    if box[2] - box[0] > 2:
        hidden = mask_of(pixels, found, settings) == 1
        assert (result[hidden] != pixels[hidden]).mean() > 0.9


@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_the_edge_is_soft(shape):
    """Outside what is hidden, what is left of the source grows from pixel to pixel."""
    pixels = np.full((100, 100, 3), 255, np.uint8)
    settings = RedactSettings(method="solid", color="black", shape=shape, feather=0.25)
    row = redact(pixels, [face(20, 40, 60, 60)], settings)[50, :, 0].astype(int)
    edge = row[60:][(row[60:] > 0) & (row[60:] < 255)]
    assert len(edge) == 10
    assert (np.diff(edge) > 0).all()
    assert (row[20:60] == 0).all()


def test_without_feather_the_edge_is_hard():
    pixels = np.full((100, 100, 3), 255, np.uint8)
    result = redact(pixels, [face(20, 40, 60, 60)], RedactSettings(method="solid", feather=0))
    assert set(np.unique(result)) == {0, 255}


def test_of_overlapping_objects_the_largest_has_the_pixels():
    """The small one would show more of the place that they share."""
    pixels = noise(80, 80)
    large, small = face(10, 10, 70, 70), face(30, 30, 40, 40)
    both, alone = redact(pixels, [small, large], RedactSettings()), redact(pixels, [large], RedactSettings())
    assert (both == alone).all()


@pytest.mark.parametrize("face_method", ["gaussian", "mosaic"])
def test_of_overlapping_objects_the_stricter_method_has_the_pixels(face_method):
    pixels = noise(80, 80)
    settings = RedactSettings(face_method=face_method, plate_method="solid", feather=0)
    result = redact(pixels, [face(10, 10, 70, 70), plate(30, 30, 50, 40)], settings)
    assert (result[30:40, 30:50] == 0).all()


def test_the_extent_of_a_detection_is_hidden():
    pixels = noise(80, 80)
    wide = Detection(Box(30, 30, 40, 40), 0.9, "face", extent=Box(20, 20, 60, 60))
    expected = redact(pixels, [face(20, 20, 60, 60)], RedactSettings())
    assert (redact(pixels, [wide], RedactSettings()) == expected).all()


def test_kinds_have_their_own_margins_shapes_and_methods():
    pixels = noise(60, 60)
    settings = RedactSettings(
        face_margin=0.5, plate_margin=0.0, feather=0.0, face_method="solid", plate_method="gaussian", color="#0a141e"
    )
    as_face = redact(pixels, [face(20, 20, 40, 40)], settings)
    as_plate = redact(pixels, [plate(20, 20, 40, 40)], settings)
    changed = (as_face != pixels).any(axis=2)
    assert changed[30, 6:54].all()
    assert not changed[6:10, 6:10].any()
    assert (as_face[30, 30] == (10, 20, 30)).all()
    assert np.ptp(as_plate[20:40, 20:40].astype(int)) < 60
    assert ((as_plate != pixels).any(axis=2) == (np.pad(np.ones((20, 20), bool), 20))).mean() > 0.99


def test_a_kind_with_the_method_none_stays_as_it_is():
    pixels = noise(60, 60)
    settings = RedactSettings(face_method="none")
    both = redact(pixels, [face(5, 5, 25, 25), plate(30, 30, 50, 40)], settings)
    assert (both == redact(pixels, [plate(30, 30, 50, 40)], settings)).all()
    assert (both[:25] == pixels[:25]).all()


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
def test_thousands_of_boxes(settings):
    pixels = noise(300, 300)
    found = [face(x, y, x + 8, y + 8) for x in range(0, 290, 6) for y in range(0, 290, 12)]
    assert len(found) > 1000
    assert redact(pixels, found, settings).shape == pixels.shape


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
@pytest.mark.parametrize("make", [noise, noise16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_box_as_large_as_the_picture_leaves_nothing(settings, make, channels):
    one, other = make(30, 40, channels, 1), make(30, 40, channels, 2)
    found = [face(0, 0, 40, 30)]
    assert (mask_of(one, found, settings) == 1).all()
    if settings.method in ("solid", "image", "inpaint"):
        assert (redact(one, found, settings) == redact(other, found, settings)).all()
    assert (redact(one, found, settings) != one).mean() > 0.9


def test_a_weak_kernel_is_told():
    (warning,) = redaction_warnings([face(0, 0, 300, 300), face(0, 0, 10, 10)], CLASSIC)
    assert "21,2,9 is too weak for 1 of 2 objects" in warning
    assert "300 px" in warning
    assert redaction_warnings([face(0, 0, 10, 10)], CLASSIC) == []
    assert redaction_warnings([face(0, 0, 300, 300)], RedactSettings()) == []


def test_a_kernel_is_not_told_to_be_weak_where_another_method_is_used():
    settings = RedactSettings(obfuscation_kernel=Kernel(21, 2, 9), face_method="solid")
    assert redaction_warnings([face(0, 0, 300, 300)], settings) == []


def test_many_cells_are_told():
    (warning,) = redaction_warnings(
        [face(0, 0, 300, 300), plate(0, 0, 30, 30)], RedactSettings(method="mosaic", cells=16)
    )
    assert "faces that 16 cells may leave recognisable: 1" in warning


def test_what_stays_visible_is_told():
    settings = RedactSettings(plate_method="none")
    (warning,) = redaction_warnings([face(0, 0, 30, 30), plate(0, 0, 30, 30)], settings)
    assert warning == "plate objects that stay visible, since their method is none: 1"
