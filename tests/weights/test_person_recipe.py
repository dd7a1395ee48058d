"""The recipe of the model of people: decoding, and the reading of graphs of TensorFlow.js."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def answers_with(person: tuple[int, int, int], size: tuple[int, int], strides: tuple[int, ...]) -> list[np.ndarray]:
    """What the network says of a picture with one person: stride and cell of the answer that marks it."""
    answers = [np.full((1, size[0] // stride, size[1] // stride, 45), -9.0, np.float32) for stride in strides]
    index, row, column = person
    cell = answers[index][0, row, column]
    cell[0] = 3.0
    for side, bins in enumerate((1, 2, 3, 4)):  # left, upper, right, lower
        cell[1 + 11 * side + bins] = 30.0
    return answers


def test_a_person_is_where_the_distances_say() -> None:
    import tensorflow as tf

    from weights.person.network import STRIDES, Detector

    size = (64, 128)
    answers = answers_with((1, 2, 3), size, STRIDES)
    detector = Detector(lambda image: [tf.constant(answer) for answer in answers])
    found = {name: value.numpy() for name, value in detector.detect(tf.zeros((1, *size, 3), tf.uint8)).items()}
    y, x = 16 * 2.5, 16 * 3.5
    expected = [(y - 32) / 64, (x - 16) / 128, (y + 64) / 64, (x + 48) / 128]
    np.testing.assert_allclose(found["detection_boxes"][0], [expected], atol=1e-5)
    assert found["detection_scores"][0] == pytest.approx([1 / (1 + np.exp(-3))])
    assert (found["detection_classes"].tolist(), found["num_detections"].tolist()) == ([[1]], [1])


def test_the_network_takes_pictures_of_any_size_also_as_a_file(tmp_path: Path) -> None:
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from weights.face.convert import save
    from weights.person.network import Detector, build_network

    detector = Detector(build_network())
    save(detector, tmp_path / "saved_model")
    model = bytes(tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved_model")).convert())
    serve = Interpreter(model_content=model, num_threads=1).get_signature_runner("serving_default")
    random = np.random.default_rng(0)
    for size in ((32, 64), (96, 32)):
        picture = random.integers(0, 256, (1, *size, 3), np.uint8)
        expected = detector.detect(tf.constant(picture))
        found = serve(input_tensor=picture)
        assert found["num_detections"] == expected["num_detections"].numpy()
        np.testing.assert_allclose(found["detection_scores"], expected["detection_scores"].numpy(), atol=1e-4)


def test_the_numbers_of_a_graph() -> None:
    from weights.person.convert import numbers_in

    entries: list[dict[str, Any]] = [
        {"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "b", "shape": [], "dtype": "int32"},
        {"name": "c", "shape": [3], "dtype": "float32"},
    ]
    parts = np.array([1, 2, 3, 4.5], np.float16), np.array(7, np.int32), np.array([1, 2, 3], np.float32)
    numbers = numbers_in(b"".join(part.tobytes() for part in parts), entries)
    assert numbers["a"].tolist() == [[1, 2], [3, 4.5]]
    assert numbers["a"].dtype == np.float32
    assert (numbers["b"].tolist(), numbers["c"].tolist()) == (7, [1, 2, 3])


def test_people_are_the_first_class() -> None:
    from weights.person.convert import keep_people
    from weights.person.network import CLASSES, CONVOLUTION, build_network

    whole, people = build_network(CLASSES), build_network()
    keep_people(whole, people)
    picture = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    for all_classes, person in zip(whole.predict(picture, verbose=0), people.predict(picture, verbose=0), strict=True):
        np.testing.assert_allclose(person[..., 0], all_classes[..., 0], atol=1e-4)
        np.testing.assert_allclose(person[..., 1:], all_classes[..., CLASSES:], atol=1e-4)
    assert sum(layer.name.startswith(CONVOLUTION) for layer in people.layers) == 34
