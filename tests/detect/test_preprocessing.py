import dataclasses
from pathlib import Path

import pytest
import tensorflow as tf
from tiny_models import detector_in, find_bright_rectangles, picture_with, save_tflite


def test_inputs_of_a_fixed_size_and_of_floats(tmp_path: Path) -> None:
    def of_normalised(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        # Bright is above 0.5 once (pixel - 127.5) / 127.5 is applied; the model expects just that.
        return find_bright_rectangles(image_tensor * 128.0 + 64.5)

    save_tflite(tmp_path / "model.tflite", of_normalised, (32, 32), tf.float32)
    (tmp_path / "model.yaml").write_text("file: model.tflite\nlabels: {1: face}\ninput: {mean: 127.5, std: 127.5}\n")
    found = detector_in(tmp_path).detect(picture_with((16, 12, 48, 36), height=96, width=128))
    assert dataclasses.astuple(found[0].box) == pytest.approx((16, 12, 48, 36), abs=4)


def test_padding_to_a_multiple_moves_no_box(tmp_path: Path) -> None:
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text("file: model.tflite\nlabels: {1: face}\ninput: {size_multiple: 32}\n")
    found = detector_in(tmp_path).detect(picture_with((3, 5, 20, 30), height=33, width=65))
    assert dataclasses.astuple(found[0].box) == pytest.approx((3, 5, 20, 30), abs=1e-4)
