"""How a detector combines the views of a picture."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import detector_in, find_bright_rectangles, picture_with, save_graph_def, save_tflite

from anonymizer.detect.frames import detect
from anonymizer.detect.signature import SignatureDetector
from anonymizer.types import Pixels8


def test_detections_of_several_scales_are_in_pixels_of_the_picture(tmp_path: Path) -> None:
    """What each view shows is reported in pixels of the picture."""
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text(
        "file: model.tflite\nlabels: {1: face}\ninput: {size_multiple: 32}\n"
        "views: [{longest_side: 50}, {longest_side: 100}, {longest_side: 400}]\n"
    )
    found = detector_in(tmp_path).detect(picture_with((20, 40, 60, 80), height=100, width=200))
    assert len(found) == 3
    for detection in found:
        assert dataclasses.astuple(detection.box) == pytest.approx((20, 40, 60, 80), abs=4)


def test_small_objects_in_a_shrunk_view_are_left_to_the_larger_ones(tmp_path: Path) -> None:
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text(
        "file: model.tflite\nlabels: {1: face, 2: face}\n"
        "input: {size_multiple: 32}\nviews: [{longest_side: 100, min_size: 30}, {longest_side: 400}]\n"
    )
    found = detector_in(tmp_path).detect(picture_with((20, 40, 40, 80), (130, 10, 190, 90), height=100, width=200))
    assert [round(detection.box.width) for detection in found] == [60, 20, 60]


def test_a_score_that_is_the_mean_of_the_views(tmp_path: Path) -> None:
    """What one view does not see counts as 0 where it answers for such objects."""
    save_tflite(tmp_path / "model.tflite")
    description = (
        "file: model.tflite\nlabels: {1: face, 2: face}\ninput: {size_multiple: 32}\n"
        "views: [{longest_side: 100, min_size: 30}, {}, {mirrored: true}]\nscore: mean\n"
    )
    (tmp_path / "model.yaml").write_text(description)
    picture = picture_with((20, 40, 40, 80), (130, 10, 190, 90), height=100, width=200)
    found = detector_in(tmp_path).detect(picture)
    assert [d.score for d in found] == pytest.approx([1, 1])
    boxes = sorted(dataclasses.astuple(d.box) for d in found)
    assert boxes[0] == pytest.approx((20, 40, 40, 80), abs=1e-4)
    assert boxes[1] == pytest.approx((130, 10, 190, 90), abs=4)


SECOND_LOOK = """
file: model.tflite
labels: {1: face}
thresholds: {face: 0.4}
score: %s
second_look: {presets: [balanced], from_score: 0.2, sizes: [20, 40], weight: 0.5}
"""


@pytest.mark.parametrize("rule", ["best", "mean"])
def test_doubtful_objects_are_scored_again(tmp_path: Path, rule: str) -> None:
    """The model is sure of what is large in what it sees, and sees all of this picture once, small."""

    def find_large(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        found = find_bright_rectangles(image_tensor)
        sides = found["detection_boxes"][0, :, 2:] - found["detection_boxes"][0, :, :2]
        return {**found, "detection_scores": tf.where(tf.reduce_max(sides, 1) > 0.3, 0.9, 0.3)[tf.newaxis]}

    save_tflite(tmp_path / "model.tflite", find_large)
    (tmp_path / "model.yaml").write_text(SECOND_LOOK % rule)
    pixels = picture_with((100, 60, 110, 80), height=300, width=400)
    assert detector_in(tmp_path, preset="fast").detect(pixels) == []
    # The middle of the picture cuts the object in two, and to the model either half is one. Only the left counts.
    (found,) = detector_in(tmp_path).detect(pixels)
    assert 0.4 <= found.score < 0.9
    assert found.box.xyxy == pytest.approx((100, 60, 110, 80), abs=0.01)


def find_in_tall_pictures(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
    """A sure face in the middle of pictures that are higher than wide."""
    is_tall = tf.shape(image_tensor)[1] > tf.shape(image_tensor)[2]
    return {
        "detection_boxes": tf.constant([[[0.4, 0.4, 0.6, 0.6]]]),
        "detection_scores": [[tf.where(is_tall, 0.9, 0.0)]],
        "detection_classes": tf.constant([[1.0]]),
        "num_detections": tf.constant([1.0]),
    }


@pytest.mark.parametrize(
    ("views", "score"),
    [
        ("[{}, {enlarge: 2}, {quarter_turns: 1}]", 0.9),
        ("[{}, {enlarge: 2}, {quarter_turns: 1}, {quarter_turns: 1, mirrored: true}, {quarter_turns: 3}]", 0.9),
        ("[{}, {enlarge: 2}, {quarter_turns: 1, score_exponent: 2}]", 0.81),
        ("[{}, {enlarge: 2}]", None),
    ],
)
@pytest.mark.parametrize("rule", ["best", "mean"])
def test_views_of_the_upright_picture_have_no_vote_on_what_is_turned(
    tmp_path: Path, views: str, score: float | None, rule: str
) -> None:
    save_graph_def(tmp_path / "face.pb", find_in_tall_pictures)
    (tmp_path / "model.yaml").write_text(f"file: face.pb\nlabels: {{1: face}}\nscore: {rule}\nviews: {views}\n")
    found = detect(picture_with(height=100, width=200), [detector_in(tmp_path)])
    assert [d.score for d in found] == ([] if score is None else [pytest.approx(score)])
    assert all(d.box.xyxy == pytest.approx((80, 40, 120, 60)) for d in found)


def test_the_log_says_which_views_a_model_sees(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text(
        "file: model.tflite\nlabels: {1: face}\nviews: [{}, {longest_side: 50, mirrored: true}, {quarter_turns: 3}]\n"
    )
    with caplog.at_level(logging.DEBUG, logger="anonymizer.detect.signature"):
        detector_in(tmp_path).detect(picture_with(height=100, width=200))
    views = "scale 1, scale 0.25 mirrored, scale 1 turned by 270 degrees"
    assert caplog.messages == [f"model model.tflite sees 200 x 100 pixels at {views}"]


def test_frames_of_films_have_views_of_their_own(tmp_path: Path) -> None:
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text(
        "file: model.tflite\nlabels: {1: face}\ninput: {size_multiple: 32}\n"
        "views: [{longest_side: 50}, {longest_side: 100}]\nfilm_views: {balanced: [{longest_side: 200}]}\n"
    )
    picture = picture_with((20, 40, 60, 80), height=100, width=200)
    for preset, number in (("balanced", 1), ("fast", 2)):
        detector = detector_in(tmp_path, preset=preset)
        assert isinstance(detector, SignatureDetector)
        assert len(detector.detect(picture)) == 2
        assert len(detector.for_films(0.5).detect(picture)) == number
        assert detector.for_films(0.5).thresholds == {"face": detector.thresholds["face"] / 2}


def find_upright(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
    """What is bright is surely a face if it is brighter above."""
    gray = tf.cast(image_tensor[0, :, :, 1], tf.float32)
    rows, brightest = tf.where(gray > 75)[:, 0], tf.where(gray > 210)[:, 0]
    low, high = (tf.cast(part(tf.where(gray > 75), 0), tf.float32) for part in (tf.reduce_min, tf.reduce_max))
    is_upright = tf.reduce_mean(tf.cast(brightest, tf.float32)) < tf.reduce_mean(tf.cast(rows, tf.float32)) - 1
    size = tf.cast(tf.shape(gray), tf.float32)
    return {
        "detection_boxes": tf.where(
            tf.size(rows) > 0, tf.clip_by_value(tf.concat([low / size, (high + 1) / size], 0), 0.0, 1.0), 0.0
        )[tf.newaxis, tf.newaxis],
        "detection_scores": tf.where(tf.size(rows) > 0, tf.where(is_upright, 0.9, 0.1), 0.0)[tf.newaxis, tf.newaxis],
        "detection_classes": tf.constant([[1.0]]),
        "num_detections": tf.constant([1.0]),
    }


def upside_down(turns: int) -> Pixels8:
    """A face in a picture that must be turned by this many quarters, anticlockwise, to be upright."""
    picture = picture_with(height=100, width=200)
    picture[30:50, 60:80] = 150
    picture[30:35, 60:80] = 255
    return np.ascontiguousarray(np.rot90(picture, -turns))


TURNED_LOOK = """
file: face.pb
labels: {1: face}
score: mean
thresholds: {face: 0.3}
views: [{}, {enlarge: 2}]
turned_look: {presets: [balanced, fast], size: 20, side: 64, min_size: 10}
"""


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_pictures_are_searched_in_their_turn(
    tmp_path: Path, turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    save_graph_def(tmp_path / "face.pb", find_upright)
    (tmp_path / "model.yaml").write_text(TURNED_LOOK)
    picture = upside_down(turns)
    with caplog.at_level(logging.DEBUG, logger="anonymizer.detect.signature"):
        (found,) = detect(picture, [detector_in(tmp_path)])
    assert f"the picture seems to be turned: it is searched turned by {90 * turns} degrees, too" in caplog.messages
    assert found.score == pytest.approx(0.9)
    (upright,) = detect(upside_down(0), [detector_in(tmp_path)])
    assert upright.score == pytest.approx(0.9)
    mark = np.zeros(picture.shape[:2], bool)
    x_min, y_min, x_max, y_max = (round(value) for value in found.box.xyxy)
    mark[y_min:y_max, x_min:x_max] = True
    rows, columns = np.nonzero(np.rot90(mark, turns))
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == pytest.approx((30, 50, 60, 80), abs=1)
    assert detect(picture, [detector_in(tmp_path, preset="thorough")]) == []
    detector = detector_in(tmp_path)
    assert isinstance(detector, SignatureDetector)
    assert detect(picture, [detector.upright()]) == []
    assert detect(picture, [detector]) == [found]


def test_single_turned_objects_count_for_less_and_not_in_films(tmp_path: Path) -> None:
    save_graph_def(tmp_path / "face.pb", find_upright)
    (tmp_path / "model.yaml").write_text(
        TURNED_LOOK.replace("side: 64", "side: 64, deciding_objects: 0, sure_score: 0.01")
    )
    detector = detector_in(tmp_path)
    (found,) = detect(upside_down(1), [detector])
    assert found.score == pytest.approx(0.9**3)
    assert isinstance(detector, SignatureDetector)
    assert [one.score for one in detector.for_films(1.0).detect(upside_down(1))] == []


def test_a_model_whose_input_has_a_fixed_size_has_no_turned_look(tmp_path: Path) -> None:
    save_tflite(tmp_path / "face.tflite", find_upright, (100, 200))
    (tmp_path / "model.yaml").write_text(TURNED_LOOK.replace("face.pb", "face.tflite"))
    assert detect(upside_down(2), [detector_in(tmp_path)]) == []
