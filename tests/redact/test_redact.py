import numpy as np
import pytest
from fakes import face, noise, noise16, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.pipeline import redact_detections
from anonymizer.redact.mask import to_area
from anonymizer.redact.redact import weaknesses
from anonymizer.settings import Kernel, RedactSettings, Settings
from anonymizer.types import Box, Detection

SETTINGS = [RedactSettings(), RedactSettings(obfuscation_kernel=Kernel(21, 2, 9))]
IDS = ["auto", "kernel"]


def redact(pixels, found, settings):
    return redact_detections(pixels, found, Settings(redact=settings))[0]


@st.composite
def detections(draw):
    x_min, y_min = draw(st.floats(0, 39)), draw(st.floats(0, 29))
    box = Box(x_min, y_min, draw(st.floats(x_min, 40)), draw(st.floats(y_min, 30)))
    return Detection(box, 0.5, draw(st.sampled_from(["face", "plate"])))


def cores(found, settings, shape=(30, 40)):
    mask = np.zeros(shape, bool)
    for detection in found:
        margin = settings.face_margin if detection.kind == "face" else settings.plate_margin
        mask[to_area(detection.box, margin, shape).slices] = True
    return mask


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
@given(
    found=st.lists(detections(), max_size=6), channels=st.sampled_from([1, 3]), make=st.sampled_from([noise, noise16])
)
def test_equal_to_the_input_away_from_the_boxes(settings, found, channels, make):
    pixels = make(30, 40, channels)
    result = redact(pixels, found, settings)
    assert result.shape == pixels.shape
    assert result.dtype == pixels.dtype
    far = np.ones((30, 40), bool)
    for detection in found:
        edge = 10 + int(detection.box.longer_side * settings.feather)
        far[to_area(detection.box, 0.2, (30, 40)).grown(edge, (30, 40)).slices] = False
    assert (result[far] == pixels[far]).all()


@given(found=st.lists(detections(), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_the_output_never_depends_on_the_order(found, seed):
    pixels = noise(30, 40, seed=seed)
    sizes = [detection.box.longer_side for detection in found]
    if len(set(sizes)) == len(sizes):
        assert (redact(pixels, found, SETTINGS[0]) == redact(pixels, found[::-1], SETTINGS[0])).all()


@given(found=st.lists(detections(), min_size=1, max_size=5))
def test_nothing_fine_is_left_inside_the_boxes(found):
    """Noise in the cores is replaced by few, smooth colours: neighbours there hardly differ any more."""
    board = (np.indices((30, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = np.repeat(board[:, :, np.newaxis], 3, axis=2)
    settings = RedactSettings(face_margin=0.0, plate_margin=0.0)
    large = [detection for detection in found if min(detection.box.width, detection.box.height) >= 16]
    result = redact(pixels, large, settings).astype(int)
    inside = cores(large, settings)
    both = inside[:, 1:] & inside[:, :-1]
    assert np.abs(np.diff(result[:, :, 0], axis=1))[both].max(initial=0) < 100


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
        assert (result[cores(found, settings)] != pixels[cores(found, settings)]).mean() > 0.9


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
def test_the_edge_is_soft(settings):
    """Behind the box, what is left of the source grows from pixel to pixel."""
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[40:60, 20:60] = 255  # the box holds a bright object, whose blur spreads beyond it
    row = redact(pixels, [face(20, 40, 60, 60)], settings)[50, 68:, 0].astype(int)
    edge = row[row > 0]
    assert 2 <= len(edge) <= 10
    assert (np.diff(edge) <= 0).all()
    assert edge[-1] < edge[0]


def test_of_overlapping_objects_the_largest_counts():
    """The small one would show more of the place that they share."""
    pixels = noise(80, 80)
    large, small = face(10, 10, 70, 70), face(30, 30, 40, 40)
    settings = RedactSettings()
    both, alone = redact(pixels, [small, large], settings), redact(pixels, [large], settings)
    assert (both == alone).all()


def test_the_extent_of_a_detection_is_hidden():
    pixels = noise(80, 80)
    wide = Detection(Box(30, 30, 40, 40), 0.9, "face", extent=Box(20, 20, 60, 60))
    assert (redact(pixels, [wide], SETTINGS[0]) == redact(pixels, [face(20, 20, 60, 60)], SETTINGS[0])).all()


def test_kinds_have_their_own_margins():
    pixels = noise(60, 60)
    settings = RedactSettings(face_margin=0.5, plate_margin=0.0, feather=0.0)
    as_face = redact(pixels, [face(20, 20, 40, 40)], settings)
    as_plate = redact(pixels, [plate(20, 20, 40, 40)], settings)
    assert (as_face[10:12, 10:50] != pixels[10:12, 10:50]).mean() > 0.9
    assert (as_plate[10:20] == pixels[10:20]).all()


def test_thousands_of_boxes():
    pixels = noise(300, 300)
    found = [face(x, y, x + 8, y + 8) for x in range(0, 290, 4) for y in range(0, 290, 10)]
    assert len(found) > 2000
    assert redact(pixels, found, SETTINGS[0]).shape == pixels.shape


def test_a_weak_kernel_is_told():
    (warning,) = weaknesses([face(0, 0, 300, 300), face(0, 0, 10, 10)], SETTINGS[1])
    assert "21,2,9 is too weak for 1 of 2 objects" in warning
    assert "300 px" in warning
    assert weaknesses([face(0, 0, 10, 10)], SETTINGS[1]) == []
    assert weaknesses([face(0, 0, 300, 300)], SETTINGS[0]) == []
