"""Silhouettes: what a network sees becomes an outline, or nothing where it sees something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import face, noise, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect import silhouettes as module
from anonymizer.detect.catalogue import find_models
from anonymizer.detect.silhouettes import (
    OUTSIDE,
    Crop,
    Segmenter,
    SegmenterDescription,
    Share,
    Silhouettes,
    choose_silhouettes,
    describe_segmenters,
    load_segmenter,
)
from anonymizer.errors import ModelError, PictureError
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import Box, PixelBox
from anonymizer.outlines import PolygonOutline
from anonymizer.redact.touched import touched_pixels
from anonymizer.settings import RedactSettings
from anonymizer.types import DRAWN_SCORE, Detection, FrameDetections, Pixels8

SIZE = 64
PICTURE = np.zeros((200, 300, 3), np.uint8)
DESCRIBED = SegmenterDescription("drawn", Path("drawn.tflite"), "0", {"face": 2.0}, 0.5, 1.0, "", "")


def seeing(share: Share) -> Segmenter:
    return Segmenter(lambda crop: share, SIZE, 0.5)


def disc(radius: float, x: float = SIZE / 2, y: float = SIZE / 2) -> Share:
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    return np.asarray(np.hypot(columns - x, rows - y) < radius, np.float32)


@given(st.floats(-20, 280), st.floats(-20, 180), st.floats(4, 90), st.floats(8, 30))
def test_the_outline_touches_every_pixel_that_is_seen(x: float, y: float, side: float, radius: float) -> None:
    box = Box(x, y, x + side, y + side)
    seen = disc(radius)
    outline = seeing(seen).silhouette(PICTURE, box, 2.0)
    if outline is None:  # less of the box is seen than must be
        assert radius < 13
        return
    crop = Crop.around(box, 2.0)
    scale = crop.side / SIZE
    area = PixelBox(crop.top, crop.left, crop.top + crop.side, crop.left + crop.side)
    touched = touched_pixels(outline, area)
    rows, columns = (((np.arange(crop.side) + 0.5) / scale).astype(int) for _ in range(2))
    inner = disc(radius - 1)[np.ix_(rows, columns)] > 0
    assert touched[inner].all()
    outer = disc(radius + 3)[np.ix_(rows, columns)] > 0
    assert not touched[~outer].any() or scale < 1


def test_what_lies_apart_is_another_object() -> None:
    box = Box(100, 60, 140, 100)
    both = np.maximum(disc(14), disc(6, 6, 6))
    alone, outline = (seeing(share).silhouette(PICTURE, box, 2.0) for share in (disc(14), both))
    assert alone == outline


@pytest.mark.parametrize("share", [disc(0), disc(10, 4, 4), disc(5)])
def test_a_network_that_sees_something_else_draws_nothing(share: Share) -> None:
    assert seeing(share).silhouette(PICTURE, Box(100, 60, 140, 100), 2.0) is None


WHOLE = Box(100, 60, 140, 100)
"""Of a person: the crop is 50 pixels wide, and the box lies from 6.4 to 57.6 of its 64."""


def hidden_by(outline: PolygonOutline) -> Share:
    """(SIZE, SIZE): what an outline touches of the pixels of the crop around WHOLE."""
    crop = Crop.around(WHOLE, 1.25)
    scale = SIZE / crop.side
    corners = tuple(((x - crop.left) * scale, (y - crop.top) * scale) for x, y in outline.corners)
    return touched_pixels(PolygonOutline(corners), PixelBox(0, 0, SIZE, SIZE)).astype(np.float32)


@given(
    st.lists(
        st.tuples(st.floats(4, 60), st.floats(4, 60), st.floats(2, 28), st.sampled_from([0.4, 0.6, 0.95, 1.0])),
        min_size=1,
        max_size=5,
    )
)
def test_the_outline_of_a_whole_object_leaves_nothing_out(discs: list[tuple[float, float, float, float]]) -> None:
    """Everything that is seen in the box, in one part or several, is in it; or there is none."""
    share = np.max([certainty * disc(radius, x, y) for x, y, radius, certainty in discs], axis=0)
    outline = seeing(share).whole(PICTURE, WHOLE, 1.25)
    if outline is None:
        return
    seen = np.zeros((SIZE, SIZE), np.uint8)
    seen[6:58, 6:58] = share[6:58, 6:58] >= 0.5
    number, parts = cv2.connectedComponents(seen)
    large = [part for part in range(1, number) if (parts == part).sum() >= 12]
    assert hidden_by(outline)[np.isin(parts, large)].all()
    rows, columns = seen.any(axis=1).nonzero()[0], seen.any(axis=0).nonzero()[0]
    assert max(rows[0], columns[0]) <= 6 + 0.1 * 52
    assert min(rows[-1], columns[-1]) >= 57 - 0.1 * 52


def test_a_head_apart_from_its_body_is_hidden_too() -> None:
    head, body = disc(8, 32, 14), disc(24, 32, 44)
    body[:26] = 0
    outline = seeing(np.maximum(head, body)).whole(PICTURE, WHOLE, 1.25)
    assert outline is not None
    assert hidden_by(outline)[np.maximum(head, body) > 0].all()


@pytest.mark.parametrize(
    "share",
    [disc(0), disc(18), disc(26, 32, 45), 0.6 * disc(28), np.maximum(disc(15, 32, 20), 0.7 * disc(28))],
    ids=["nothing", "too little", "no head", "in doubt", "partly in doubt"],
)
def test_where_something_may_be_missing_the_box_stays(share: Share) -> None:
    assert seeing(disc(28)).whole(PICTURE, WHOLE, 1.25) is not None
    assert seeing(share).whole(PICTURE, WHOLE, 1.25) is None


@pytest.mark.parametrize(("top", "left"), [(-5_000, -3_000), (0, 0), (-10_000, -10_000), (-9_999, 3)])
def test_crops_far_larger_than_a_picture_take_little_memory(top: int, left: int) -> None:
    pixels = np.full((2_000, 3_000, 3), 255, np.uint8)
    crop = Crop(left, top, 12_000)
    shown = crop.of(pixels, SIZE)
    by = SIZE / crop.side
    rows, columns = (np.arange(SIZE) / by for _ in range(2))
    inside = np.outer(
        (rows + top >= 0) & (rows + top + 1 / by <= 2_000), (columns + left >= 0) & (columns + left + 1 / by <= 3_000)
    )
    outside = np.outer((rows + top + 2 / by < 0) | (rows + top - 1 / by > 2_000), np.ones(SIZE, bool))
    assert inside.any()
    assert (shown[inside] > 250).all()
    assert (shown[outside] == OUTSIDE).all()
    assert Crop.around(Box(-1e7, -1e7, 1e7, 1e7), 2.6).of(pixels, SIZE).shape == (SIZE, SIZE, 3)


def test_specks_at_all_sides_of_a_box_are_no_object() -> None:
    share = np.zeros((SIZE, SIZE), np.float32)
    for x, y in ((8, 32), (56, 32), (32, 8), (32, 56)):
        share[y - 1 : y + 2, x - 1 : x + 2] = 1
    assert seeing(share).whole(PICTURE, WHOLE, 1.25) is None


@pytest.mark.parametrize("share", [np.full((SIZE, SIZE), np.nan, np.float32), np.ones((3, 3), np.float32)])
def test_no_usable_answer_fails_the_picture(share: Share) -> None:
    with pytest.raises(PictureError, match="no usable answer"):
        seeing(share).silhouette(PICTURE, Box(100, 60, 140, 100), 2.0)


def test_the_crop_has_the_box_in_its_middle_and_gray_outside_of_the_picture() -> None:
    picture = noise(100, 80)
    crop = Crop.around(Box(-10, 30, 30, 70), 2.0)
    assert crop == Crop(-30, 10, 80)
    shown = crop.of(picture, 80)
    assert (shown[:, :30] == OUTSIDE).all()
    assert (shown[:, 30:] == picture[10:90, :50]).all()
    assert crop.of(picture, 32).shape == (32, 32, 3)


class Loads:
    """Stands for loading; counts what is looked at."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self.crops: list[Pixels8] = []

    def __call__(self, described: SegmenterDescription) -> Segmenter:
        def see(crop: Pixels8) -> Share:
            self.crops.append(crop)
            return self.share

        return Segmenter(see, SIZE, 0.5)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Callable[[Share], Loads]:
    def use(share: Share) -> Loads:
        made = Loads(share)
        monkeypatch.setattr(module, "load_segmenter", made)
        return made

    return use


def picture_of(pixels: Pixels8, alpha: Pixels8 | None = None) -> Picture:
    return Picture((Frame(pixels, None if alpha is None else alpha[:, :, 0]),), content=b"", encoding=Encoding("PNG"))


def test_faces_get_silhouettes_and_nothing_else_does(loads: Callable[[Share], Loads]) -> None:
    made = loads(disc(20))
    drawn = Detection.of(PolygonOutline(((5, 5), (30, 5), (30, 30))), "face")
    known = replace(face(60, 60, 80, 80), silhouette=PolygonOutline(((60, 60), (80, 60), (70, 90))))
    found = [face(20, 20, 60, 60), plate(70, 70, 90, 80), drawn, known]
    pixels = noise(100, 100)
    (frame,) = Silhouettes({"face": DESCRIBED}).add(picture_of(pixels), [FrameDetections(found, found[:2])])
    assert [one.silhouette is not None for one in frame.detections] == [True, False, False, True]
    assert [replace(one, silhouette=None) for one in frame.detections[:2]] == found[:2]
    assert list(frame.detections[2:]) == found[2:]
    assert frame.in_alpha == list(frame.detections[:2])
    assert len(made.crops) == 1


def test_an_outline_takes_the_place_of_a_person(loads: Callable[[Share], Loads]) -> None:
    person = Detection(Box(20, 20, 60, 60), 0.7, "person", Box(18, 20, 60, 60))
    described = {"person": replace(DESCRIBED, contexts={"person": 1.25})}
    loads(disc(29))
    shown = noise(100, 100)
    drawn = Silhouettes(described).drawn(person, shown)
    assert (drawn.kind, drawn.score, drawn.extent, drawn.silhouette) == ("person", 0.7, None, None)
    assert drawn.outline is not None
    assert drawn.box == drawn.outline.box
    loads(disc(10))
    assert Silhouettes(described).drawn(person, shown) == person
    in_film = replace(person, track=3)
    assert not Silhouettes(described).lacks(in_film)
    by_hand = replace(person, score=DRAWN_SCORE)
    assert not Silhouettes(described).lacks(by_hand)


def test_without_anything_to_draw_no_network_is_loaded(loads: Callable[[Share], Loads]) -> None:
    made = loads(disc(20))
    frames = [FrameDetections([plate(70, 70, 90, 80)])]
    assert Silhouettes({"face": DESCRIBED}).add(picture_of(noise(100, 100)), frames) == frames
    assert not made.crops


def test_silhouettes_are_drawn_where_they_are_hidden_alone() -> None:
    assert choose_silhouettes(RedactSettings()) is None
    assert choose_silhouettes(RedactSettings("none", shape="silhouette")) is None
    chosen = choose_silhouettes(RedactSettings(shape="silhouette"))
    assert chosen is not None
    assert {"face", "head"} <= set(chosen.segmenters)
    assert "plate" not in chosen.segmenters


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no bundled model draws silhouettes of faces"):
        choose_silhouettes(RedactSettings(shape="silhouette"), tmp_path)


def write(folder: Path, content: bytes, text: str) -> Path:
    (folder / "own").mkdir()
    (folder / "own" / "segmenter.yaml").write_text(text)
    (folder / "own" / "net.tflite").write_bytes(content)
    return folder


def test_a_changed_or_damaged_network_is_refused(tmp_path: Path) -> None:
    described = describe_segmenters()[0]
    text = (described.path.parent / "segmenter.yaml").read_text().replace(described.path.name, "net.tflite")
    folder = write(tmp_path, described.path.read_bytes() + b"x", text)
    with pytest.raises(ModelError, match="damaged"):
        describe_segmenters(folder)
    (folder / "own" / "net.tflite").unlink()
    with pytest.raises(ModelError, match=r"net\.tflite: No such file"):
        describe_segmenters(folder)
    (folder / "own" / "segmenter.yaml").write_text("name: only\n")
    with pytest.raises(ModelError, match="is damaged: 'file'"):
        describe_segmenters(folder)
    with pytest.raises(ModelError, match="damaged, or no TFLite model"):
        load_segmenter(replace(described, path=folder / "own" / "segmenter.yaml", sha256="other"))


def test_segmenters_are_no_detection_models() -> None:
    folders = {described.path.parent.name for described in describe_segmenters()}
    assert folders
    assert folders.isdisjoint(model.folder.name for model in find_models())


def test_the_bundled_network_sees_an_astronaut_from_head_to_waist(originals: Path) -> None:
    from anonymizer.files.read import read_picture
    from anonymizer.settings import ReadSettings

    picture = read_picture(originals / "astronaut.png", ReadSettings())
    found = FrameDetections([Detection(Box(30, 5, 470, 512), 0.7, "person")])
    chosen = choose_silhouettes(RedactSettings(person_shape="silhouette"))
    assert chosen is not None
    assert set(chosen.segmenters) == {"person"}
    (frame,) = chosen.add(picture, [found])
    (one,) = frame.detections
    assert one.outline is not None
    shown = touched_pixels(one.outline, PixelBox(0, 0, 512, 512))
    assert shown[60:170, 190:260].all()  # her face
    assert not shown[:200, 380:].any()  # the rocket behind her
    assert 0.3 < shown.mean() < 0.8


def test_the_bundled_network_sees_the_head_of_an_astronaut(originals: Path) -> None:
    from anonymizer.detect.frames import load_finder
    from anonymizer.files.read import read_picture
    from anonymizer.settings import DetectSettings, ReadSettings

    picture = read_picture(originals / "astronaut.png", ReadSettings())
    found = load_finder(DetectSettings(kinds="face", preset="fast")).find(picture)
    chosen = choose_silhouettes(RedactSettings(face_shape="silhouette"))
    assert chosen is not None
    (frame,) = chosen.add(picture, found)
    (one,) = frame.detections
    assert one.silhouette is not None
    around, box = one.silhouette.box, one.box
    assert around.y_min < box.y_min - 0.1 * box.height
    assert around.x_min < box.x_min
    assert around.x_max > box.x_max
    assert 1.2 * box.area < around.area < 6 * box.area
    (again,) = chosen.add(picture, found)
    assert again == frame
