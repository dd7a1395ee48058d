from collections.abc import Sequence

import numpy as np
import pytest
from fakes import face, noise, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.panorama import unwrap, wrap
from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection

WIDTH, STRIP = 80, 10


def found_at(*places: tuple[float, float], score: float = 0.9) -> list[Detection]:
    """Faces in the wrapped picture, by where they begin and end across the picture itself."""
    return [face(x_min + STRIP, 5, x_max + STRIP, 15, score) for x_min, x_max in places]


def sides(detections: Sequence[Detection]) -> list[tuple[float, float]]:
    return [(d.box.x_min, d.box.x_max) for d in detections]


def test_a_wrapped_picture_goes_on_beyond_its_edges() -> None:
    picture = noise(20, WIDTH)
    wrapped = wrap(picture)
    assert wrapped.shape == (20, WIDTH + 2 * STRIP, 3)
    assert (wrapped == np.concatenate((picture, picture, picture), axis=1)[:, WIDTH - STRIP : 2 * WIDTH + STRIP]).all()
    assert wrap(noise(1, 1)).shape == (1, 3, 3)


def test_detections_in_the_picture_keep_their_place() -> None:
    found = [*found_at((0, 8), (30, 40), (72, 80)), plate(30 + STRIP, 5, 40 + STRIP, 15)]
    assert unwrap(found, WIDTH) == [face(0, 5, 8, 15), face(30, 5, 40, 15), face(72, 5, 80, 15), plate(30, 5, 40, 15)]


def test_detections_in_a_strip_are_reported_once() -> None:
    assert sides(unwrap(found_at((1, 8), (81, 88), (-9, -2), (71, 78)), WIDTH)) == [(1, 8), (71, 78)]


@pytest.mark.parametrize("both", [[(-4, 8), (76, 88)], [(76, 88)], [(-4, 8)], [(-4, 8), (75.5, 88.5)]])
def test_detections_across_the_seam_are_reported_on_both_sides(both: list[tuple[float, float]]) -> None:
    left, right = sorted(sides(unwrap(found_at(*both), WIDTH)))
    assert left == pytest.approx((0, 8), abs=0.5)
    assert right == pytest.approx((76, 80), abs=0.5)


def test_extents_across_the_seam_are_hidden_on_both_sides() -> None:
    whole = Detection(Box(70 + STRIP, 5, 79 + STRIP, 15), 0.9, "face", extent=Box(69 + STRIP, 4, 82 + STRIP, 15))
    right, left = unwrap([whole], WIDTH)
    assert (right.box, right.redaction_box) == (Box(70, 5, 79, 15), Box(69, 4, 80, 15))
    assert left.box == left.redaction_box == Box(0, 4, 2, 15)


@given(st.lists(st.tuples(st.floats(0, 99), st.floats(0.1, 20)), max_size=10))
def test_nothing_is_lost_and_all_lies_in_the_picture(places: list[tuple[float, float]]) -> None:
    found = [face(x, 5, min(100.0, x + width), 15) for x, width in places]
    unwrapped = unwrap(found, WIDTH)
    assert all(0 <= one.redaction_box.x_min <= one.redaction_box.x_max <= WIDTH for one in unwrapped)
    for one in found:
        middle = (one.box.x_min + one.box.x_max) / 2 - STRIP
        if 0 <= middle < WIDTH:
            assert any(other.redaction_box.x_min <= middle <= other.redaction_box.x_max for other in unwrapped)


def test_outlines_across_the_seam_are_hidden_on_both_sides() -> None:
    corners = ((76 + STRIP, 5), (88 + STRIP, 6), (80 + STRIP, 15))
    found = unwrap([Detection.of(PolygonOutline(corners), "text")], WIDTH)
    assert sorted(sides(found)) == [(-4, 8), (76, 88)]
    assert {one.outline for one in found} == {
        PolygonOutline(((76, 5), (88, 6), (80, 15))),
        PolygonOutline(((-4, 5), (8, 6), (0, 15))),
    }
    in_strip = PolygonOutline(((82 + STRIP, 5), (88 + STRIP, 6), (85 + STRIP, 9)))
    assert unwrap([Detection.of(in_strip, "text")], WIDTH) == []
