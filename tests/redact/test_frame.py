"""One frame: its pixels, and what its alpha channel shows."""

import numpy as np
import pytest
from fakes import face, noise, plate
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from redact.strategies import SIZE, detections

from anonymizer.files.picture import Frame
from anonymizer.geometry import PixelBox, slices_around
from anonymizer.redact.frame import mask_detections, mask_frame, redact_detections, redact_frame
from anonymizer.redact.touched import touched_pixels
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, FrameDetections

FACE = face(10, 10, 20, 20)
SETTINGS = RedactSettings()


def test_what_changed_is_told_and_nothing_else_changes() -> None:
    pixels = noise(40, 50)
    frame, changed = redact_frame(Frame(pixels.copy()), FrameDetections([FACE]), SETTINGS)
    assert changed.shape == (40, 50)
    assert changed[10:20, 10:20].all()
    assert (frame.pixels == pixels)[~changed].all()
    assert (frame.pixels[10:20, 10:20] != pixels[10:20, 10:20]).mean() > 0.9
    assert frame.alpha is None


def test_nothing_found_is_the_same_frame() -> None:
    frame = Frame(noise(40, 50), noise(40, 50, 1)[:, :, 0])
    same, changed = redact_frame(frame, FrameDetections([]), SETTINGS)
    assert same is frame
    assert not changed.any()


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (48, 96, 192), (90, 90, 90)])
def test_colors_are_the_same_in_ink_and_in_light(color: tuple[int, int, int]) -> None:
    """Values of CMYK are of ink: 255 in all channels is black."""
    image = Image.fromarray(noise(40, 50)).convert("CMYK")
    ink = np.asarray(image)
    settings = RedactSettings(method="solid", color="#" + bytes(color).hex())
    found = FrameDetections([FACE])
    frame, changed = redact_frame(Frame(ink, shown=np.asarray(image.convert("RGB"))), found, settings)
    assert (frame.pixels == ink)[~changed].all()
    shown = np.asarray(Image.fromarray(frame.pixels, "CMYK").convert("RGB"))
    assert (shown[10:20, 10:20] == color).all()


@pytest.mark.parametrize("method", ["gaussian", "mosaic", "image", "inpaint"])
@pytest.mark.parametrize("level", [20, 235])
def test_what_hides_looks_the_same_in_ink_and_in_light(method: str, level: int) -> None:
    light = np.full((60, 60, 3), level, np.uint8)
    frame = Frame(np.asarray(Image.fromarray(light).convert("CMYK")), shown=light)
    found, settings = FrameDetections([face(20, 20, 40, 40)]), RedactSettings(method=method)
    hidden = redact_frame(frame, found, settings)[0].pixels
    shown = np.asarray(Image.fromarray(hidden, "CMYK").convert("RGB")).astype(int)
    assert abs(shown - redact_frame(Frame(light), found, settings)[0].pixels).max() <= 2


@given(st.lists(detections(), min_size=1, max_size=3), st.integers(0, 9))
def test_ink_stays_where_nothing_is_hidden_and_fades_at_soft_edges(found: list[Detection], seed: int) -> None:
    ink = noise(*SIZE, 4, seed=seed)
    light = np.asarray(Image.fromarray(ink, "CMYK").convert("RGB"))
    settings = RedactSettings(method="solid", color="#3060c0", feather=0.4)
    frame, changed = redact_frame(Frame(ink, shown=light), FrameDetections(found), settings)
    assert (frame.pixels == ink)[~changed].all()
    shown = np.asarray(Image.fromarray(frame.pixels, "CMYK").convert("RGB")).astype(int)
    assert (
        abs(shown - redact_frame(Frame(light), FrameDetections(found), settings)[0].pixels)[changed].max(initial=0) < 3
    )
    mask = mask_detections(ink, found, settings)
    assert (frame.pixels[mask == 1] == [255 - 0x30, 255 - 0x60, 255 - 0xC0, 0]).all()


def test_bands_beside_inks_are_hidden_by_themselves() -> None:
    pixels = noise(40, 50, 5)
    shown = np.asarray(Image.fromarray(np.ascontiguousarray(pixels[:, :, :4]), "CMYK").convert("RGB"))
    frame, changed = redact_frame(Frame(pixels, shown=shown, further=1), FrameDetections([FACE]), SETTINGS)
    assert (frame.pixels == pixels)[~changed].all()
    assert np.ptp(frame.pixels[11:19, 11:19, 4]) < 8


@pytest.mark.parametrize("in_place", [False, True])
def test_the_pixels_of_the_source_stay_unless_they_may_go(in_place: bool) -> None:
    pixels = noise(40, 50)
    before = pixels.copy()
    redact_frame(Frame(pixels), FrameDetections([FACE]), SETTINGS, in_place)
    assert in_place or (pixels == before).all()


@pytest.mark.parametrize("method", ["solid", "image", "gaussian", "mosaic", "inpaint"])
def test_what_is_hidden_in_an_opaque_picture_is_no_hole(method: str) -> None:
    opaque = np.full((40, 50), 255, np.uint8)
    found = FrameDetections([FACE, plate(30, 20, 45, 30)])
    frame, changed = redact_frame(Frame(noise(40, 50), opaque), found, RedactSettings(method=method))
    assert changed.any()
    assert frame.alpha is not None
    assert frame.alpha.min() > 250


@pytest.mark.parametrize("shows", [True, False])
def test_alpha_changes_where_it_shows_something(shows: bool) -> None:
    alpha = noise(40, 50, 1)[:, :, 0]
    found = FrameDetections([FACE], in_alpha=[FACE] if shows else [])
    frame, changed = redact_frame(Frame(noise(40, 50), alpha), found, SETTINGS)
    assert frame.alpha is not None
    assert (frame.alpha == alpha)[~changed].all()
    assert (frame.alpha != alpha).any() == shows


def test_the_mask_is_1_on_what_is_hidden_and_0_where_nothing_changes() -> None:
    pixels = noise(40, 50)
    mask = mask_detections(pixels, [FACE], SETTINGS)
    assert mask.shape == (40, 50)
    assert (mask[10:20, 10:20] == 1).all()
    redacted = redact_detections(pixels, [FACE], SETTINGS)
    assert (redacted == pixels)[np.asarray(mask) == 0].all()


@given(st.lists(detections(), max_size=4), st.sampled_from([0.0, 0.1, 0.7]))
def test_masks_are_never_smaller_than_the_boxes_and_outlines(found: list[Detection], feather: float) -> None:
    frame, settings = Frame(noise(*SIZE)), RedactSettings("solid", feather=feather)
    levels = mask_frame(frame, FrameDetections(found), settings)
    assert levels.dtype == np.uint8
    assert levels.shape == SIZE
    for one in found:
        if one.outline is not None:
            assert (levels[touched_pixels(one.outline, PixelBox(0, 0, *SIZE))] == 255).all()
        elif one.box.touches(SIZE):
            assert (levels[slices_around(one.box, SIZE)] == 255).all()
    mask = mask_detections(frame.pixels, found, settings)
    assert np.array_equal(levels == 255, mask == 1)
    assert np.array_equal(levels == 0, mask == 0)
    changed = (redact_detections(frame.pixels, found, settings) != frame.pixels).any(axis=2)
    assert (levels[changed] > 0).all()
