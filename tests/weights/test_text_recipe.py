"""The recipe of the text models: operations of ONNX in TensorFlow, and what counts as a hidden word."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection
from weights.text import convert, evaluate
from weights.text.graph import Network

RANDOM = np.random.default_rng(0)


def array(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def network_of(*nodes: Any, output: tuple[int, ...], **constants: np.ndarray) -> Network:
    """From x, (1, 4, H, W), to y."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, "h", "w"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, output)
    numbers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    model = helper.make_model(
        helper.make_graph(list(nodes), "g", [x], [y], numbers), opset_imports=[helper.make_opsetid("", 12)]
    )
    model.ir_version = 8
    return Network(model.SerializeToString())


def both_answers(network: Network, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By onnxruntime, and by TensorFlow as a function for any size, both as (N, C, H, W) if they are pictures."""
    session = onnxruntime.InferenceSession(network.model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": picture})
    call = tf.function(network, input_signature=[tf.TensorSpec((1, None, None, 4), tf.float32)])
    found = call(tf.constant(picture.transpose(0, 2, 3, 1))).numpy()
    return expected, found.transpose(0, 3, 1, 2) if found.ndim == 4 else found


CONVOLUTION: dict[str, Any] = {"kernel_shape": [3, 3], "dilations": [1, 1]}


@pytest.mark.parametrize(
    "network",
    [
        network_of(
            helper.make_node("Conv", ["x", "k", "b"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2], group=1, **CONVOLUTION),
            output=(1, 5, 4, 6),
            k=array(5, 4, 3, 3),
            b=array(5),
        ),
        network_of(
            helper.make_node("Conv", ["x", "k"], ["y"], pads=[1, 1, 1, 1], strides=[2, 1], group=4, **CONVOLUTION),
            output=(1, 4, 4, 12),
            k=array(4, 1, 3, 3),
        ),
        network_of(
            helper.make_node("ConvTranspose", ["x", "k"], ["u"], kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4),
            helper.make_node("Add", ["u", "b"], ["y"]),
            output=(1, 3, 16, 24),
            k=array(4, 3, 2, 2),
            b=array(1, 3, 1, 1),
        ),
        network_of(
            helper.make_node("Resize", ["x", "none", "s"], ["u"], mode="nearest", nearest_mode="floor",
                             coordinate_transformation_mode="asymmetric"),
            helper.make_node("Concat", ["u", "u"], ["y"], axis=1),
            output=(1, 8, 32, 48),
            none=np.zeros(0, np.float32),
            s=np.array([1, 1, 4, 4], np.float32),
        ),
        network_of(
            helper.make_node("GlobalAveragePool", ["x"], ["m"]),
            helper.make_node("HardSigmoid", ["m"], ["h"], alpha=0.2, beta=0.5),
            helper.make_node("Mul", ["x", "h"], ["p"]),
            helper.make_node("BatchNormalization", ["p", "g", "g", "g", "v"], ["y"], epsilon=1e-3),
            output=(1, 4, 8, 12),
            g=array(4),
            v=np.abs(array(4)) + 1,
        ),
        network_of(  # a picture as a line of vectors: its width is not known beforehand
            helper.make_node("AveragePool", ["x"], ["a"], kernel_shape=[8, 2], strides=[8, 2]),
            helper.make_node("Shape", ["a"], ["s"]),
            helper.make_node("Slice", ["s", "zero", "two"], ["begin"]),
            helper.make_node("Concat", ["begin", "rest"], ["f"], axis=0),
            helper.make_node("Reshape", ["a", "f"], ["r"]),
            helper.make_node("Transpose", ["r"], ["t"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["t", "k"], ["m"]),
            helper.make_node("Softmax", ["m"], ["y"], axis=2),
            output=(1, 6, 7),
            zero=np.array([0]),
            two=np.array([2]),
            rest=np.array([-1]),
            k=array(4, 7),
        ),
    ],
    ids=["strides", "depthwise", "transposed", "repeated", "squeezed", "line"],
)  # fmt: skip
def test_operations_answer_as_onnxruntime(network: Network) -> None:
    expected, found = both_answers(network, array(1, 4, 8, 12))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_a_file_answers_for_all_sizes() -> None:
    kernel = array(1, 3, 3, 3)

    def network(pictures: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(tf.nn.conv2d(pictures, kernel.transpose(2, 3, 1, 0), 1, "SAME"))

    model = convert.to_tflite(network, (None, None), "probabilities", [tf.float16])
    pictures = [RANDOM.integers(0, 256, (1, *size, 3)).astype(np.uint8) for size in ((8, 12), (20, 9))]
    expected = [np.asarray(network(convert.normalised(picture))) for picture in pictures]
    for one, other in zip(expected, convert.answers_of_file(model, pictures), strict=True):
        np.testing.assert_allclose(other, one, atol=5e-3)


def test_another_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    one = [np.zeros((1, 2, 2, 1), np.float32)]
    convert.check_network("it", one, one)
    with pytest.raises(SystemExit, match="it differs from the original"):
        convert.check_network("it", one, [one[0] + 0.1])
    with pytest.raises(SystemExit, match="it differs from the original"):
        convert.check_file("it", one, one, agreeing=0.5)


LABELS = """10,10,50,10,50,20,10,20,A, B
60,10,80,10,80,20,60,20,###
"""


def found(*corners: tuple[float, float], score: float = 0.9) -> Detection:
    return Detection.of(PolygonOutline(corners), "text", score)


def rectangle(x_min: float, y_min: float, x_max: float, y_max: float, score: float = 0.9) -> Detection:
    return found((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max), score=score)


def scene() -> evaluate.Scene:
    return evaluate.Scene(1, np.zeros((40, 100, 3), np.uint8), evaluate.parse_labels(LABELS))


def test_labels() -> None:
    word, illegible = scene().words
    assert (word.text, word.height, word.is_legible) == ("A, B", 10, True)
    assert not illegible.is_legible


@pytest.mark.parametrize(
    ("detections", "recall", "right", "wrong"),
    [
        ([rectangle(9, 9, 51, 21)], 1.0, 1, 0),
        ([rectangle(9, 9, 30, 21), rectangle(29, 9, 51, 21)], 1.0, 2, 0),
        ([rectangle(10, 10, 40, 20)], 0.0, 1, 0),
        ([rectangle(60, 10, 80, 20)], 0.0, 0, 0),
        ([rectangle(10, 30, 40, 38)], 0.0, 0, 1),
        ([rectangle(9, 9, 51, 21, score=0.4)], 0.0, 0, 0),
        ([rectangle(0, 0, 100, 40)], 1.0, 0, 1),
    ],
)
def test_words_are_hidden_if_enough_of_them_is(
    detections: list[Detection], recall: float, right: int, wrong: int
) -> None:
    counts = evaluate.tally([(scene(), detections)], 0.5)
    assert (counts.recall, counts.right, counts.wrong) == (recall, right, wrong)


def test_what_is_hidden_is_wider_by_the_margin() -> None:
    quad = np.array([(10.0, 10.0), (50, 10), (50, 20), (10, 20)])
    assert evaluate.widened(quad).tolist() == [[9, 9], [51, 9], [51, 21], [9, 21]]
