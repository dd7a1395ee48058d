"""The same thing in many frames is one finding."""

from dataclasses import replace

from anonymizer.check.finding import Finding
from anonymizer.check.spans import Joined, Spans
from anonymizer.geometry import Box

FACE = Finding("a.mp4", "face", "not redacted", "finding", Box(10, 10, 30, 30), 0.5)


def moved(finding: Finding, x: float, score: float = 0.5) -> Finding:
    assert finding.box is not None
    left, top, right, bottom = finding.box.xyxy
    return replace(finding, box=Box(left + x, top, right + x, bottom), score=score)


def joined(frames: list[list[Finding]], rate: float = 25) -> list[Joined]:
    spans = Spans()
    ended = [one for index, found in enumerate(frames) for one in spans.add(index, index / rate, found)]
    return ended + spans.finish()


def test_a_thing_that_moves_is_one_finding_where_it_shows_most() -> None:
    (one,) = joined([[moved(FACE, 2 * index, 0.9 if index == 7 else 0.5)] for index in range(20)])
    assert one.finding == replace(moved(FACE, 14, 0.9), frame=7, time_s=0.28, frames=(0, 19))
    assert one.frames == 20


def test_two_things_in_a_frame_are_two_findings() -> None:
    assert len(joined([[FACE, moved(FACE, 5)]] * 3)) == 2


def test_other_places_kinds_levels_texts_and_tracks_are_other_findings() -> None:
    others = [
        moved(FACE, 100),
        replace(FACE, kind="plate"),
        replace(FACE, level="warning"),
        replace(FACE, text="another"),
        replace(FACE, track=2),
    ]
    assert len(joined([[FACE], *([other] for other in others)])) == 6


def test_a_pause_ends_a_finding_at_last_after_a_second() -> None:
    pause: list[list[Finding]] = [[]] * 24
    assert [one.finding.frames for one in joined([[FACE], *pause, [FACE]])] == [(0, 25)]
    assert [one.finding.frames for one in joined([[FACE], *pause, [], [FACE]])] == [(0, 0), (26, 26)]


def test_close_ups_are_of_the_frame_that_shows_most() -> None:
    spans = Spans()
    for index, score in enumerate((0.4, 0.8, 0.6)):
        spans.add(index, index / 25, [moved(FACE, 0, score)], lambda one: str(one.score).encode())
    assert [one.close_up for one in spans.finish()] == [b"0.8"]


def test_what_has_no_place_is_joined_too() -> None:
    (one,) = joined([[Finding("a.mp4", "changed", "text")]] * 3)
    assert one.finding.frames == (0, 2)
