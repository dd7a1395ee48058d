"""The detection JSON is read back as it was written, and read strictly."""

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from fakes import face, plate
from hypothesis import given
from hypothesis import strategies as st
from redact.strategies import shapes_of_people

from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline, RestOutline, StrokeOutline
from anonymizer.record.detections import film_from_json, film_to_json, from_json, to_json
from anonymizer.types import Detection, FrameDetections

SIDES = st.floats(-1e6, 1e6)
BOXES = st.tuples(SIDES, SIDES, SIDES, SIDES).map(
    lambda s: Box(min(s[0], s[2]), min(s[1], s[3]), max(s[0], s[2]), max(s[1], s[3]))
)
BY_MODELS = st.builds(
    Detection,
    BOXES,
    st.floats(0, 1),
    st.sampled_from(["face", "plate"]),
    extent=st.none() | BOXES,
    track=st.none() | st.integers(0, 10**6),
    silhouette=st.none() | shapes_of_people().filter(lambda shape: isinstance(shape, PolygonOutline)),
)
BY_HAND = st.builds(Detection.of, shapes_of_people(), st.sampled_from(["face", "plate"]), st.floats(0, 1))
DETECTIONS = BY_MODELS | BY_HAND
STROKE = {"stroke": {"points": [[0.5, 0.5]], "width": 1}}
POLYGON = {"polygon": [[1.0, 2.0], [9.0, 2.0], [5.0, 8.25]]}
ENTRY: dict[str, Any] = {"y_min": 0, "x_min": 0, "y_max": 1, "x_max": 1, "score": 1, "kind": "face"}


@st.composite
def frames(draw: st.DrawFn) -> FrameDetections:
    detections = draw(st.lists(DETECTIONS, max_size=5))
    shown = draw(st.none() | st.sets(st.sampled_from(detections)) if detections else st.none())
    return FrameDetections(detections, None if shown is None else [one for one in detections if one in shown])


@given(st.lists(frames(), min_size=1, max_size=4))
def test_round_trip(found: list[FrameDetections]) -> None:
    assert from_json(to_json(found)) == {n: frame for n, frame in enumerate(found) if frame.detections}


def test_what_every_reader_of_such_lists_finds() -> None:
    assert json.loads(to_json([FrameDetections([face(1, 2, 3, 4, 0.5)])])) == [
        {"y_min": 2, "x_min": 1, "y_max": 4, "x_max": 3, "score": 0.5, "kind": "face"}
    ]
    assert from_json(b"[]") == {}


def test_frames() -> None:
    content = json.dumps([{**ENTRY, "frame": 2}, ENTRY]).encode()
    one = FrameDetections([face(0, 0, 1, 1, 1)])
    assert from_json(content) == {2: one, 0: one}
    assert from_json(content, [(9, 9)] * 3) == {2: one, 0: one}


def test_an_entry_that_does_not_say_so_counts_as_shown_in_the_alpha_channel() -> None:
    entries = [{**ENTRY, "in_alpha": False}, {**ENTRY, "kind": "plate"}, {**ENTRY, "in_alpha": True}]
    found = from_json(json.dumps(entries).encode())[0]
    assert found.in_alpha == [plate(0, 0, 1, 1, 1), face(0, 0, 1, 1, 1)]
    assert from_json(json.dumps([ENTRY, ENTRY]).encode())[0].in_alpha is None


def test_what_is_of_a_film_or_reaches_further() -> None:
    found = FrameDetections([replace(face(1, 2, 3, 4), extent=Box(0, 2, 3, 5), track=3)])
    entry = json.loads(to_json([found]))[0]
    assert (entry["extent"], entry["track"]) == ({"y_min": 2, "x_min": 0, "y_max": 5, "x_max": 3}, 3)


def test_what_hides_all_but_some_places_has_the_size_of_the_picture() -> None:
    content = to_json([FrameDetections([Detection.of(RestOutline((9, 8)), "area")])])
    assert from_json(content, [(9, 8)]) == from_json(content)
    with pytest.raises(ValueError, match="entry 1: the rest is not of a picture of 10 x 9 pixels"):
        from_json(content, [(9, 10)])


def test_a_silhouette_goes_into_the_record_and_out_of_it() -> None:
    content = json.dumps([{**ENTRY, "silhouette": POLYGON}]).encode()
    (found,) = from_json(content)[0].detections
    assert found.silhouette == PolygonOutline(((1, 2), (9, 2), (5, 8.25)))
    assert json.loads(to_json([FrameDetections([found])])) == [{**ENTRY, "silhouette": POLYGON}]
    ((_, _, again),) = film_from_json(BytesIO(b"".join(film_to_json([(0.0, [found])]))))
    assert again == found


def test_an_outline_stands_beside_its_box() -> None:
    content = json.dumps([{**ENTRY, "x_max": 1.001, "outline": STROKE}]).encode()
    (found,) = from_json(content)[0].detections
    assert found == Detection.of(StrokeOutline(((0.5, 0.5),), 1), "face")
    assert json.loads(to_json([FrameDetections([found])]))[0]["outline"] == STROKE


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"kind": "cat"}, "kind 'cat' is not one of face, plate"),
        ({"kind": ["face"]}, "kind ['face'] is not one of"),
        ({"kind": None}, "kind None is not one of"),
        ({"x_min": 2}, "x_max 1 is below x_min 2"),
        ({"y_max": -1}, "y_max -1 is below y_min 0"),
        ({"x_min": float("nan")}, "x_min is not a finite number"),
        ({"x_max": float("inf")}, "x_max is not a finite number"),
        ({"x_max": 10**400}, "x_max is not a finite number"),
        ({"x_min": None}, "x_min is missing"),
        ({"x_min": "0"}, "x_min is not a number"),
        ({"x_min": True}, "x_min is not a number"),
        ({"score": 1.5}, "score 1.5 is not in the range 0..1"),
        ({"score": float("nan")}, "score is not a finite number"),
        ({"extent": [0, 0, 1, 1]}, "extent is not a box"),
        ({"extent": {"x_min": 0}}, "y_min is missing"),
        ({"silhouette": None}, "an outline is one of polygon, ellipse, stroke"),
        ({"silhouette": STROKE}, "silhouette is not a polygon"),
        ({"outline": STROKE, "silhouette": POLYGON}, "a detection with an outline has no silhouette"),
        ({"outline": None}, "an outline is one of polygon, ellipse, stroke"),
        ({"outline": {"stroke": {"points": [], "width": 1}}}, "a stroke has a point or more"),
        ({"outline": {"stroke": {"points": [[9, 9]], "width": 1}}}, "the box is not that of the outline"),
        ({"outline": STROKE, "extent": ENTRY}, "the box is not that of the outline, or there is an extent beside it"),
        ({"frame": -1}, "frame is not a whole number from 0 on"),
        ({"frame": 0.5}, "frame is not a whole number from 0 on"),
        ({"frame": 1}, "frame 1 is beyond the 1 frames of the picture"),
        ({"track": True}, "track is not a whole number from 0 on"),
        ({"in_alpha": 1}, "in_alpha is neither true nor false"),
        ({"extnet": None}, "'extnet' is not one of y_min, "),
        ({"x_min": 20, "x_max": 30}, "the box lies outside the 20 x 10 pixels of the picture"),
        ({"y_min": -3, "y_max": -1}, "the box lies outside the 20 x 10 pixels of the picture"),
    ],
)
def test_wrong_entries(wrong: dict[str, Any], reason: str) -> None:
    content = json.dumps([ENTRY, ENTRY, {**ENTRY, **wrong}]).encode()
    with pytest.raises(ValueError, match=r"^entry 3: ") as caught:
        from_json(content, [(10, 20)])
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated or not JSON: Expecting value in line 1"),
        (b'[\n{"x_min": 1', "truncated or not JSON: .* in line 2"),
        (b'["\xff"]', "not JSON"),
        (b"[" + b"1" * 5000 + b"]", "not JSON|entry 1"),  # from Python 3.11 on, integers have a limit
        (b"{}", "not a list of detections"),
        (b"[" * 100_000, "nested too deeply|truncated"),
        (b"[1]", "entry 1: it is not a mapping"),
    ],
)
def test_damaged_files(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_json(content)


def test_a_hundred_thousand_boxes() -> None:
    found = FrameDetections([face(n % 1000, n // 1000, n % 1000 + 1, n // 1000 + 1, 0.5) for n in range(100_000)])
    assert from_json(to_json([found]), [(200, 2000)]) == {0: found}


@given(st.lists(st.lists(BY_MODELS, max_size=3), max_size=4))
def test_a_film_is_written_in_pieces_and_read_as_ever(found: list[list[Detection]]) -> None:
    content = b"".join(film_to_json((number / 25, of_frame) for number, of_frame in enumerate(found)))
    expected = {number: FrameDetections(of_frame) for number, of_frame in enumerate(found) if of_frame}
    assert from_json(content) == expected
    for entry in json.loads(content):
        assert entry["time_s"] == entry["frame"] / 25
    one_by_one = [(n, n / 25, one) for n, of_frame in enumerate(found) for one in of_frame]
    assert list(film_from_json(BytesIO(content))) == one_by_one
    assert list(film_from_json(BytesIO(json.dumps(json.loads(content), indent=2).encode()))) == one_by_one


FILM = b"".join(film_to_json([(0.0, [face(1, 2, 3, 4)]), (0.04, [face(1, 2, 3, 4), face(5, 6, 7, 8)])]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated or not JSON"),
        (b"{}", "not a list of detections"),
        (FILM[:-3], "the list has no end"),
        (FILM[:-30], "truncated or not JSON"),
        (FILM + b"[]", "does not end with its last entry"),
        (FILM.replace(b"},", b"}"), "does not end with its last entry"),
        (FILM.replace(b'"frame": 0', b'"frame": 2'), "entry 2: frame 1 comes after frame 2"),
        (FILM.replace(b"face", b"fish"), "entry 1: kind 'fish'"),
        (FILM.replace(b'"time_s": 0.04', b'"time_s": "x"'), "entry 2: time_s is not a number"),
    ],
)
def test_damaged_records_of_films(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(film_from_json(BytesIO(content)))
