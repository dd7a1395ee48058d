from dataclasses import astuple

import numpy as np
import pytest
from fakes import face, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.merge import IOU_THRESHOLD, ViewDetections, merge_detections, merge_views
from anonymizer.geometry import Box
from anonymizer.types import Detection

sides = st.floats(0, 100)
boxes = st.builds(lambda x, y, width, height: Box(x, y, x + width, y + height), sides, sides, sides, sides)
detections = st.lists(st.builds(Detection, boxes, st.floats(0.001, 1), st.sampled_from(["face", "plate"])), max_size=30)


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.x_min <= inner.x_min
        and outer.y_min <= inner.y_min
        and outer.x_max >= inner.x_max
        and outer.y_max >= inner.y_max
    )


def test_the_better_of_two_boxes_of_one_object_stays() -> None:
    better, worse = face(0, 0, 10, 10, 0.9), face(1, 0, 11, 10, 0.8)
    (merged,) = merge_detections([worse, better])
    assert (merged.box, merged.score) == (better.box, better.score)


def test_the_box_holds_all_boxes_with_a_sufficient_score() -> None:
    better, worse, doubtful = face(0, 0, 10, 10, 0.9), face(1, 0, 11, 10, 0.7), face(0, 0, 10, 12, 0.2)
    (merged,) = merge_views([ViewDetections([better]), ViewDetections([worse]), ViewDetections([doubtful])])
    assert merged.box == Box(0, 0, 11, 10)
    assert merged.redaction_box == Box(0, 0, 11, 12)
    assert merged.score == pytest.approx(0.6)


def test_what_a_worse_box_covers_is_still_hidden() -> None:
    better, larger, elsewhere = face(10, 10, 20, 20, 0.9), face(8, 8, 22, 22, 0.8), face(50, 8, 60, 22, 0.7)
    merged, other = merge_detections([better, larger, elsewhere])
    assert merged.box == better.box
    assert merged.redaction_box == larger.box
    assert other == elsewhere
    assert merge_detections([merged, other]) == [merged, other]
    assert merge_detections([better]) == [better]
    assert better.redaction_box == better.box


def test_neighbours_and_other_kinds_stay() -> None:
    found = [face(0, 0, 10, 10), face(8, 0, 18, 10, 0.8), plate(0, 0, 10, 10)]
    assert merge_detections(found) == found


def test_nothing_stays_nothing() -> None:
    assert merge_detections([]) == []


def test_the_lowest_scores_stay() -> None:
    found = [face(0, 0, 10, 10, 0.001)]
    assert merge_detections(found) == found


def test_boxes_without_a_size_stay() -> None:
    found = [face(3, 3, 3, 3), face(9, 9, 9, 12)]
    assert merge_detections(found) == found


def test_a_row_of_overlapping_boxes_does_not_become_one() -> None:
    row = [face(4 * step, 0, 4 * step + 10, 10, 0.9 - step / 100) for step in range(20)]
    merged = merge_detections(row)
    assert len(merged) == 10
    assert max(found.redaction_box.width for found in merged) == 14


def test_boxes_of_views_without_a_vote_still_count() -> None:
    found = [ViewDetections([face(0, 0, 10, 10, 0.8)]), ViewDetections([face(0, 0, 10, 12, 0.4)], vote_min_size=50)]
    assert merge_views(found) == [face(0, 0, 10, 12, 0.8)]
    assert merge_views(found[1:]) == [face(0, 0, 10, 12, 0.4)]  # nobody has a vote


def test_a_score_is_the_mean_over_the_views_with_a_vote() -> None:
    small, large = face(0, 0, 10, 10, 0.8), face(50, 50, 150, 150, 0.6)
    views = [
        ViewDetections([small, large]),
        ViewDetections([face(0, 0, 10, 10, 0.4), face(0, 0, 10, 10, 0.2)], vote_max_size=50),
        ViewDetections([], vote_min_size=9.5),  # so near the limit that it need not have found the small one
    ]
    found = merge_views(views)
    assert [d.score for d in found] == pytest.approx([0.6, 0.3])
    assert merge_views(views, {"face": 0.5}) == found[:1]


@given(detections)
def test_merging_loses_nothing_and_leaves_no_double(found: list[Detection]) -> None:
    merged = merge_detections(found)
    for one in found:
        assert any(one.kind == other.kind and holds(other.redaction_box, one.box) for other in merged)
    assert {one.score for one in merged} <= {one.score for one in found}
    assert max((one.score for one in merged), default=0) == max((one.score for one in found), default=0)


@given(detections)
def test_merged_objects_are_those_of_non_maximum_suppression(found: list[Detection]) -> None:
    """By the definition, with every box compared to every other."""
    for kind in ("face", "plate"):
        left = sorted((d for d in found if d.kind == kind and d.box.width * d.box.height), key=lambda d: -d.score)
        kept = []
        while left:
            best = left[0]
            kept.append(best.score)
            left = [d for d in left[1:] if best.box.iou(d.box) <= IOU_THRESHOLD]
        merged = [d for d in merge_detections(found) if d.kind == kind and d.box.width * d.box.height]
        assert [d.score for d in merged] == kept


@given(detections)
def test_views_without_a_vote_do_not_lower_scores(found: list[Detection]) -> None:
    assert merge_views(
        [ViewDetections([], vote_min_size=1000), ViewDetections(found)], min_score_ratio=1
    ) == merge_detections(found)


def test_a_crowd_is_merged() -> None:
    """Ten thousand faces, each found twice."""
    places = np.random.default_rng(0).uniform(0, 5000, (10_000, 2)).tolist()
    crowd = [face(x + d, y, x + d + 20, y + 25, 0.5 + d / 10) for x, y in places for d in (0, 1)]
    merged = merge_detections(crowd)
    assert 8_000 < len(merged) <= 10_000
    assert all(len(astuple(found.box)) == 4 for found in merged)
