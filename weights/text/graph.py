"""An ONNX network as a TensorFlow function: of the operations that PaddlePaddle's exports for OCR are made of.

Pictures lie in memory as TensorFlow wants them, (N, H, W, C), and not as in ONNX, (N, C, H, W). Shapes are computed
while the function is traced, so that TFLite can prepare the network for inputs of any width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

UNKNOWN = -1
"""A length that is known only when the network is called."""


@dataclass(frozen=True)
class Value:
    """What flows along an edge: a tensor, or an array that is known beforehand."""

    data: Any
    is_picture: bool = False
    """Whether it is a tensor (N, H, W, C) that ONNX takes for (N, C, H, W)."""

    @property
    def is_known(self) -> bool:
        return isinstance(self.data, np.ndarray)

    @property
    def tensor(self) -> tf.Tensor:
        """As ONNX has it."""
        return tf.transpose(self.data, (0, 3, 1, 2)) if self.is_picture else self.data

    @property
    def picture(self) -> tf.Tensor:
        """(N, H, W, C)."""
        return self.data if self.is_picture else tf.transpose(self.data, (0, 2, 3, 1))


class Network:
    """A network with one input and one output."""

    def __init__(self, content: bytes) -> None:
        self.model = onnx.load_from_string(content)
        graph = self.model.graph
        self.entry, self.answer = graph.input[0].name, graph.output[0].name
        self._nodes = list(graph.node)
        self._numbers = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        """
        Args:
            pictures: float32 (N, H, W, C), as the ONNX file takes them.

        Returns:
            What the ONNX file answers, pictures as (N, H, W, C).
        """
        values = {name: Value(array) for name, array in self._numbers.items()}
        values[self.entry] = Value(pictures, is_picture=True)
        for node in self._nodes:
            options = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            given = [values[name] for name in node.input if name]
            values[node.output[0]] = OPERATIONS[node.op_type](given, options)
        answer = values[self.answer]
        return answer.data


Options = Mapping[str, Any]
Operation = Callable[[list[Value], Options], Value]


def _constant(given: list[Value], options: Options) -> Value:
    return Value(onnx.numpy_helper.to_array(options["value"]))


def _convolution(given: list[Value], options: Options) -> Value:
    picture, kernel = given[0].picture, given[1].data
    top, left, bottom, right = options["pads"]
    if any(options["pads"]):
        picture = tf.pad(picture, ((0, 0), (top, bottom), (left, right), (0, 0)))
    down, across = options["strides"]
    if options["group"] == 1:
        answer = tf.nn.conv2d(picture, kernel.transpose(2, 3, 1, 0), (1, down, across, 1), "VALID")
    elif down == across:
        answer = tf.nn.depthwise_conv2d(picture, kernel.transpose(2, 3, 0, 1), (1, down, across, 1), "VALID")
    else:  # TensorFlow knows equal strides alone: the other rows or columns are left out behind
        answer = tf.nn.depthwise_conv2d(picture, kernel.transpose(2, 3, 0, 1), (1, 1, 1, 1), "VALID")
        answer = answer[:, ::down, ::across]
    return Value(tf.nn.bias_add(answer, given[2].data) if len(given) > 2 else answer, is_picture=True)


def _transposed_convolution(given: list[Value], options: Options) -> Value:
    """Of 2 x 2 pixels with stride 2: a convolution of single pixels, whose channels depth_to_space takes apart."""
    kernel = given[1].data  # (in, out, 2, 2)
    assert kernel.shape[2:] == (2, 2)
    assert (list(options["strides"]), any(options["pads"])) == ([2, 2], False)
    kernel = kernel.transpose(0, 2, 3, 1).reshape(1, 1, len(kernel), -1)
    return Value(tf.nn.depth_to_space(tf.nn.conv2d(given[0].picture, kernel, 1, "VALID"), 2), is_picture=True)


def _normalisation(given: list[Value], options: Options) -> Value:
    scale, shift, mean, variance = (each.data for each in given[1:])
    factor = scale / np.sqrt(variance + options["epsilon"])
    return Value(given[0].picture * factor + (shift - mean * factor), is_picture=True)


def _resize(given: list[Value], options: Options) -> Value:
    """To a whole multiple of the size, by repeating pixels."""
    assert options["mode"] == b"nearest"
    picture, times = given[0].picture, int(given[-1].data[-1])
    while times > 1:
        picture = tf.nn.depth_to_space(tf.concat([picture] * 4, axis=-1), 2)
        times //= 2
    return Value(picture, is_picture=True)


def _average_pool(given: list[Value], options: Options) -> Value:
    sizes = options["kernel_shape"], options["strides"]
    return Value(tf.nn.avg_pool2d(given[0].picture, *sizes, "VALID"), is_picture=True)


def _elementwise(function: Callable[..., Any]) -> Operation:
    def operation(given: list[Value], options: Options) -> Value:
        is_picture = any(each.is_picture for each in given)
        return Value(function(*(_aligned(each, is_picture) for each in given)), is_picture)

    return operation


def _aligned(value: Value, with_pictures: bool) -> Any:
    """Arrays (1, C, 1, 1) as they fit to pictures."""
    if value.is_known and with_pictures and value.data.ndim == 4:
        return value.data.transpose(0, 2, 3, 1)
    assert value.is_known or value.is_picture == with_pictures
    return value.data


def _hard_sigmoid(given: list[Value], options: Options) -> Value:
    values = given[0].data * np.float32(options["alpha"]) + np.float32(options["beta"])
    return Value(tf.clip_by_value(values, 0, 1), given[0].is_picture)


def _clip(given: list[Value], options: Options) -> Value:
    low, high = (float(each.data) for each in given[1:])
    clipped = tf.nn.relu6(given[0].data) if (low, high) == (0, 6) else tf.clip_by_value(given[0].data, low, high)
    return Value(clipped, given[0].is_picture)


def _concatenation(given: list[Value], options: Options) -> Value:
    if all(each.is_known for each in given):
        return Value(np.concatenate([each.data for each in given], options["axis"]))
    assert options["axis"] == 1
    return Value(tf.concat([each.picture for each in given], axis=-1), is_picture=True)


def _shape(given: list[Value], options: Options) -> Value:
    shape = given[0].data.shape.as_list()
    shape = [shape[0], shape[3], shape[1], shape[2]] if given[0].is_picture else shape
    return Value(np.array([UNKNOWN if length is None else length for length in shape]))


def _slice(given: list[Value], options: Options) -> Value:
    first, end = (int(each.data[0]) for each in given[1:3])
    axis = int(given[3].data[0]) if len(given) > 3 else 0
    parts = [slice(None)] * axis + [slice(first, end)]
    data = given[0].data if given[0].is_known else given[0].tensor
    return Value(data[tuple(parts)])


def _reshape(given: list[Value], options: Options) -> Value:
    tensor, shape = given[0].tensor, given[1].data.tolist()
    lengths = tensor.shape.as_list()
    shape = [lengths[index] if length == 0 else length for index, length in enumerate(shape)]
    return Value(tf.reshape(tensor, shape))


def _softmax(given: list[Value], options: Options) -> Value:
    assert not given[0].is_picture
    return Value(tf.nn.softmax(given[0].data, axis=options["axis"]))


OPERATIONS: Mapping[str, Operation] = {
    "Constant": _constant,
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "BatchNormalization": _normalisation,
    "Resize": _resize,
    "AveragePool": _average_pool,
    "GlobalAveragePool": lambda given, options: Value(
        tf.reduce_mean(given[0].picture, axis=(1, 2), keepdims=True), is_picture=True
    ),
    "Add": _elementwise(lambda one, other: one + other),
    "Sub": _elementwise(lambda one, other: one - other),
    "Mul": _elementwise(lambda one, other: one * other),
    "Div": _elementwise(lambda one, other: one / other),
    "Pow": _elementwise(lambda one, other: one**other),
    "Sqrt": _elementwise(tf.sqrt),
    "Relu": _elementwise(tf.nn.relu),
    "Sigmoid": _elementwise(tf.sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "Concat": _concatenation,
    "Shape": _shape,
    "Cast": lambda given, options: given[0],
    "Slice": _slice,
    "Reshape": _reshape,
    "Squeeze": lambda given, options: Value(tf.squeeze(given[0].tensor, options["axes"])),
    "Transpose": lambda given, options: Value(tf.transpose(given[0].tensor, options["perm"])),
    "MatMul": lambda given, options: Value(given[0].tensor @ given[1].data),
    "ReduceMean": lambda given, options: Value(tf.reduce_mean(given[0].tensor, options["axes"], keepdims=True)),
    "Softmax": _softmax,
}
