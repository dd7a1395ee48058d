import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box
from anonymizer.video.flow import Gray, Scale, Trail, correlations, follow, patches_of

FULL = Scale(1.0, 1.0)
BOX = Box(60, 50, 100, 90)


def texture(seed: int = 0, size: tuple[int, int] = (240, 320)) -> Gray:
    """Soft random patches, which flow can follow."""
    values = np.random.default_rng(seed).random(size).astype(np.float32)
    soft = cv2.GaussianBlur(values, (0, 0), 4)
    return np.asarray(cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX), np.uint8)  # type: ignore[call-overload]


def moved(gray: Gray, x: float, y: float, zoom: float = 1.0) -> Gray:
    matrix = np.array([[zoom, 0, x], [0, zoom, y]])
    return np.asarray(cv2.warpAffine(gray, matrix, gray.shape[::-1], borderMode=cv2.BORDER_REFLECT), np.uint8)


def follow_one(grays: list[Gray], box: Box = BOX, scale: Scale = FULL) -> Trail:
    (trail,) = follow([box], list(patches_of(grays[0], [box], scale)), grays, scale)
    return trail


@given(st.integers(-6, 6), st.integers(-6, 6))
def test_a_box_moves_with_the_picture(x: int, y: int) -> None:
    grays = [moved(texture(), step * x, step * y) for step in range(4)]
    trail = follow_one(grays)
    assert trail.holds
    for step, box in enumerate(trail.boxes, start=1):
        assert box.xyxy == pytest.approx((60 + step * x, 50 + step * y, 100 + step * x, 90 + step * y), abs=1)


def test_a_box_grows_with_what_it_holds() -> None:
    trail = follow_one([moved(texture(), 0, 0, 1.05**step) for step in range(5)])
    assert trail.end.width == pytest.approx(40 * 1.05**4, rel=0.05)


def test_boxes_are_in_pixels_of_the_film() -> None:
    grays = [moved(texture(), 3 * step, 0) for step in range(3)]
    trail = follow_one(grays, Box(120, 200, 200, 360), Scale(0.5, 0.25))
    assert trail.end.xyxy == pytest.approx((132, 200, 212, 360), abs=3)


def test_a_box_is_lost_where_something_else_appears() -> None:
    trail = follow_one([texture(), moved(texture(), 2, 0), texture(1), texture(1)])
    assert not trail.holds
    assert len(trail.boxes) == 1
    assert trail.end == trail.boxes[0]


def test_a_box_that_leaves_the_frame_is_lost() -> None:
    trail = follow_one([moved(texture(), -12 * step, 0) for step in range(10)])
    assert not trail.holds


def test_a_box_outside_of_the_frame_is_lost_at_once() -> None:
    outside = Box(400, 400, 440, 440)
    assert follow_one([texture(), texture()], outside) == Trail([], outside, False)


def test_a_single_frame_leaves_boxes_where_they_are() -> None:
    assert follow_one([texture()]) == Trail([], BOX, True)


def test_no_boxes_have_no_trails() -> None:
    assert follow([], [], [texture(), texture()], FULL) == []


def test_each_box_is_followed_by_itself() -> None:
    boxes = [Box(10 * number, 20, 10 * number + 30, 60) for number in range(20)]
    grays = [moved(texture(), 2 * step, step) for step in range(3)]
    together = follow(boxes, list(patches_of(grays[0], boxes, FULL)), grays, FULL)
    assert together == [follow_one(grays, box) for box in boxes]


def test_boxes_without_an_area_do_no_harm() -> None:
    assert len(follow_one([texture(), texture()], Box(50, 50, 50, 50)).boxes) <= 1


def test_a_patch_is_like_itself_at_any_brightness() -> None:
    patches = patches_of(texture(), [BOX], FULL)
    darker = patches_of((texture() // 2 + 20).astype(np.uint8), [BOX], FULL)
    assert correlations(patches, darker)[0] == pytest.approx(1, abs=0.01)
    assert correlations(patches, patches_of(texture(1), [BOX], FULL))[0] < 0.5


def test_patches_that_show_nothing_are_alike() -> None:
    empty = patches_of(np.full((100, 100), 70, np.uint8), [Box(1, 1, 9, 9)], FULL)
    assert correlations(empty, empty)[0] == 1
    assert correlations(empty, patches_of(texture(), [BOX], FULL))[0] == 0
