"""No method lets more through than it says: the proof, for every method, shape and depth.

Whatever is hidden may be exchanged for anything else that has the same cells (gaussian, mosaic), or for anything at
all (solid, image, inpaint), and the output stays the same to the last bit.
"""

from itertools import pairwise, product, starmap

import numpy as np
import pytest
from fakes import noise, noise16, scene_of
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.geometry import Box
from anonymizer.pipeline import redact_detections
from anonymizer.redact.cells import LEVELS, cell_edges, reduce_to_cells
from anonymizer.redact.methods import METHODS, leaked_values
from anonymizer.redact.scene import RedactionStyle
from anonymizer.redact.targets import to_style
from anonymizer.settings import METHODS as NAMES
from anonymizer.settings import RedactSettings, Settings
from anonymizer.types import Detection

SIZE = (36, 48)
WITH_CELLS = ["gaussian", "mosaic"]
READ_NOTHING = ["solid", "image", "inpaint"]

shapes = st.sampled_from(["ellipse", "box"])
margins = st.sampled_from([0.0, 0.2, 1.0])


@st.composite
def detections(draw):
    """A face or a plate that touches the picture, and may leave it."""
    height, width = SIZE
    x_min, y_min = draw(st.floats(-10, width - 1)), draw(st.floats(-10, height - 1))
    x_max, y_max = draw(st.floats(max(x_min, 0), width + 10)), draw(st.floats(max(y_min, 0), height + 10))
    return Detection(Box(x_min, y_min, x_max, y_max), 0.5, draw(st.sampled_from(["face", "plate"])))


@st.composite
def cases(draw, face_methods, plate_methods):
    """Pixels of some depth, detections, and settings."""
    make, channels = draw(st.sampled_from([noise, noise16])), draw(st.sampled_from([1, 3]))
    pixels = make(*SIZE, channels, draw(st.integers(0, 99)))
    settings = RedactSettings(
        face_method=draw(st.sampled_from(face_methods)),
        plate_method=draw(st.sampled_from(plate_methods)),
        cells=draw(st.sampled_from([1, 2, 4, 16])),
        color=draw(st.sampled_from(["black", "#4080c0", "mean"])),
        face_shape=draw(shapes),
        plate_shape=draw(shapes),
        face_margin=draw(margins),
        plate_margin=draw(margins),
        feather=draw(st.sampled_from([0.0, 0.1, 1.0])),
    )
    return pixels, draw(st.lists(detections(), min_size=1, max_size=6)), settings


def redact(pixels, found, settings):
    return redact_detections(pixels, found, Settings(redact=settings))


def exchanged(pixels, found, settings, seed):
    """The picture with everything hidden in it exchanged, as far as the methods say that it does not matter."""
    scene, targets = scene_of(pixels, found, settings)
    random, other = np.random.default_rng(seed), pixels.copy()
    for target in targets:
        own = (scene.mask == 1) & (scene.owners == target.number)
        if target.style.method in READ_NOTHING:
            other[own] = random.integers(0, np.iinfo(pixels.dtype).max + 1, other[own].shape)
        elif target.style.method in WITH_CELLS:
            y, x = (edges[0].tolist() for edges in cell_edges([target]))
            for rows, columns in product(starmap(slice, pairwise(y)), starmap(slice, pairwise(x))):
                mine = own[rows, columns]
                other[rows, columns][mine] = random.permutation(other[rows, columns][mine])
    return other


def test_the_table_holds_what_a_user_can_ask_for():
    assert set(METHODS) == {*NAMES, "kernel"}
    assert [name for name, method in METHODS.items() if method.paint is None] == ["none"]


@given(cases(NAMES, NAMES))
def test_nothing_changes_where_the_mask_is_0_and_the_mask_is_1_on_every_box(case):
    pixels, found, settings = case
    before = pixels.copy()
    result, mask = redact(pixels, found, settings)
    assert (pixels == before).all()
    assert result.shape == pixels.shape
    assert result.dtype == pixels.dtype
    assert (result[mask == 0] == pixels[mask == 0]).all()
    for detection in found:
        box = detection.box
        if settings.method_of(detection.kind) != "none" and box.x_max > 0 and box.y_max > 0:
            rows = slice(max(0, int(np.floor(box.y_min))), int(np.ceil(box.y_max)))
            columns = slice(max(0, int(np.floor(box.x_min))), int(np.ceil(box.x_max)))
            assert (mask[rows, columns] == 1).all()


@pytest.mark.parametrize("face_method", [*WITH_CELLS, *READ_NOTHING])
@pytest.mark.parametrize("plate_method", [*WITH_CELLS, *READ_NOTHING])
@given(data=st.data(), seed=st.integers(0, 99))
def test_what_is_hidden_has_no_say_beyond_its_cells(face_method, plate_method, data, seed):
    pixels, found, settings = data.draw(cases([face_method], [plate_method]))
    other = exchanged(pixels, found, settings, seed)
    result, mask = redact(pixels, found, settings)
    again, _ = redact(other, found, settings)
    assert (other[mask < 1] == pixels[mask < 1]).all()
    assert (result == again).all()


@given(data=st.data(), method=st.sampled_from([*READ_NOTHING, *WITH_CELLS]), seed=st.integers(0, 99))
def test_not_even_a_cosmetic_blur_brings_back_what_another_method_hides(data, method, seed):
    pixels, found, settings = data.draw(cases(["gaussian"], [method]))
    mixed = RedactSettings(
        plate_method=method if method in READ_NOTHING else "solid", obfuscation_kernel="9,2,5", feather=settings.feather
    )
    other = exchanged(pixels, found, mixed, seed)
    assert (redact(pixels, found, mixed)[0] == redact(other, found, mixed)[0]).all()


@given(case=cases(WITH_CELLS, WITH_CELLS))
def test_cells_are_no_more_than_documented_and_have_few_values(case):
    pixels, found, settings = case
    scene, targets = scene_of(pixels, found, settings)
    values = np.linspace(0, np.iinfo(pixels.dtype).max, LEVELS)
    for target in targets:
        cells = reduce_to_cells(scene, [target]).cells[0]
        assert cells.shape[0] * cells.shape[1] <= leaked_values(target.style) <= settings.cells**2
        assert np.isin(cells, values).all()


@pytest.mark.parametrize(
    ("settings", "of_face", "of_plate"),
    [
        (RedactSettings(), 1, 1),
        (RedactSettings(method="mosaic", cells=2), 4, 1),
        (RedactSettings(method="solid"), 0, 0),
        (RedactSettings(method="solid", color="mean"), 0, 0),
        (RedactSettings(method="image"), 0, 0),
        (RedactSettings(method="inpaint"), 0, 0),
        (RedactSettings(obfuscation_kernel="21,2,9"), float("inf"), float("inf")),
    ],
)
def test_documented_bounds(settings, of_face, of_plate):
    assert leaked_values(to_style("face", settings)) == of_face
    assert leaked_values(to_style("plate", settings)) == of_plate


def style(method, **options):
    return RedactSettings(method=method, shape="box", face_margin=0.0, feather=0.0, **options)


FACE = Detection(Box(10, 10, 30, 30), 0.9, "face")


def test_inpaint_in_thin_pictures_takes_the_color_around():
    """OpenCV's result would not be the same each time."""
    pixels = np.full((3, 300, 3), (10, 200, 90), np.uint8)
    pixels[:, 105:135] = noise(3, 30)
    result = redact(pixels, [Detection(Box(100, 0, 140, 3), 0.9, "face")], RedactSettings(method="inpaint"))[0]
    assert (result == (10, 200, 90)).all()


def test_solid_paints_the_color():
    pixels = noise(40, 40)
    assert (redact(pixels, [FACE], style("solid", color="#102030"))[0][10:30, 10:30] == (16, 32, 48)).all()
    gray = redact(pixels[:, :, :1], [FACE], style("solid", color="#646464"))[0]
    assert (gray[10:30, 10:30] == 100).all()
    deep = redact(noise16(40, 40), [FACE], style("solid", color="#102030"))[0]
    assert (deep[10:30, 10:30] == (16 * 257, 32 * 257, 48 * 257)).all()


def test_mean_is_the_color_around_the_object():
    pixels = noise(40, 40)
    pixels[2:38, 2:38] = (10, 200, 90)
    assert (redact(pixels, [FACE], style("solid", color="mean"))[0][10:30, 10:30] == (10, 200, 90)).all()


def test_inpaint_continues_what_is_around():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, 20:] = 200
    filled = redact(pixels, [FACE], style("inpaint"))[0].astype(int)
    assert filled[12:28, 11].max() < 60
    assert filled[12:28, 28].min() > 140


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(1, 40), (40, 1)])
def test_inpaint_in_a_single_row_or_column(shape):
    pixels = np.full((*shape, 3), 250, np.uint8)
    box = Box(10, 0, 20, 1) if shape[0] == 1 else Box(0, 10, 1, 20)
    assert redact(pixels, [Detection(box, 0.9, "face")], style("inpaint"))[0].min() > 200


@pytest.mark.parametrize("scale", [1, 6])
def test_inpaint_fills_an_even_ground_evenly(scale):
    pixels = np.full((40 * scale, 40 * scale, 3), (10, 200, 90), np.uint8)
    found = Detection(Box(10 * scale, 10 * scale, 30 * scale, 30 * scale), 0.9, "face")
    assert np.abs(redact(pixels, [found], style("inpaint"))[0].astype(int) - (10, 200, 90)).max() <= 5


@pytest.fixture
def overlay(tmp_path):
    """Red above, transparent below."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4] = (255, 0, 0, 255)
    pixels[4:] = (0, 255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "overlay.png")
    return tmp_path / "overlay.png"


def test_image_is_scaled_to_the_object_over_an_opaque_ground(overlay):
    result = redact(noise(40, 40), [FACE], style("image", overlay=overlay, color="#0000ff"))[0]
    assert (result[10:18, 10:30] == (255, 0, 0)).all()
    assert (result[22:30, 10:30] == (0, 0, 255)).all()
    deep = redact(noise16(40, 40), [FACE], style("image", overlay=overlay, color="#0000ff"))[0]
    assert (deep[10:18, 10:30] == (65535, 0, 0)).all()


def test_image_goes_on_beyond_the_picture(overlay):
    """Where half of the object lies outside, half of the overlay is seen."""
    found = Detection(Box(10, -20, 30, 20), 0.9, "face")
    result = redact(noise(40, 40), [found], style("image", overlay=overlay, color="#0000ff"))[0]
    assert (result[3:20, 10:30] == (0, 0, 255)).all()


def test_the_drawn_face_is_laid_over_by_default():
    result = redact(noise(40, 40), [FACE], style("image"))[0]
    assert (result[20, 20] == (255, 205, 60)).all()
    assert RedactionStyle("image", 1, "#000000", None, None) == to_style("face", RedactSettings(method="image"))
