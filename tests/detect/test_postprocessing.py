from pathlib import Path

import pytest
import tensorflow as tf
from tiny_models import (
    answer,
    describe,
    detector_in,
    find_bright_rectangles,
    picture_with,
    save_graph_def,
    save_saved_model,
)

from anonymizer.errors import PictureError
from anonymizer.geometry import Box


def test_classes_that_are_numbered_from_zero(tmp_path: Path) -> None:
    def from_zero(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        return {**find_bright_rectangles(image_tensor), "detection_classes": tf.constant([[0.0, 1.0]])}

    save_saved_model(tmp_path / "model", from_zero)
    (tmp_path / "model.yaml").write_text("file: model\nlabels: {2: face}\nfirst_class: 0\n")
    found = detector_in(tmp_path).detect(picture_with((3, 5, 20, 30), (40, 7, 60, 17)))
    assert [detection.box.x_min for detection in found] == pytest.approx([40])


def test_scores_are_calibrated_by_the_size_of_the_object(tmp_path: Path) -> None:
    save_graph_def(tmp_path / "face.pb", answer(detection_scores=[[0.5] * 3], detection_boxes=[[
        [0.0, 0.0, 0.1, 0.1], [0.0, 0.0, 0.2, 0.2], [0.0, 0.0, 0.8, 0.8]
    ]]))  # fmt: skip
    (tmp_path / "model.yaml").write_text(
        "file: face.pb\nlabels: {1: face}\ncalibration: {balanced: {10: 2, 40: 1}}\nthresholds: {face: 0.1}\n"
    )
    found = detector_in(tmp_path).detect(picture_with(height=100, width=100))
    assert [d.score for d in found] == pytest.approx([0.25, 0.5**1.5, 0.5])
    found = detector_in(tmp_path, preset="fast").detect(picture_with(height=100, width=100))
    assert [d.score for d in found] == [0.5, 0.5, 0.5]


def test_boxes_outside_the_picture_are_clipped_or_left_out(tmp_path: Path) -> None:
    boxes = [[[-0.5, -0.5, 0.5, 2.0], [1.5, 0.0, 2.0, 1.0], [0.0, -1.0, 1.0, -0.2]]]
    save_graph_def(tmp_path / "face.pb", answer(detection_boxes=boxes))
    found = detector_in(tmp_path).detect(picture_with(height=10, width=20))
    assert [detection.box for detection in found] == [Box(0, 0, 20, 5)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detection_boxes": [[[100.0, 100.0, 200.0, 200.0]] * 3]}, "boxes that are no fractions"),
        ({"detection_classes": [[0.0, 0.0, 0.0]]}, "classes below the first; see 'first_class'"),
        ({"detection_classes": [[float("nan")] * 3]}, "no numbers"),
        ({"detection_boxes": [[[0.0, 0.0, float("inf"), 1.0]] * 3]}, "no numbers"),
        ({"detection_scores": [[17.0] * 3]}, "scores that are not in the range"),
        ({"num_detections": [4.0]}, "announced 4 detections but gave fewer"),
    ],
)
def test_impossible_answers_are_errors(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    save_graph_def(tmp_path / "graph.pb", answer(**changes))
    detector = detector_in(describe(tmp_path, "graph.pb"))
    with pytest.raises(PictureError, match=message):
        detector.detect(picture_with())
