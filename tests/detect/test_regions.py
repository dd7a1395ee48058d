"""Maps of probabilities, and what is connected in them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import Graph, detector_in, picture_with, save_tflite

from anonymizer.detect.description import RegionRule
from anonymizer.detect.detector import ThresholdDetector
from anonymizer.detect.regions import RegionDetector, regions_of
from anonymizer.errors import ModelError, PictureError
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection, Pixels8

NO_GROWTH = RegionRule(grow=0.0)


def brightness(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
    """The brighter a pixel, the likelier it belongs to an object."""
    return {"probabilities": tf.cast(image_tensor[..., :1], tf.float32) / 255}


def model_in(folder: Path, graph: Graph = brightness, further: str = "") -> Path:
    save_tflite(folder / "model.tflite", graph)
    (folder / "model.yaml").write_text(
        f"file: model.tflite\nlabels: {{1: text}}\nthresholds: {{text: 0.6}}\nregions: {{grow: 0}}\n{further}"
    )
    return folder


def found_in(folder: Path, picture: Pixels8, preset: str = "balanced") -> list[Detection]:
    return detector_in(folder, kinds="text", preset=preset).detect(picture)


def test_regions_have_outlines_and_scores(tmp_path: Path) -> None:
    picture = picture_with((10, 20, 50, 30))
    picture[30:38, 55:60] = 200
    sure, other = found_in(model_in(tmp_path), picture)
    assert (sure.kind, sure.score) == ("text", 1.0)
    assert sure.box.xyxy == pytest.approx((10, 20, 50, 30))
    assert isinstance(sure.outline, PolygonOutline)
    assert other.score == pytest.approx(200 / 255)
    assert other.box.xyxy == pytest.approx((55, 30, 60, 38))


def test_what_is_below_the_threshold_is_left_out_but_not_in_films(tmp_path: Path) -> None:
    picture = picture_with()
    picture[30:38, 50:60] = 100
    detector = detector_in(model_in(tmp_path), kinds="text")
    assert isinstance(detector, ThresholdDetector)
    assert detector.kinds == {"text"}
    assert dict(detector.thresholds) == {"text": 0.6}
    assert detector.detect(picture) == []
    (weak,) = detector.for_films(0.5).detect(picture)
    assert weak.score == pytest.approx(100 / 255)


def test_nothing_is_cut_where_tiles_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.detect.views.TILE", 64)
    monkeypatch.setattr("anonymizer.detect.views.OVERLAP", 16)
    (found,) = found_in(model_in(tmp_path), picture_with((5, 20, 195, 50), height=90, width=200))
    assert found.box.xyxy == pytest.approx((5, 20, 195, 50), abs=3)


@pytest.mark.parametrize("view", ["{enlarge: 2}", "{quarter_turns: 1}", "{mirrored: true}", "{max_pixels: 1600}"])
def test_views_are_brought_back(tmp_path: Path, view: str) -> None:
    folder = model_in(tmp_path, further=f"views: [{view}]\ninput: {{size_multiple: 32}}\n")
    (found,) = found_in(folder, picture_with((12, 16, 40, 28)))
    assert found.box.xyxy == pytest.approx((12, 16, 40, 28), abs=2)


def test_views_leave_objects_of_other_sizes_to_others(tmp_path: Path) -> None:
    folder = model_in(tmp_path, further="views: [{max_size: 20}, {longest_side: 32, min_size: 15}]\n")
    large, small = sorted(
        found_in(folder, picture_with((2, 2, 42, 12), (50, 30, 56, 38))), key=lambda one: one.box.x_min
    )
    assert large.box.xyxy == pytest.approx((2, 2, 42, 12), abs=2)
    assert small.box.xyxy == pytest.approx((50, 30, 56, 38), abs=0.1)


@pytest.mark.parametrize("answer", [2.0, float("nan"), -1.0])
def test_an_answer_that_is_no_probability_is_an_error(tmp_path: Path, answer: float) -> None:
    folder = model_in(tmp_path, lambda image: {"probabilities": tf.cast(image[..., :1], tf.float32) * 0 + answer})
    with pytest.raises(PictureError, match="probabilities that are not in the range"):
        found_in(folder, picture_with())


def test_an_answer_of_another_shape_is_an_error(tmp_path: Path) -> None:
    folder = model_in(tmp_path, lambda image: {"probabilities": tf.cast(image, tf.float32) / 255})
    with pytest.raises(PictureError, match="no map of probabilities"):
        found_in(folder, picture_with())


def test_a_model_without_a_map_is_refused(tmp_path: Path) -> None:
    folder = model_in(tmp_path, lambda image: {"other": tf.cast(image[..., :1], tf.float32)})
    with pytest.raises(ModelError, match="of the outputs probabilities it lacks probabilities"):
        found_in(folder, picture_with())


def test_turned_regions_are_turned_rectangles() -> None:
    import cv2

    probabilities = np.zeros((100, 100), np.uint8)
    cv2.fillPoly(probabilities, [np.array([[20, 50], [50, 20], [60, 30], [30, 60]])], (255,))
    ((corners, score),) = regions_of(probabilities, NO_GROWTH)
    sides = sorted(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1))
    assert sides == pytest.approx([15, 15, 43, 43], abs=2)
    assert score == 1


def test_small_regions_are_noise() -> None:
    probabilities = np.zeros((20, 20), np.uint8)
    probabilities[5, 5:15] = 255
    assert regions_of(probabilities, RegionRule(min_side=2)) == []
    assert len(regions_of(probabilities, RegionRule(min_side=1))) == 1


@given(
    top=st.integers(0, 30),
    left=st.integers(0, 30),
    height=st.integers(2, 30),
    width=st.integers(2, 30),
    grow=st.floats(0, 3),
)
def test_a_region_covers_its_pixels(top: int, left: int, height: int, width: int, grow: float) -> None:
    probabilities = np.zeros((70, 70), np.uint8)
    probabilities[top : top + height, left : left + width] = 200
    ((corners, _),) = regions_of(probabilities, RegionRule(grow=grow))
    by = grow * height * width / (2 * (height + width))
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert low == pytest.approx((left - by, top - by), abs=0.01)
    assert high == pytest.approx((left + width + by, top + height + by), abs=0.01)


def test_detectors_are_made_by_what_the_model_answers(tmp_path: Path) -> None:
    assert isinstance(detector_in(model_in(tmp_path), kinds="text"), RegionDetector)
