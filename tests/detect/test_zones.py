from fakes import face

from anonymizer.detect.zones import keep_in_zones, to_pixels
from anonymizer.settings import DetectSettings

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
