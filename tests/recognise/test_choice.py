from dataclasses import replace

import numpy as np
import pytest
from recognise.faces import astronaut, couple, reader

from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import Box
from anonymizer.recognise.choice import GalleryChoice, load_choice
from anonymizer.recognise.gallery import Gallery
from anonymizer.recognise.recogniser import Vector
from anonymizer.recognise.resemblance import Resemblance
from anonymizer.settings import ChooseSettings
from anonymizer.types import Detection, FrameDetections, Pixels8

FACE = Detection(Box(y_min=53, x_min=175, y_max=181, x_max=275), 0.9, "face")
PLATE = replace(FACE, kind="plate")
MAN = Detection(Box(y_min=266, x_min=444, y_max=393, x_max=539), 0.9, "face")
WOMAN = Detection(Box(y_min=315, x_min=291, y_max=432, x_max=375), 0.9, "face")


def picture(*frames: Pixels8) -> Picture:
    return Picture(tuple(Frame(rgb) for rgb in frames), b"", Encoding("PNG"))


def vector(rgb: Pixels8, face: Detection) -> Vector:
    found = reader().read(rgb, face.box).vector
    assert found is not None
    return found


def gallery(**people: Vector) -> Gallery:
    return Gallery(people)


def test_the_person_of_the_gallery_stays_visible_and_the_report_says_why() -> None:
    choice = GalleryChoice(gallery(Eileen=vector(astronaut(), FACE)), reader(), hides_only=False)
    chosen = choice.choose(picture(astronaut()), [FrameDetections([FACE, PLATE], [FACE])])
    assert chosen.frames == [FrameDetections([PLATE], [])]
    (entry,) = chosen.done
    assert entry["remove"] == {"box": [175, 53, 275, 181]}
    assert entry["by"] == "gallery"
    assert str(entry["reason"]).startswith("resembles Eileen of the gallery, 1.00")


def test_strangers_are_hidden() -> None:
    choice = GalleryChoice(gallery(Eileen=vector(astronaut(), FACE)), reader(), hides_only=False)
    found = [FrameDetections([MAN, WOMAN])]
    assert choice.choose(picture(couple()), found).frames == found


def test_the_one_who_resembles_a_person_most_stays_visible_alone() -> None:
    twice = np.concatenate([astronaut(), np.asarray(astronaut() * 0.6, np.uint8)], axis=1)
    darker = replace(FACE, box=Box(y_min=53, x_min=687, y_max=181, x_max=787))
    choice = GalleryChoice(gallery(Eileen=vector(astronaut(), FACE)), reader(), hides_only=False)
    chosen = choice.choose(picture(twice), [FrameDetections([darker, FACE])])
    assert chosen.frames[0].detections == [darker]


def test_doubtful_faces_are_hidden_whatever_they_resemble() -> None:
    small = np.ascontiguousarray(astronaut()[::3, ::3])
    face = replace(FACE, box=Box(y_min=17, x_min=58, y_max=60, x_max=92))
    for hides_only in (False, True):
        choice = GalleryChoice(gallery(Eileen=vector(astronaut(), FACE)), reader(), hides_only)
        assert choice.choose(picture(small), [FrameDetections([face])]).frames[0].detections == [face]


def test_only_the_people_of_the_gallery_are_hidden() -> None:
    choice = GalleryChoice(gallery(he=vector(couple(), MAN)), reader(), hides_only=True)
    chosen = choice.choose(picture(couple()), [FrameDetections([MAN, WOMAN])])
    assert chosen.frames[0].detections == [MAN]
    assert "resembles nobody of the gallery" in str(chosen.done[0]["reason"])


def test_frames_are_named_where_there_are_several() -> None:
    choice = GalleryChoice(gallery(Eileen=vector(astronaut(), FACE)), reader(), hides_only=False)
    chosen = choice.choose(picture(astronaut() * 0, astronaut()), [FrameDetections([FACE]), FrameDetections([FACE])])
    assert [len(frame.detections) for frame in chosen.frames] == [1, 0]
    assert [entry["frame"] for entry in chosen.done] == [1]


def test_without_a_gallery_nobody_chooses() -> None:
    assert load_choice(ChooseSettings()) is None


def test_where_all_else_is_hidden_the_place_of_the_person_is_kept() -> None:
    choice = GalleryChoice(gallery(Eileen=vector(astronaut(), FACE)), reader(), hides_only=False, hides_rest=True)
    chosen = choice.choose(picture(astronaut()), [FrameDetections([FACE, PLATE])])
    assert chosen.frames[0].detections == [PLATE]
    assert chosen.kept == [[FACE.box]]
    assert chosen.done[0]["keep"] == {"box": [175, 53, 275, 181]}


def looks(*cosines: float, doubtful: int = 0, other: float = 0.0) -> list[Resemblance]:
    """Of a face that resembles the first person so much, and the second one as said."""
    rest = [max(0.0, 1 - cosine**2 - other**2) ** 0.5 for cosine in cosines]
    vectors = [np.array([cosine, other, more], np.float32) for cosine, more in zip(cosines, rest, strict=True)]
    return [*map(Resemblance, vectors), *[Resemblance(None, "is blurred")] * doubtful]


PEOPLE = gallery(Ada=np.array([1, 0, 0], np.float32), Bob=np.array([0, 1, 0], np.float32))


@pytest.mark.parametrize(
    ("seen", "is_shown"),
    [
        (looks(0.6, 0.7, 0.8), True),
        (looks(0.6, 0.7, 0.8, doubtful=3), True),
        (looks(0.6, 0.7, 0.8, doubtful=4), False),
        (looks(0.6, 0.8), False),
        (looks(0.6, 0.7, 0.8, 0.49), False),
        ([*looks(0.6, 0.7, 0.8), *looks(0.1, other=0.9)], False),
        ([], False),
    ],
)
def test_a_track_stays_visible_if_all_clear_frames_agree(seen: list[Resemblance], is_shown: bool) -> None:
    shown = GalleryChoice(PEOPLE, reader(), hides_only=False).judge_track(seen)
    assert (shown is not None) == is_shown
    if shown is not None:
        assert shown.name == "Ada"
        assert shown.why == "resembles Ada of the gallery in 3 frames, 0.70 of 1"


@pytest.mark.parametrize(
    ("seen", "is_shown"),
    [
        (looks(0.1, 0.2, 0.29), True),
        (looks(0.1, 0.2, 0.29, 0.31), False),
        (looks(0.1, 0.2), False),
        (looks(0.1, 0.2, 0.1, doubtful=4), False),
    ],
)
def test_a_track_of_somebody_else_stays_visible_if_all_frames_say_so(seen: list[Resemblance], is_shown: bool) -> None:
    shown = GalleryChoice(PEOPLE, reader(), hides_only=True).judge_track(seen)
    assert (shown is not None) == is_shown
    if shown is not None:
        assert (shown.name, shown.why) == (None, "resembles nobody of the gallery in 3 frames, 0.29 of 1 at most")
