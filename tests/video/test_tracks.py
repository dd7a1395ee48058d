from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from fakes import face, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box, hull
from anonymizer.types import Detection
from anonymizer.video.tracks import FilmTracks, Limits, TrackBuilder, bridge, likenesses, match

THRESHOLDS = {"face": 0.5, "plate": 0.5}
NO_GRACE = Limits(gap_s=1, grace_s=0)


def at(x: float, score: float = 0.9) -> Detection:
    return face(x, 10, x + 20, 30, score)


def times(frames: int, fps: float = 25) -> list[float]:
    return [frame / fps for frame in range(frames)]


def frames_of(tracks: FilmTracks, number: int = 1) -> list[int]:
    return [frame for frame in range(tracks.frames) if number in [one.track for one in tracks.in_frame(frame)]]


def test_a_detection_is_of_the_object_that_it_overlaps_most() -> None:
    expected = [("face", Box(0, 10, 20, 30)), ("face", Box(10, 10, 30, 30))]
    assert match(expected, [at(9), at(1)], THRESHOLDS) == [1, 0]


def test_sure_detections_come_before_weak_ones() -> None:
    assert match([("face", Box(0, 10, 20, 30))], [at(0, 0.3), at(6, 0.9)], THRESHOLDS) == [None, 0]


def test_kinds_are_never_mixed() -> None:
    assert match([("plate", Box(0, 10, 20, 30))], [at(0)], THRESHOLDS) == [None]


def test_what_is_far_away_is_another_object() -> None:
    assert match([("face", Box(0, 10, 20, 30))], [at(90)], THRESHOLDS) == [None]


@given(st.lists(st.integers(0, 200), max_size=8), st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=8))
def test_no_two_detections_are_of_one_object(objects: list[int], found: list[tuple[int, bool]]) -> None:
    detections = [at(x, 0.9 if is_sure else 0.3) for x, is_sure in found]
    chosen = match([("face", at(x).box) for x in objects], detections, THRESHOLDS)
    known = [index for index in chosen if index is not None]
    assert len(known) == len(set(known))
    assert len(chosen) == len(found)


def test_boxes_that_do_not_touch_are_alike_if_they_are_near() -> None:
    near, far = likenesses([Box(0, 0, 10, 10)], [Box(11, 0, 21, 10), Box(40, 0, 50, 10)])[0]
    assert near > 0
    assert far == 0


def test_a_bridge_hides_what_either_side_says() -> None:
    first, last = (0, Box(0, 0, 10, 10)), (3, Box(30, 0, 40, 10))
    boxes = bridge(first, last, {1: Box(8, 0, 18, 10)}, {1: Box(10, 0, 20, 10), 2: Box(20, 0, 30, 10)})
    assert boxes == {1: Box(8, 0, 20, 10), 2: Box(20, 0, 30, 10)}


@given(st.dictionaries(st.integers(1, 8), st.integers(0, 90)), st.dictionaries(st.integers(1, 8), st.integers(0, 90)))
def test_a_bridge_has_no_gap(ahead: dict[int, int], back: dict[int, int]) -> None:
    def moved(places: dict[int, int]) -> dict[int, Box]:
        return {frame: Box(x, 0, x + 10, 10) for frame, x in places.items()}

    boxes = bridge((0, Box(0, 0, 10, 10)), (9, Box(90, 0, 100, 10)), moved(ahead), moved(back))
    assert sorted(boxes) == list(range(1, 9))
    for frame, box in boxes.items():
        said = [side[frame] for side in (moved(ahead), moved(back)) if frame in side]
        assert not said or box == hull(said)


def test_between_known_boxes_an_object_moves_evenly() -> None:
    boxes = bridge((0, Box(0, 0, 10, 10)), (4, Box(40, 0, 50, 10)), {}, {})
    assert boxes[1] == Box(10, 0, 20, 10)


def test_a_single_detection_is_hidden_with_a_time_of_grace() -> None:
    builder = TrackBuilder(Limits(grace_s=0.2))
    builder.see(builder.begin("face"), 50, at(5), True)
    assert frames_of(builder.finish(times(100))) == list(range(45, 56))


def test_the_time_of_grace_ends_at_cuts() -> None:
    builder = TrackBuilder(Limits(grace_s=0.2))
    builder.see(builder.begin("face"), 50, at(5), True)
    assert frames_of(builder.finish(times(100), cuts=[48, 53])) == list(range(48, 53))


def test_what_was_followed_far_from_a_single_detection_is_dropped() -> None:
    builder = TrackBuilder(Limits(grace_s=0.2))
    track = builder.begin("face")
    builder.see(track, 50, at(5), True)
    builder.hide(track, {frame: Box(0, 0, 9, 9) for frame in range(51, 70)})
    tracks = builder.finish(times(100))
    assert frames_of(tracks) == list(range(45, 56))
    assert tracks.in_frame(53)[0].box == Box(0, 0, 9, 9)


def test_several_sure_detections_confirm_weak_ones() -> None:
    builder = TrackBuilder(NO_GRACE)
    alone, confirmed = builder.begin("face"), builder.begin("face")
    for frame in range(5, 10):
        builder.see(alone, frame, at(5, 0.3), False)
        builder.see(confirmed, frame, at(90, 0.3), False)
    for frame in (10, 11):
        builder.see(confirmed, frame, at(90), True)
    tracks = builder.finish(times(20))
    assert len(tracks.tracks) == 1
    assert frames_of(tracks) == list(range(5, 12))


@pytest.mark.parametrize(("weak", "frames"), [([5, 15], list(range(5, 16))), ([5], [10]), ([], [10])])
def test_a_sure_detection_and_two_weak_ones_confirm_each_other(weak: list[int], frames: list[int]) -> None:
    builder = TrackBuilder(NO_GRACE)
    track = builder.begin("plate")
    seen = {10: 0.9, **dict.fromkeys(weak, 0.3)}
    for frame in range(5, 16):
        if frame in seen:
            builder.see(track, frame, plate(20, 20, 40, 30, seen[frame]), seen[frame] == 0.9)
        else:
            builder.hide(track, {frame: Box(20, 20, 40, 30)})
    assert frames_of(builder.finish(times(20))) == frames


def test_tracks_are_numbered_as_they_begin() -> None:
    builder = TrackBuilder(NO_GRACE)
    late, early = builder.begin("plate"), builder.begin("face")
    levels = np.array([[3]], np.uint8)
    builder.set_levels(late, levels)
    builder.see(late, 9, plate(1, 2, 30, 9), True)
    builder.see(early, 2, at(5), True)
    tracks = builder.finish(times(20))
    assert [(track.number, track.kind) for track in tracks.tracks] == [(1, "face"), (2, "plate")]
    assert tracks.tracks[1].levels is levels
    assert tracks.tracks[0].levels is None
    assert tracks.counts == {"face": 1, "plate": 1}


def test_places_drawn_at_random_follow_from_where_tracks_begin() -> None:
    """By the number alone, the first tracks of all films would have the same."""
    films = []
    for x in (5.0, 5.25):
        builder = TrackBuilder(NO_GRACE)
        first, second = builder.begin("face"), builder.begin("face")
        for frame in (2, 3):
            builder.see(first, frame, at(x + frame), True)
            builder.see(second, frame, at(80), True)
        films.append(builder.finish(times(9)))
    one, other = films
    assert one.seed_of(1) != other.seed_of(1)
    assert one.seed_of(2) == other.seed_of(2) != one.seed_of(1)
    assert one.only([1]).seed_of(1) == one.seed_of(1)


def test_what_no_model_saw_has_no_score() -> None:
    builder = TrackBuilder(NO_GRACE)
    track = builder.begin("face")
    for frame in (3, 5):
        builder.see(track, frame, at(5), True)
    builder.hide(track, {4: Box(5, 5, 20, 20)})
    tracks = builder.finish(times(9))
    assert [tracks.in_frame(frame)[0].score for frame in (3, 4, 5)] == [0.9, 0, 0.9]


def test_extents_are_hidden() -> None:
    builder = TrackBuilder(NO_GRACE)
    seen = Detection(Box(5, 5, 20, 20), 0.9, "face", Box(1, 5, 20, 28))
    builder.see(builder.begin("face"), 3, seen, True)
    (found,) = builder.finish(times(9)).in_frame(3)
    assert (found.box, found.redaction_box) == (seen.box, seen.redaction_box)


def test_a_film_without_objects() -> None:
    tracks = TrackBuilder(NO_GRACE).finish(times(3))
    assert tracks.in_frame(2) == []
    assert tracks.counts == {}


@pytest.mark.parametrize("index", [-1, 3])
def test_there_are_no_frames_beyond_the_film(index: int) -> None:
    with pytest.raises(IndexError, match="of 3"):
        TrackBuilder(NO_GRACE).finish(times(3)).in_frame(index)


Chains = Sequence[Sequence[tuple[bool, bool]]]
"""For each track, for each frame: whether it is seen there, and for sure."""


@given(
    st.lists(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=12, max_size=12), max_size=4),
    st.sets(st.integers(1, 11), max_size=2),
    st.floats(0, 0.3),
)
def test_cover_is_only_added_and_never_has_gaps(chains: Chains, cuts: set[int], grace_s: float) -> None:
    builder, borders = TrackBuilder(Limits(grace_s=grace_s)), [0, *sorted(cuts), 12]
    for chain in chains:
        for start, end in pairwise(borders):  # look ends tracks at cuts
            seen = [frame for frame in range(start, end) if chain[frame][0]]
            if not seen:
                continue
            track = builder.begin("face")
            for frame in range(seen[0], seen[-1] + 1):
                if frame in seen:
                    builder.see(track, frame, at(frame, 0.9 if chain[frame][1] else 0.3), chain[frame][1])
                else:
                    builder.hide(track, {frame: Box(frame, 10, frame + 20, 30)})
    tracks = builder.finish(times(12), sorted(cuts))
    for frame in range(12):
        hidden = [one.box for one in tracks.in_frame(frame)]
        sure = sum(chain[frame] == (True, True) for chain in chains)
        assert hidden.count(at(frame).box) >= sure
    for one in tracks.tracks:
        frames = frames_of(tracks, one.number)
        assert frames == list(range(frames[0], frames[-1] + 1))
        assert not any(frames[0] < cut <= frames[-1] for cut in cuts)
