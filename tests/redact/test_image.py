from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import face, noise, noise16, scene_of
from PIL import Image
from redact.strategies import bare, redacted

from anonymizer.geometry import Box, PixelBox, Shape
from anonymizer.redact.drawings import DRAW
from anonymizer.redact.image import SHIFT, SIDE, SIDE_SPREAD, STRIP_ROWS, overlay_on, place_of
from anonymizer.redact.scene import RedactionStyle, RedactionTarget
from anonymizer.redact.targets import seed_of, to_style
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection

FACE = face(10, 10, 30, 30)


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """Red above, transparent below."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4] = (255, 0, 0, 255)
    pixels[4:] = (0, 255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "overlay.png")
    return tmp_path / "overlay.png"


def test_image_is_scaled_to_the_object_over_an_opaque_ground(overlay: Path) -> None:
    result = redacted(noise(40, 40), [FACE], bare("image", overlay=overlay, color="#0000ff"))
    assert (result[10:18, 10:30] == (255, 0, 0)).all()
    assert (result[22:30, 10:30] == (0, 0, 255)).all()
    deep = redacted(noise16(40, 40), [FACE], bare("image", overlay=overlay, color="#0000ff"))
    assert (deep[10:18, 10:30] == (65535, 0, 0)).all()


def test_image_goes_on_beyond_the_picture(overlay: Path) -> None:
    """Where half of the object lies outside, half of the overlay is seen."""
    found = Detection(Box(10, -20, 30, 20), 0.9, "face")
    result = redacted(noise(40, 40), [found], bare("image", overlay=overlay, color="#0000ff"))
    assert (result[3:20, 10:30] == (0, 0, 255)).all()


def test_over_an_ellipse_a_drawing_keeps_its_proportions_and_lies_at_random() -> None:
    """Else it would tell the proportions and the place of the face's box."""
    settings = RedactSettings(method="image", face_margin=0.0, feather=0.0)
    shown = []
    for left in (100, 101, 102):
        _, (target,) = scene_of(noise(400, 400), [face(left, 100, left + 60, 220)], settings)
        laid = place_of(target)
        assert abs(laid.height - laid.width) <= 1
        shown.append(laid.left - target.region.whole.left)
        assert place_of(scene_of(noise(400, 400, seed=5), [face(left, 100, left + 60, 220)], settings)[1][0]) == laid
    assert len(set(shown)) > 1


def test_size_and_place_of_a_drawing_are_normally_distributed() -> None:
    """Places in a range would say where the box cannot be."""
    settings = RedactSettings(method="image", face_margin=0.0, feather=0.0)
    _, (target,) = scene_of(noise(400, 400), [face(100, 100, 160, 220)], settings)
    whole, places = target.region.whole, []
    for seed in range(400):
        laid = place_of(replace(target, seed=(seed,)))
        down = (laid.top + laid.bottom - whole.top - whole.bottom) / 2
        right = (laid.left + laid.right - whole.left - whole.right) / 2
        places.append((np.log(laid.height / whole.longer_side), down / whole.longer_side, right / whole.longer_side))
    assert np.mean(places, axis=0) == pytest.approx([np.log(SIDE), 0, 0], abs=0.1)
    assert np.std(places, axis=0) == pytest.approx([SIDE_SPREAD, SHIFT, SHIFT], rel=0.15)
    assert (np.abs(places) < [np.log(SIDE) + 2.6 * SIDE_SPREAD, 2.6 * SHIFT, 2.6 * SHIFT]).all()


def test_beside_a_drawing_is_ground() -> None:
    settings = RedactSettings(method="image", face_margin=0.0, feather=0.0, color="#0000ff")
    _, (target,) = scene_of(noise(400, 400), [face(100, 100, 160, 220)], settings)
    for seed in range(50):
        one = replace(target, seed=(seed,))
        laid, bounds, (_, opacity) = place_of(one), one.region.bounds, overlay_on(one)
        shown = np.zeros((400 + bounds.height, 400 + bounds.width), bool)
        shown[max(laid.top, 0) : max(laid.bottom, 0), max(laid.left, 0) : max(laid.right, 0)] = True
        assert not opacity[~shown[bounds.slices]].any()


def test_the_seed_of_a_drawing_is_the_box() -> None:
    """Whoever knows less than all digits of it cannot draw the same again."""
    boxes = [Box(100, 100, 160, 220), Box(100, 100, 160, 220 + 1e-9)]
    one, other = (place_of(replace(target_in(each), seed=seed_of(each))) for each in boxes)
    assert one != other


def covers(place: PixelBox, target: RedactionTarget) -> bool:
    """Whether a drawing covers all that it may be seen in, and is enlarged."""
    bounds = target.region.bounds
    beyond = place.top <= bounds.top and place.left <= bounds.left
    return beyond and place.bottom >= bounds.bottom and place.right >= bounds.right and place.height > 512


def target_in(box: Box) -> RedactionTarget:
    return scene_of(noise(400, 400), [Detection(box, 0.9, "face")], RedactSettings(method="image"))[1][0]


@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_a_part_of_a_large_overlay_is_that_of_the_whole(shape: Shape) -> None:
    """It is enlarged in strips, which leave no seams."""
    settings = RedactSettings(method="image", shape=shape)
    _, (target,) = scene_of(noise(900, 800), [face(300, 50, 790, 890)], settings)
    target = next(one for one in (replace(target, seed=(seed,)) for seed in range(200)) if covers(place_of(one), one))
    laid, bounds = place_of(target), target.region.bounds
    assert bounds.height > 2 * STRIP_ROWS
    drawn = DRAW["face"]().astype(np.float32) / 255
    drawn[:, :, :3] *= drawn[:, :, 3:]
    whole = np.asarray(cv2.resize(drawn, (laid.width, laid.height), interpolation=cv2.INTER_LINEAR))
    colors, opacity = overlay_on(target)
    part = whole[bounds.top - laid.top :, bounds.left - laid.left :][: bounds.height, : bounds.width]
    assert colors == pytest.approx(part[:, :, :3], abs=1e-5)
    assert opacity == pytest.approx(part[:, :, 3], abs=1e-5)


def test_the_drawn_face_is_laid_over_by_default() -> None:
    result = redacted(noise(40, 40), [FACE], bare("image"))
    assert (result[20, 20] == (255, 205, 60)).all()
    assert RedactionStyle("image", 0, "#000000", None, "face", None) == to_style("face", RedactSettings(method="image"))
