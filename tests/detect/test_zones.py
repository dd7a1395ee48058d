import numpy as np
import pytest
from fakes import face

from anonymizer.detect.zones import add_zones, hide_rest, keep_in_zones, rest_of, to_pixels, zones_to_hide
from anonymizer.errors import PictureError
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, FrameDetections

BOTTOM = "0,0.8 1,0.8 1,1 0,1"


def test_only_what_lies_wholly_in_an_excluded_zone_is_left_out() -> None:
    settings = DetectSettings(exclude_zone=BOTTOM)
    inside, across, above = face(10, 85, 20, 95), face(10, 75, 20, 95), face(10, 10, 20, 20)
    assert keep_in_zones([inside, across, above], (100, 200), settings) == [across, above]


def test_whatever_touches_an_included_zone_counts() -> None:
    settings = DetectSettings(include_zone=BOTTOM)
    inside, across, above = face(10, 85, 20, 95), face(10, 75, 20, 95), face(10, 10, 20, 20)
    assert keep_in_zones([inside, across, above], (100, 200), settings) == [inside, across]


def test_without_zones_everything_counts() -> None:
    assert keep_in_zones([face(0, 0, 1, 1)], (10, 10), DetectSettings()) == [face(0, 0, 1, 1)]


def test_fractions_and_pixels() -> None:
    fractions, pixels = DetectSettings(exclude_zone=f"{BOTTOM}; 0,0 200,0 0,100").exclude_zone
    assert to_pixels(fractions, (100, 200)) == ((0, 80), (200, 80), (200, 100), (0, 100))
    assert to_pixels(pixels, (100, 200)) == ((0, 0), (200, 0), (0, 100))


LOW = Detection.of(PolygonOutline(((0, 80), (200, 80), (200, 100), (0, 100))), "area")
CORNER = Detection.of(PolygonOutline(((0, 0), (20, 0), (0, 20))), "area")
BY_CAMERA = DetectSettings(redact_zone={"cam1/*": BOTTOM, "*/night-*": "0,0 20,0 0,20", "*": BOTTOM}).redact_zone


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("cam1/a.jpg", [LOW]),
        ("cam1/night-a.jpg", [LOW, CORNER]),
        ("cam1/deep/night-b.jpg", [LOW, CORNER]),
        ("CAM1/a.jpg", [LOW]),
        ("", [LOW]),
    ],
)
def test_a_picture_gets_the_zones_of_all_patterns_that_match_its_name(name: str, hidden: list[Detection]) -> None:
    assert zones_to_hide(BY_CAMERA, name, (100, 200)) == hidden


def test_names_of_other_cameras_get_none() -> None:
    zones = DetectSettings(redact_zone={"cam1/*": BOTTOM}).redact_zone
    assert zones_to_hide(zones, "cam1/a.jpg", (100, 200)) == [LOW]
    for name in ("cam2/a.jpg", "cam1.jpg", "Cam1/a.jpg", ""):
        assert zones_to_hide(zones, name, (100, 200)) == []


def test_a_zone_that_would_hide_nothing_fails_the_picture() -> None:
    zones = DetectSettings(redact_zone="300,0 400,0 400,50").redact_zone
    assert zones_to_hide(zones, "", (100, 301))[0].box == Box(300, 0, 400, 50)
    with pytest.raises(PictureError, match="has a zone to hide outside its 200 x 100 pixels; give it in fractions"):
        zones_to_hide(zones, "", (100, 200))


def test_zones_are_in_every_frame_and_in_the_alpha_channel_where_that_shows_anything() -> None:
    varied = np.full((100, 200), 255, np.uint8)
    varied[85, 50] = 0
    pixels = np.zeros((100, 200, 3), np.uint8)
    frames = (Frame(pixels), Frame(pixels, np.full_like(varied, 255)), Frame(pixels, varied))
    picture = Picture(frames, b"", Encoding("PNG"))
    zones = DetectSettings(redact_zone=BOTTOM).redact_zone
    one = face(1, 1, 5, 5)
    found = [FrameDetections([one]), FrameDetections([one], [one], 3), FrameDetections([], [])]
    assert add_zones(picture, found, zones, "a.png") == [
        FrameDetections([one, LOW]),
        FrameDetections([one, LOW], [one], 3),
        FrameDetections([LOW], [LOW]),
    ]
    assert add_zones(picture, found, (), "a.png") is found


def test_what_is_to_be_hidden_in_a_place_that_is_kept_stays_hidden() -> None:
    picture, kept = Picture((Frame(np.zeros((100, 200, 3), np.uint8)),), b"", Encoding("PNG")), Box(0, 0, 50, 50)
    earlier = rest_of((100, 200), [Box(0, 0, 90, 90)])
    (hidden,) = hide_rest(picture, [FrameDetections([face(10, 10, 20, 20), earlier])], [[kept]])
    assert hidden.detections == [face(10, 10, 20, 20), rest_of((100, 200), [kept])]


def test_a_zone_that_is_recorded_already_is_not_added_again() -> None:
    picture = Picture((Frame(np.zeros((100, 200, 3), np.uint8)),), b"", Encoding("PNG"))
    found = [FrameDetections([LOW, face(1, 1, 5, 5)])]
    assert add_zones(picture, found, DetectSettings(redact_zone=BOTTOM).redact_zone, "a.png") == found
