"""Edits are read strictly, change what they say and nothing else, and can be undone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest
from fakes import face, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import PictureError, SettingsError
from anonymizer.geometry import Box
from anonymizer.kinds import KINDS
from anonymizer.outlines import EllipseOutline, PolygonOutline, StrokeOutline
from anonymizer.record.edits import (
    ACTIONS,
    NO_EDITS,
    Edit,
    Edited,
    Edits,
    apply_edits,
    find_edits,
    parse_edits,
    read_edits,
    render_edits,
)
from anonymizer.types import Detection, FrameDetections

SIZES = [(100, 200)]
NUMBERS = st.integers(0, 99) | st.floats(0, 99)
SIDES = st.floats(1, 50)
BOXES = st.builds(lambda x, y, w, h: Box(float(x), float(y), x + w, y + h), NUMBERS, NUMBERS, SIDES, SIDES)
OUTLINES = st.one_of(
    st.builds(
        lambda x, y, w, h: PolygonOutline(((x, y), (x + w, y), (x, y + h))),
        *(st.floats(0, 90), st.floats(0, 90), SIDES, SIDES),
    ),
    st.builds(EllipseOutline, st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.floats(-180, 180)),
    st.builds(StrokeOutline, st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=3).map(tuple), SIDES),
)
TEXTS = st.none() | st.text(max_size=9)
SPANS = st.tuples(st.just(-inf) | st.floats(-9, 0), st.floats(1, 9)) | st.tuples(st.floats(0, 9), st.just(inf))
NAMES = st.from_regex(r"[a-z]{1,3}(/[a-z ]{1,3})?\.jpg", fullmatch=True)


def with_texts(edit: Edit, texts: Sequence[str | None]) -> Edit:
    return replace(edit, reason=texts[0], by=texts[1], at=texts[2])


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    action = draw(st.sampled_from(ACTIONS))
    place = draw(BOXES | OUTLINES if action in ("add", "keep") else BOXES)
    to = draw(BOXES | OUTLINES) if action == "resize" else None
    frame = draw(st.none() | st.integers(0, 9))
    kind = None if action in ("keep", "mute") else draw(st.sampled_from(KINDS))
    edit = Edit(0, draw(NAMES), action, place, kind, to, frame)
    if action == "mute":
        edit = replace(edit, place=None, frame=None, span=draw(SPANS))
    else:
        edit = replace(edit, span=draw(st.none() | SPANS))
    if action == "relabel":
        edit = replace(edit, label=draw(st.sampled_from(KINDS)))
    if action in ("remove", "relabel") and draw(st.booleans()):
        edit = replace(edit, place=None, track=draw(st.integers(1, 9)))
    return with_texts(edit, draw(st.tuples(TEXTS, TEXTS, TEXTS)))


@given(st.lists(edits(), max_size=5))
def test_what_is_rendered_is_parsed_again(written: list[Edit]) -> None:
    numbered = [replace(edit, number=number) for number, edit in enumerate(written, 1)]
    found = parse_edits(render_edits(numbered), "edits.json").of_files.values()
    assert sorted((edit for of_file in found for edit in of_file), key=lambda edit: edit.number) == numbered


@st.composite
def recorded_and_edits(draw: st.DrawFn) -> tuple[FrameDetections, list[Edit]]:
    """Detections that do not overlap, and edits that fit them one after the other."""
    places = draw(st.lists(st.integers(0, 9), unique=True, max_size=6))
    found = [face(20 * n, 10, 20 * n + draw(st.floats(2, 18)), 30, draw(st.floats(0, 1))) for n in places]
    if found and draw(st.sampled_from([True, False])):
        found[0] = replace(found[0], extent=Box(0, 0, 200, 100), track=3)
    shown = draw(st.none() | st.just(found[::2]))
    left, chosen = list(found), []
    for number in range(1, draw(st.integers(0, 6)) + 1):
        action = draw(st.sampled_from(["add", "remove", "resize"] if left else ["add"]))
        if action == "add":
            chosen.append(Edit(number, "a.jpg", "add", draw(BOXES | OUTLINES), "plate"))
            continue
        one = left.pop(draw(st.integers(0, len(left) - 1)))
        to = draw(BOXES | OUTLINES) if action == "resize" else None
        chosen.append(Edit(number, "a.jpg", "remove" if to is None else "resize", one.box, "face", to))
        if to is not None:
            left.clear()  # the new box may lie over others
    return FrameDetections(found, shown), chosen


@given(recorded_and_edits())
def test_edits_can_be_undone(recorded: tuple[FrameDetections, list[Edit]]) -> None:
    frame, chosen = recorded
    before = list(frame.detections), None if frame.in_alpha is None else list(frame.in_alpha)
    states = [apply_edits([frame], chosen[:number], SIZES, "e").frames[0] for number in range(len(chosen) + 1)]
    assert (list(frame.detections), frame.in_alpha) == before  # what was recorded stays as it is
    assert states[0] == frame
    for number, edit in enumerate(chosen):
        assert undone(edit, states[number + 1], before[0]) == sorted(map(repr, states[number].detections))


def undone(edit: Edit, frame: FrameDetections, recorded: Sequence[Detection]) -> list[str]:
    """The detections before the last edit, sorted."""
    detections = list(frame.detections)
    if edit.action != "remove":
        detections.pop()
    if edit.action != "add":
        detections.append(next(one for one in recorded if one.box == edit.place))
    return sorted(map(repr, detections))


@given(recorded_and_edits())
def test_what_is_added_or_resized_counts_as_shown_in_the_alpha_channel(
    recorded: tuple[FrameDetections, list[Edit]],
) -> None:
    frame, chosen = recorded
    after = apply_edits([frame], chosen, SIZES, "e").frames[0]
    assert (after.in_alpha is None) == (frame.in_alpha is None)
    if after.in_alpha is not None:
        assert set(after.in_alpha) <= set(after.detections)
        assert set(after.detections) - set(frame.detections) <= set(after.in_alpha)


def entry(**keys: Any) -> dict[str, Any]:
    return {"file": "a.jpg", **keys}


def parsed(*entries: Mapping[str, Any]) -> Edits:
    return parse_edits(json.dumps({"edits": entries}).encode(), "edits.json")


def edited(frames: Sequence[FrameDetections], *entries: Mapping[str, Any]) -> Edited:
    return apply_edits(frames, parsed(*entries).of("a.jpg"), SIZES * len(frames), "edits.json")


FACE, PLATE = face(10, 10, 30, 30, 0.8), plate(50, 10, 70, 20)
FRAME = FrameDetections([FACE, PLATE], not_counted=2)


def test_yaml_as_people_write_it() -> None:
    text = b"""
edits:
- file: sub/a.jpg
  add: {polygon: [[1, 2], [30, 2], [1, 40.5]]}
  kind: plate
  reason: a tattoo
  by: Ada
  at: 2026-11-28
- {file: b.gif, frame: 3, remove: {box: [1, 2, 3, 4]}, kind: face, at: 2026-11-28T10:00:00}
"""
    found = parse_edits(text, "edits.yaml")
    (one,) = found.of("sub/a.jpg")
    outline = PolygonOutline(((1, 2), (30, 2), (1, 40.5)))
    assert one == Edit(1, "sub/a.jpg", "add", outline, "plate", None, None, "a tattoo", "Ada", "2026-11-28")
    (other,) = found.of("b.gif")
    assert other == Edit(2, "b.gif", "remove", Box(1, 2, 3, 4), "face", None, 3, at="2026-11-28T10:00:00")
    assert found.of("c.jpg") == ()
    assert found.kinds == {"face", "plate"}
    assert parse_edits(b"", "edits.yaml") == Edits("edits.yaml")


def test_each_action() -> None:
    smaller = Box(12, 12, 20, 20)
    after = edited(
        [FRAME],
        entry(remove={"box": [50, 10, 69, 20]}, kind="plate", reason="ours", by="Ada"),
        entry(resize={"box": [10, 10, 30, 30]}, to={"box": list(smaller.xyxy)}, kind="face"),
        entry(add={"box": [1, 2, 3, 4]}, kind="plate", reason="seen", at="today"),
    )
    assert after.frames == [FrameDetections([replace(FACE, box=smaller), plate(1, 2, 3, 4, 1.0)], not_counted=2)]
    assert after.done == [
        {
            "entry": 1,
            "remove": {"box": [50, 10, 69, 20]},
            "kind": "plate",
            "reason": "ours",
            "by": "Ada",
            "found": {"box": [50, 10, 70, 20], "score": 0.9},
        },
        {
            "entry": 2,
            "resize": {"box": [10, 10, 30, 30]},
            "kind": "face",
            "to": {"box": [12, 12, 20, 20]},
            "found": {"box": [10, 10, 30, 30], "score": 0.8},
        },
        {"entry": 3, "add": {"box": [1, 2, 3, 4]}, "kind": "plate", "reason": "seen", "at": "today"},
    ]
    assert edited([FRAME]) == Edited([FRAME], [])
    assert NO_EDITS.of("a.jpg") == ()


def test_what_is_relabelled_is_hidden_as_another_kind() -> None:
    after = edited([FRAME], entry(relabel={"box": [10, 10, 30, 30]}, kind="face", to="plate"))
    assert after.frames == [FrameDetections([PLATE, replace(FACE, kind="plate")], not_counted=2)]
    assert after.done[0]["to"] == "plate"
    assert parsed(entry(relabel={"box": [10, 10, 30, 30]}, kind="face", to="area")).kinds == {"face", "area"}


def test_what_is_said_of_sound() -> None:
    found = parsed(entry(mute=[1, 2.5]), entry(mute=[None, 3]), entry(add={"box": [1, 2, 3, 4]}))
    assert found.mute("a.jpg") == [(1.0, 2.5), (-inf, 3.0)]
    assert found.mute("b.jpg") == []


@pytest.mark.parametrize(
    "of_film",
    [
        entry(mute=[1, 2]),
        entry(remove={"track": 1}, kind="face"),
        entry(add={"box": [1, 2, 3, 4]}, span=[1, 2]),
    ],
)
def test_what_is_of_films_does_not_fit_pictures(of_film: dict[str, Any]) -> None:
    with pytest.raises(PictureError, match="entry 1: tracks, spans and sound are of films only"):
        edited([FRAME], of_film)


def test_what_is_added_without_a_frame_is_hidden_in_all_of_them() -> None:
    after = edited([FRAME, FrameDetections([]), FRAME], entry(add={"box": [1, 2, 3, 4]}, kind="face"))
    assert [len(frame.detections) for frame in after.frames] == [3, 1, 3]
    after = edited([FRAME, FrameDetections([]), FRAME], entry(frame=1, add={"box": [1, 2, 3, 4]}, kind="face"))
    assert [len(frame.detections) for frame in after.frames] == [2, 1, 2]


def test_places_that_are_kept() -> None:
    places = [{"box": [1, 2, 3, 4]}, {"stroke": {"points": [[1, 2]], "width": 3}}]
    entries = [entry(keep=places[0], frame=1, reason="sky"), entry(keep=places[1], frame=0)]
    after = edited([FRAME, FRAME], *entries)
    assert after.kept == [[StrokeOutline(((1, 2),), 3)], [Box(1, 2, 3, 4)]]
    assert after.frames == [FRAME, FRAME]
    assert after.done[0] == {"entry": 1, "keep": {"box": [1, 2, 3, 4]}, "frame": 1, "reason": "sky"}
    assert [edit.number for edit in parsed(*entries).kept] == [1, 2]
    assert parsed(*entries).kinds == frozenset()


@pytest.mark.parametrize("place", [{"box": [0, 0, 40, 40]}, {"polygon": [[0, 0], [40, 0], [40, 40], [0, 40]]}])
def test_what_was_found_in_a_place_that_is_kept_is_approved(place: Mapping[str, object]) -> None:
    area = replace(face(10, 10, 30, 30), kind="area")
    found = FrameDetections([FACE, area, face(30, 10, 50, 30)], [FACE, area])
    after = edited([found], entry(keep=place))
    assert after.frames == [FrameDetections([area, face(30, 10, 50, 30)], [area])]


def test_the_exact_box_is_meant_before_others_near_it() -> None:
    twin = face(11, 10, 31, 30)
    frame = FrameDetections([FACE, twin])
    after = edited([frame], entry(remove={"box": [11, 10, 31, 30]}, kind="face"))
    assert after.frames == [FrameDetections([FACE])]
    with pytest.raises(PictureError, match=r"edits\.json entry 1: 2 faces are there: name one by its exact box"):
        edited([frame], entry(remove={"box": [10.5, 10, 30.5, 30]}, kind="face"))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"remove": {"box": [10, 10, 18, 30]}, "kind": "face"}, "a face to remove is not there"),
        ({"remove": {"box": [10, 10, 30, 30]}, "kind": "plate"}, "a plate to remove is not there"),
        (
            {"resize": {"box": [40, 10, 41, 30]}, "to": {"box": [1, 1, 2, 2]}, "kind": "face"},
            "a face to resize is not there",
        ),
        (
            {"resize": {"box": [10, 10, 30, 30]}, "to": {"box": [200, 1, 300, 2]}, "kind": "face"},
            "its place lies outside the 200 x 100 pixels",
        ),
        ({"add": {"box": [0, -9, 9, -1]}, "kind": "face"}, "its place lies outside the 200 x 100 pixels"),
        ({"add": {"box": [0, 0, 1, 1]}, "kind": "face", "frame": 1}, "frame 1 is beyond the 1 frames"),
    ],
)
def test_edits_that_do_not_fit_the_picture(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(PictureError) as caught:
        edited([FRAME], entry(add={"box": [0, 0, 1, 1]}, kind="face"), entry(**keys))
    assert str(caught.value).startswith(f"does not fit its edits, edits.json entry 2: {reason}")


def test_what_is_uncovered_needs_a_frame_where_there_are_several() -> None:
    for what in ({"remove": {"box": [10, 10, 30, 30]}, "kind": "face"}, {"keep": {"box": [10, 10, 30, 30]}}):
        with pytest.raises(PictureError, match="the picture has 2 frames: say in which 'frame'"):
            edited([FRAME, FRAME], entry(**what))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (3, "it is not a mapping"),
        (entry(), "it has none of add, remove, resize, relabel, keep, mute"),
        (entry(keep={"box": [1, 2, 3, 4]}, kind="face"), "a place that is kept has no kind"),
        (entry(add={}, remove={}), "it has add and remove of add, remove, resize, relabel, keep, mute"),
        (entry(hide={}), "'hide' is not one of file, "),
        (entry(add={"box": [1, 2, 3, 4]}, kind="cat"), "kind 'cat' is not one of face, "),
        (entry(remove={"box": [1, 2, 3, 4]}), "kind is missing: of what is there to remove?"),
        (
            entry(remove={"stroke": {"points": [[1, 2]], "width": 3}}, kind="face"),
            "remove names a detection by its box",
        ),
        (entry(resize={"box": [1, 2, 3, 4]}, kind="face"), "resize says the new place with 'to'"),
        (entry(remove={"box": [1, 2, 3, 4]}, to={"box": [1, 2, 3, 4]}, kind="face"), "resize says the new place"),
        (entry(add={"box": [1, 2, 3]}, kind="face"), "a box is [x_min, y_min, x_max, y_max]"),
        (entry(add={"box": "1,2,3,4"}, kind="face"), "a box is [x_min, y_min, x_max, y_max]"),
        (entry(add={"box": [1, 2, 3, "4"]}, kind="face"), "a box has four numbers"),
        (entry(add={"box": [1, 2, 3, float("nan")]}, kind="face"), "Box(x_min=1.0, "),
        (entry(add={"box": [1, 2, 0, 4]}, kind="face"), "Box(x_min=1.0, "),
        (entry(add={"box": [1, 2, 10**400, 4]}, kind="face"), "the numbers of a box are finite"),
        (entry(add=[1, 2, 3, 4], kind="face"), "an outline is one of polygon, ellipse, stroke"),
        (entry(add={"rest": {"height": 9, "width": 9, "kept": []}}), "a 'rest' is of runs with --hide-all-but"),
        (entry(add={"polygon": [[1, 2]]}, kind="face"), "a polygon has three or more corners"),
        (entry(add={"box": [1, 2, 3, 4]}, kind="face", frame=-1), "frame is not a whole number"),
        (entry(add={"box": [1, 2, 3, 4]}, kind="face", frame=True), "frame is not a whole number"),
        (entry(mute=[1, 2], kind="face"), "a place that is kept has no kind, nor has sound"),
        (entry(mute=[1, 2], span=[1, 2]), "mute says its span itself"),
        (entry(mute=[1, 2], frame=3), "mute says its span itself"),
        (entry(mute=7), "a span is [from, to] in seconds"),
        (entry(mute=[None, None]), "a span is [from, to] in seconds"),
        (entry(mute=["1", 2]), "a span has two numbers"),
        (entry(mute=[2, 1]), "a span goes from an earlier time to a later one"),
        (entry(mute=[float("nan"), 1]), "a span goes from an earlier time to a later one"),
        (entry(mute=[1, float("inf")]), "a span goes from an earlier time to a later one"),
        (entry(mute=[1, 10**400]), "the numbers of a span are finite"),
        (entry(remove={"track": 0}, kind="face"), "track is not a whole number from 1 on"),
        (entry(resize={"track": 1}, to={"box": [1, 2, 3, 4]}, kind="face"), "an outline is one of"),
        (entry(relabel={"box": [1, 2, 3, 4]}, kind="face"), "relabel the new kind"),
        (entry(relabel={"box": [1, 2, 3, 4]}, kind="face", to="cat"), "kind 'cat' is not one of"),
        (entry(add={"box": [1, 2, 3, 4]}, kind="face", by=7), "by is not a text; put it in quotes"),
        ({"add": {"box": [1, 2, 3, 4]}, "kind": "face"}, "file is missing"),
        ({"file": "../a.jpg", "add": {"box": [1, 2, 3, 4]}, "kind": "face"}, "file '../a.jpg' is not a path below"),
        ({"file": "./a.jpg", "add": {"box": [1, 2, 3, 4]}, "kind": "face"}, "file './a.jpg' is not a path below"),
        ({"file": "/a.jpg", "add": {"box": [1, 2, 3, 4]}, "kind": "face"}, "file '/a.jpg' is not a path below"),
    ],
)
def test_wrong_entries(wrong: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^entry 2: ") as caught:
        parsed(entry(add={"box": [1, 2, 3, 4]}, kind="face"), wrong)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("edits.json", b'{"edits": [', "truncated or not JSON"),
        ("edits.json", b"[]", "not a mapping with a list 'edits'"),
        ("edits.json", b'{"edits": {}}', "not a mapping with a list 'edits'"),
        ("edits.json", b'{"edits": [], "zones": []}', "and nothing else"),
        ("edits.json", b'{"edits": [{"file": "a.jpg", "add": {}, "add": {}}]}', "key 'add' is there twice"),
        ("edits.yaml", b"edits: [", "not YAML"),
        ("edits.yaml", b"\xff\xfe\xfd", "not YAML"),
        ("edits.yaml", b"edits: []\nedits: []", "key 'edits' is there twice, in line 1"),
        ("edits.yaml", b"edits:\n- {file: a.jpg, kind: face, kind: plate}", "key 'kind' is there twice, in line 2"),
        ("edits.yaml", b"edits: !!python/object:os.system {}", "not YAML"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=f"edits .*{name}: ") as caught:
        read_edits(tmp_path / name)
    assert reason in str(caught.value)


def test_files_beside_records(tmp_path: Path) -> None:
    assert find_edits(tmp_path) is None
    (tmp_path / "edits.json").write_text('{"edits": []}')
    assert find_edits(tmp_path) == tmp_path / "edits.json"
    (tmp_path / "edits.yaml").touch()
    with pytest.raises(SettingsError, match=r"holds edits\.yaml and edits\.json: keep one of them"):
        find_edits(tmp_path)
    with pytest.raises(SettingsError, match="No such file"):
        read_edits(tmp_path / "nowhere.yaml")


def test_reasons_can_be_required() -> None:
    given = parsed(
        entry(add={"box": [1, 2, 3, 4]}, kind="face", reason="a tattoo"),
        entry(add={"box": [1, 2, 3, 4]}, kind="face", reason=" "),
    )
    with pytest.raises(SettingsError, match=r"edits edits\.json: entry 2 gives no reason"):
        given.require_reasons()


def test_names_that_are_not_text_are_read_from_yaml() -> None:
    content = rb'edits: [{file: "\uDCFF.png", add: {box: [1, 2, 3, 4]}}]'
    assert list(parse_edits(content, "edits.yaml").of_files) == ["\udcff.png"]
