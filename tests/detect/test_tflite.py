import dataclasses
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from tiny_models import describe, detector_in, picture_with, save_tflite

from anonymizer.detect import tflite
from anonymizer.detect.catalogue import find_models
from anonymizer.detect.load import load_model
from anonymizer.detect.views import scaled_views


def test_pictures_of_many_sizes_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the last few sizes find the model prepared; any other takes over the place of one."""
    made, make = [], tflite._interpreter

    def counted(content: bytes) -> Interpreter:
        made.append(make(content))
        return made[-1]

    monkeypatch.setattr(tflite, "_interpreter", counted)
    save_tflite(tmp_path / "model.tflite")
    detector = detector_in(describe(tmp_path, "model.tflite"), face_threshold=0.5)
    heights = [60 + 4 * number for number in range(tflite.KEPT_SHAPES + 3)]
    for height in [*heights, *heights[::-1], *heights]:
        (found,) = detector.detect(picture_with((10, 10, 20, 30), height=height))
        assert dataclasses.astuple(found.box) == pytest.approx((10, 10, 20, 30), abs=1e-4)
    assert len(made) == tflite.KEPT_SHAPES


def test_large_inputs_leave_no_memory_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite, "KEPT_VALUES", 3 * 50 * 60)
    content = save_tflite(tmp_path / "model.tflite").read_bytes()
    prepared = tflite._Prepared(content, tflite._interpreter(content), 0)
    kept = []
    for height in (10, 20, 50, 60, 10, 40):
        prepared.for_shape((1, height, 60, 3))
        kept.append([shape[1] for shape in prepared._by_shape])
    assert kept == [[1, 10], [1, 10, 20], [50], [60], [10], [10, 40]]


def test_small_inputs_do_not_keep_the_memory_of_large_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite, "KEPT_SHAPES", 1)
    content = save_tflite(tmp_path / "model.tflite").read_bytes()
    prepared = tflite._Prepared(content, tflite._interpreter(content), 0)
    large, half, small = (prepared.for_shape((1, height, 60, 3)) for height in (80, 40, 10))
    assert large is half
    assert small is not large


def test_models_of_signed_pixels_are_given_unsigned_ones() -> None:
    assert tflite.to_signed(np.array([0, 127, 128, 255], np.uint8)).tolist() == [-128, -1, 0, 127]
    (model,) = (one for one in find_models(None) if one.name == "centerface")
    assert tflite._interpreter(model.path.read_bytes()).get_input_details()[0]["dtype"] == np.int8
    assert load_model(model).dtype == np.uint8


def test_room_for_all_views_of_a_picture_that_is_enlarged() -> None:
    """Else every picture would have the interpreters of the one before prepared anew."""
    (model,) = (one for one in find_models(None) if one.name == "centerface")
    for height, width in ((720, 1280), (1012, 1800), (1080, 1920), (480, 640)):
        values = [
            3 * ceil(height * view.scale / 32) * ceil(width * view.scale / 32) * 32**2
            for view in scaled_views(model.views["balanced"], height, width)
        ]
        assert sum(values) <= tflite.KEPT_VALUES
        assert len(values) < tflite.KEPT_SHAPES  # and one for the second look


def test_outputs_of_the_post_processing_operation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TFLite exports of the Object Detection API name tensors their own way and number classes from 0."""
    monkeypatch.setattr("anonymizer.detect.tflite._POSTPROCESS", {
        "detection_boxes": "PartitionedCall:0",
        "detection_classes": "PartitionedCall:1",
        "detection_scores": "PartitionedCall:2",
        "num_detections": "PartitionedCall:3",
    })  # fmt: skip
    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter.get_signature_list", lambda self: {})
    save_tflite(tmp_path / "model.tflite")
    describe(tmp_path, "model.tflite")
    (model,) = find_models(tmp_path)
    assert load_model(model).first_class == 0
