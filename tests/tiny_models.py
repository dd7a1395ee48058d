"""Tiny real models that find bright rectangles, in the three formats.

They answer with two detections: the bright pixels in the left half of the picture are of class 1, those in the
right half of class 2; the score is the share of bright pixels in the box.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from anonymizer.detect.detector import Detector
from anonymizer.detect.load import load_detectors
from anonymizer.settings import DetectSettings
from anonymizer.types import Pixels8

OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
Graph = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def find_bright_rectangles(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
    bright = tf.cast(image_tensor[0, :, :, 1], tf.float32) > 128.0
    height, width = tf.shape(bright)[0], tf.shape(bright)[1]
    columns = tf.range(width) < width // 2
    halves = [_bounding_box(bright & half) for half in (columns, ~columns)]
    boxes = tf.stack([box for box, _ in halves])
    size = tf.cast(tf.stack([height, width, height, width]), tf.float32)
    scores = tf.stack([score for _, score in halves])
    return {
        "detection_boxes": (boxes / size)[tf.newaxis],
        "detection_classes": tf.constant([[1.0, 2.0]]),
        "detection_scores": scores[tf.newaxis],
        "num_detections": tf.constant([2.0]),
    }


def _bounding_box(bright: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    limits = []
    for axis in (1, 0):
        line = tf.cast(tf.reduce_any(bright, axis), tf.int32)
        first = tf.argmax(line, output_type=tf.int32)
        last = tf.shape(line)[0] - tf.argmax(tf.reverse(line, [0]), output_type=tf.int32)
        limits.append((first, last))
    (y_min, y_max), (x_min, x_max) = limits
    number = tf.reduce_sum(tf.cast(bright, tf.float32))
    score = number / tf.cast((y_max - y_min) * (x_max - x_min), tf.float32)
    return tf.cast(tf.stack([y_min, x_min, y_max, x_max]), tf.float32), score


def find_not_a_number(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
    answer = find_bright_rectangles(image_tensor)
    return {**answer, "detection_scores": answer["detection_scores"] * float("nan")}


def without_scores(image_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
    answer = find_bright_rectangles(image_tensor)
    del answer["detection_scores"]
    return answer


def save_saved_model(path: Path, graph: Graph = find_bright_rectangles) -> Path:
    module = tf.Module()
    module.serve = _function(graph, (None, None), tf.uint8)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return path


def save_graph_def(path: Path, graph: Graph = find_bright_rectangles) -> Path:
    with tf.Graph().as_default() as frozen:
        image = tf.compat.v1.placeholder(tf.uint8, (1, None, None, 3), "image_tensor")
        for name, output in graph(image).items():
            tf.identity(output, name)
    path.write_bytes(frozen.as_graph_def().SerializeToString())
    return path


def save_tflite(
    path: Path,
    graph: Graph = find_bright_rectangles,
    size: tuple[int | None, int | None] = (None, None),
    dtype: tf.DType = tf.uint8,
) -> Path:
    frozen = convert_variables_to_constants_v2(_function(graph, size, dtype).get_concrete_function())
    names = sorted(graph(tf.zeros((1, 8, 8, 3), dtype)))
    module = tf.Module()
    module.serve = tf.function(
        lambda image_tensor: dict(zip(names, frozen(image_tensor), strict=True)),
        input_signature=[tf.TensorSpec((1, *size, 3), dtype, "image_tensor")],
    )
    concrete = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    path.write_bytes(converter.convert())
    return path


def _function(
    graph: Graph, size: tuple[int | None, int | None], dtype: tf.DType
) -> tf.types.experimental.GenericFunction:
    return tf.function(graph, input_signature=[tf.TensorSpec((1, *size, 3), dtype, "image_tensor")])


SAVERS = {"model.tflite": save_tflite, "saved_model": save_saved_model, "graph.pb": save_graph_def}


def picture_with(*rectangles: tuple[int, int, int, int], height: int = 48, width: int = 64) -> Pixels8:
    """A black picture with bright rectangles x_min, y_min, x_max, y_max."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for x_min, y_min, x_max, y_max in rectangles:
        pixels[y_min:y_max, x_min:x_max] = 255
    return pixels


def detector_in(folder: Path, **settings: Any) -> Detector:
    """The detector on the only model of a folder."""
    (detector,) = load_detectors(DetectSettings(weights=folder, **settings))
    return detector


def describe(folder: Path, file: str) -> Path:
    """Puts a `model.yaml` beside a model whose class 1 is a face; returns the folder."""
    (folder / "model.yaml").write_text(f"file: {file}\nlabels: {{1: face}}\n")
    return folder


def answer(**changes: object) -> Graph:
    """A graph that answers the same for every picture: three sure detections in the left half."""
    fixed = {
        "detection_boxes": [[[0.0, 0.0, 1.0, 0.5]] * 3],
        "detection_scores": [[0.9] * 3],
        "detection_classes": [[1.0] * 3],
        "num_detections": [3.0],
    }
    return lambda image_tensor: {name: tf.constant(value) for name, value in {**fixed, **changes}.items()}
