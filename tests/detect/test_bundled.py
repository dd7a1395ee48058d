"""The bundled models on real pictures."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import save
from PIL import Image

from anonymizer.api import anonymize_image
from anonymizer.detect.description import ViewSpec
from anonymizer.detect.frames import detect
from anonymizer.detect.load import choose_models, chosen_kinds, load_detectors, load_model
from anonymizer.detect.signature import SignatureDetector
from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.files.orientation import turn_back
from anonymizer.files.read import read_picture
from anonymizer.geometry import Box
from anonymizer.redact.mask import to_region
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Detection, Pixels8

pytestmark = pytest.mark.slow

FACES = DetectSettings(kinds="face")


def faces_in(path: Path, **settings: Any) -> list[Detection]:
    return detect(read_picture(path).pixels, load_detectors(DetectSettings(kinds="face", **settings)))


def test_a_portrait(originals: Path) -> None:
    (face,) = faces_in(originals / "astronaut.png")
    assert face.score > 0.8
    assert face.box.iou(Box(175, 65, 275, 205)) > 0.5


def test_two_obvious_faces(originals: Path) -> None:
    faces = faces_in(originals / "happy_couple.jpg", face_threshold=0.2)
    assert len([face for face in faces if face.score >= 0.5]) == 2


def test_a_group(originals: Path) -> None:
    assert len([face for face in faces_in(originals / "swearing_in_group.jpg") if face.score >= 0.5]) >= 8


def test_a_cup_of_coffee_has_no_face(originals: Path) -> None:
    assert faces_in(originals / "coffee.png") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("astronaut.png", [(0.929, Box(182, 58, 270, 178))]),
        ("happy_couple.jpg", [(0.877, Box(444, 273, 537, 387)), (0.833, Box(294, 321, 373, 435))]),
        (
            "swearing_in_group.jpg",
            [
                (0.919, Box(1744, 241, 1836, 355)),
                (0.912, Box(1231, 247, 1317, 364)),
                (0.904, Box(435, 195, 537, 329)),
                (0.904, Box(1503, 181, 1597, 303)),
                (0.900, Box(734, 223, 829, 342)),
                (0.886, Box(965, 253, 1054, 376)),
                (0.876, Box(86, 183, 197, 333)),
                (0.798, Box(1621, 266, 1687, 362)),
                (0.597, Box(1099, 290, 1129, 337)),
                (0.571, Box(1835, 14, 1969, 285)),
                (0.442, Box(1361, 336, 1387, 380)),
            ],
        ),
    ],
)
def test_integers_find_what_floats_found(originals: Path, name: str, expected: list[tuple[float, Box]]) -> None:
    """Scores and boxes are those of the face network in 32-bit floats, at the pictures' own size."""
    (bundled,) = choose_models(FACES)
    model = dataclasses.replace(
        bundled, views={"balanced": (ViewSpec(),)}, calibration={}, second_look=None, turned_look=None
    )
    as_is = SignatureDetector(model, load_model(model), "balanced", {"face": 0.3})
    found = as_is.detect(to_rgb_8_bits(read_picture(originals / name).pixels))
    assert len(found) == len(expected)
    for score, box in expected:
        closest = max(found, key=lambda face: face.box.iou(box))
        assert closest.box.iou(box) > 0.85
        assert closest.score == pytest.approx(score, abs=0.06)


def test_a_plate(originals: Path) -> None:
    (found,) = detect(read_picture(originals / "drawn_car.jpg").pixels, load_detectors(DetectSettings(kinds="plate")))
    assert found.kind == "plate"
    assert found.box.iou(Box(490, 514, 710, 560)) > 0.5


def test_people_without_plates(originals: Path) -> None:
    for name in ("astronaut.png", "happy_couple.jpg", "swearing_in_group.jpg"):
        assert detect(read_picture(originals / name).pixels, load_detectors(DetectSettings(kinds="plate"))) == []


@pytest.mark.parametrize("preset", ["fast", "thorough"])
def test_presets(originals: Path, preset: str) -> None:
    """A portrait, a group, and a picture without a face, as `balanced` sees them above."""
    (face,) = faces_in(originals / "astronaut.png", preset=preset)
    assert face.score > 0.8
    assert face.box.iou(Box(175, 65, 275, 205)) > 0.5
    assert len([face for face in faces_in(originals / "happy_couple.jpg", preset=preset) if face.score >= 0.5]) == 2
    assert faces_in(originals / "coffee.png", preset=preset) == []


@pytest.mark.parametrize("preset", ["balanced", "thorough"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_pictures_that_lie_on_their_side_or_head(originals: Path, turns: int, preset: str) -> None:
    portrait = np.rot90(np.asarray(Image.open(originals / "astronaut.png")), turns)
    (found,) = detect(portrait, load_detectors(DetectSettings(kinds="face", preset=preset)))
    size = (portrait.shape[0], portrait.shape[1])
    mask = np.zeros(size, bool)
    mask[to_region(found.redaction_box, 0.2, 0, size).core.slices] = True
    assert np.rot90(mask, -turns)[65:205, 175:275].mean() > 0.9


def test_a_face_on_the_seam_of_a_panorama_is_hidden_on_both_sides(originals: Path) -> None:
    """Where the portrait's right edge meets its left one, in the middle of the face."""
    portrait = np.asarray(Image.open(originals / "astronaut.png"))
    middle = 225
    rolled = np.roll(portrait, -middle, axis=1)
    settings = Settings(detect=DetectSettings(kinds="face", projection="equirectangular"))
    redacted, found = anonymize_image(rolled, settings)
    assert len(found) == 2
    assert all(face.score > 0.5 and 0 <= face.box.x_min < face.box.x_max <= 512 for face in found)
    changed = np.roll(redacted != rolled, middle, axis=1).any(axis=2)
    assert changed[75:195, 185:middle].mean() > 0.95
    assert changed[75:195, middle:265].mean() > 0.95
    assert changed.mean() < 0.18


def test_each_preset_has_models_for_both_kinds() -> None:
    for preset in ("fast", "balanced", "thorough"):
        kinds = [kind for model in choose_models(DetectSettings(preset=preset)) for kind in model.found_kinds]
        assert sorted(kinds) == ["face", "plate"]


def test_heads_are_looked_for_where_they_are_asked_for() -> None:
    """And the face model sees with `crowd` what it sees with `balanced`."""
    crowd = DetectSettings(preset="crowd")
    assert chosen_kinds(choose_models(crowd), crowd) == ("face", "plate", "head")
    heads = DetectSettings("head", preset="fast")
    assert [model.name for model in choose_models(heads)] == ["head"]
    (face,) = [model for model in choose_models(crowd) if model.found_kinds == ("face",)]
    assert face.views["crowd"] == face.views["balanced"]
    assert face.calibration["crowd"] == face.calibration["balanced"]


@pytest.mark.parametrize("preset", ["fast", "crowd"])
def test_heads_of_a_group(originals: Path, preset: str) -> None:
    """Those that have a face are among them."""
    pixels = read_picture(originals / "swearing_in_group.jpg").pixels
    heads = detect(pixels, load_detectors(DetectSettings("head", preset=preset)))
    for face in faces_in(originals / "swearing_in_group.jpg", face_threshold=0.8):
        x, y = (face.box.x_min + face.box.x_max) / 2, (face.box.y_min + face.box.y_max) / 2
        assert any(h.box.x_min < x < h.box.x_max and h.box.y_min < y < h.box.y_max for h in heads)


def test_people_are_looked_for_where_they_are_asked_for(originals: Path) -> None:
    """From head to foot, also of a group; a cup of coffee is none of them."""
    assert chosen_kinds(choose_models(DetectSettings()), DetectSettings()) == ("face", "plate")
    detectors = load_detectors(DetectSettings("person"))
    found = detect(read_picture(originals / "astronaut.png").pixels, detectors)
    assert any(one.score > 0.5 and one.redaction_box.area > 0.4 * 512 * 512 for one in found)
    people = detect(read_picture(originals / "swearing_in_group.jpg").pixels, detectors)
    for face in faces_in(originals / "swearing_in_group.jpg", face_threshold=0.8):
        x, y = face.box.center
        boxes = [one.redaction_box for one in people]
        assert any(b.x_min < x < b.x_max and b.y_min < y < b.y_max and b.area > 3 * face.box.area for b in boxes)
    assert detect(read_picture(originals / "coffee.png").pixels, detectors) == []


def test_a_crowd_has_no_limit(originals: Path) -> None:
    """A portrait repeated until there are hundreds of faces."""
    portrait = np.asarray(Image.open(originals / "astronaut.png"))[30:230, 130:330]
    small = cv2.resize(portrait, (64, 64), interpolation=cv2.INTER_AREA)
    assert len(detect(np.tile(small, (20, 25, 1)), load_detectors(FACES))) >= 490


@pytest.mark.parametrize(("contrast", "brightness"), [(0.08, 0), (0.15, 200)])
def test_very_dark_and_very_pale_pictures(originals: Path, contrast: float, brightness: int) -> None:
    portrait = np.asarray(Image.open(originals / "astronaut.png"))
    faint = (portrait * contrast + brightness).astype(np.uint8)
    (face,) = detect(faint, load_detectors(FACES))
    assert face.box.iou(Box(175, 65, 275, 205)) > 0.5


def test_gray_pictures(originals: Path) -> None:
    gray = np.asarray(Image.open(originals / "astronaut.png").convert("L"))
    _, found = anonymize_image(gray, Settings(detect=FACES))
    assert len(found) == 1


@pytest.mark.parametrize("factor", [2, 4, 8, 14])
def test_close_ups(originals: Path, factor: int) -> None:
    """A face of 140 pixels, enlarged to as much as 2000, is hidden as a whole."""
    portrait = np.asarray(Image.open(originals / "astronaut.png"))[50:230, 130:330]
    large = np.asarray(cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    size = (large.shape[0], large.shape[1])
    mask = np.zeros(size, bool)
    for found in detect(large, load_detectors(FACES)):
        mask[to_region(found.redaction_box, 0.2, 0, size).core.slices] = True
    assert mask[15 * factor : 155 * factor, 45 * factor : 145 * factor].mean() > 0.95


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (300, 1), (31, 33), (32, 32)])
def test_small_pictures_of_any_shape(height: int, width: int) -> None:
    pixels = np.full((height, width, 3), 90, np.uint8)
    assert anonymize_image(pixels, Settings(detect=FACES))[1] == []


@pytest.mark.parametrize("extension", ["png", "jpg"])
def test_orientation_changes_nothing(originals: Path, tmp_path: Path, extension: str) -> None:
    """The same picture, stored in each of the eight orientations, gives the same detections and looks the same."""
    upright = np.asarray(Image.open(originals / "astronaut.png"))[:, :500]  # not square
    found, shown = [], []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f"{orientation}.{extension}"
        options = {"quality": 97, "subsampling": 0} if extension == "jpg" else {}
        save(path, turn_back(upright, orientation), exif=exif, **options)
        picture = read_picture(path)
        pixels, detections = anonymize_image(picture.pixels, Settings(detect=FACES))
        assert picture.pixels.shape == upright.shape
        found.append(detections)
        shown.append(pixels.astype(int))
    for detections, pixels in zip(found[1:], shown[1:], strict=True):
        assert len(detections) == len(found[0]) == 1
        # Turned JPEG pictures differ by roundings, which can let another view's box win.
        assert detections[0].box.iou(found[0][0].box) >= (0.99 if extension == "png" else 0.9)
        assert np.abs(pixels - shown[0]).mean() < 3  # JPEG compresses each orientation differently


def test_large_pictures_give_the_same_as_their_parts(originals: Path) -> None:
    """A portrait on every seam of the tiles, and one that fills the picture."""
    portrait = np.asarray(Image.open(originals / "astronaut.png"))
    large = np.full((3000, 5000, 3), 128, np.uint8)
    places = [(top, left) for top in (100, 2048 - 300, 3000 - 512) for left in (100, 1476 - 150, 2048 - 300, 3500)]
    for top, left in places:
        large[top : top + 512, left : left + 512] = portrait
    (alone,) = detect(portrait, load_detectors(FACES))
    found = detect(large, load_detectors(FACES))
    assert len(found) == len(places)
    for top, left in places:
        moved = Box(alone.box.x_min + left, alone.box.y_min + top, alone.box.x_max + left, alone.box.y_max + top)
        assert max(face.box.iou(moved) for face in found) > 0.8
    huge, *_ = detect(portrait.repeat(6, axis=0).repeat(6, axis=1), load_detectors(FACES))
    assert huge.box.iou(Box(*[6 * side for side in dataclasses.astuple(alone.box)])) > 0.8


def test_answers_repeat(originals: Path) -> None:
    one, other = (faces_in(originals / "happy_couple.jpg") for _ in range(2))
    assert [dataclasses.astuple(face) for face in one] == [dataclasses.astuple(face) for face in other]


def with_text(pixels: Pixels8, text: str, degrees: float) -> Pixels8:
    """A picture with white letters in its middle, turned."""
    height, width = pixels.shape[:2]
    drawn = np.zeros((height, width), np.uint8)
    cv2.putText(drawn, text, (width // 2 - 130, height // 2 + 12), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255,), 4)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(drawn, turn, (width, height))
    return np.where(turned[:, :, np.newaxis] > 127, np.uint8(255), pixels // 3)


@pytest.mark.parametrize("degrees", [0, 30])
@pytest.mark.parametrize("preset", ["fast", "balanced", "thorough"])
def test_text_is_found_as_it_lies(originals: Path, degrees: float, preset: str) -> None:
    clear = read_picture(originals / "coffee.png").pixels
    picture = with_text(np.asarray(clear, np.uint8), "MAIN ST 12", degrees)
    settings = Settings(detect=DetectSettings(kinds="text", preset=preset))
    redacted, found = anonymize_image(picture, settings)
    assert found
    assert {one.kind for one in found} == {"text"}
    letters = (picture == 255).all(axis=2)
    assert (redacted != picture).any(axis=2)[letters].mean() > 0.98
    assert (redacted != picture).any(axis=2).mean() < 0.2
