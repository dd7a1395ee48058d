from pathlib import Path

import pytest
import tensorflow as tf
from tiny_models import detector_in, find_bright_rectangles, picture_with, save_graph_def

from anonymizer.detect.load import load_detectors
from anonymizer.errors import ModelError
from anonymizer.settings import DetectSettings


def test_outputs_under_other_names(tmp_path: Path) -> None:
    def renamed(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        answer = find_bright_rectangles(image_tensor)
        answer["scores"] = answer.pop("detection_scores")
        return answer

    save_graph_def(tmp_path / "graph.pb", renamed)
    (tmp_path / "model.yaml").write_text("file: graph.pb\nlabels: {1: face}\noutputs: {detection_scores: 'scores:0'}\n")
    found = detector_in(tmp_path).detect(picture_with((3, 5, 20, 30), (40, 7, 60, 17)))
    assert [detection.kind for detection in found] == ["face"]


def test_an_output_that_does_not_exist(tmp_path: Path) -> None:
    save_graph_def(tmp_path / "graph.pb")
    (tmp_path / "model.yaml").write_text(
        "file: graph.pb\nlabels: {1: face}\noutputs: {detection_scores: 'detection_scores:3'}\n"
    )
    with pytest.raises(ModelError, match="has no such output"):
        load_detectors(DetectSettings(weights=tmp_path))
