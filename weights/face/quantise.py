"""Turns the layers of a TFLite network into 8-bit integers, but for its coarsest ones and its heads, which stay floats.

Weights get one scale per output channel, activations one range per tensor, as CPUs with 8-bit instructions want it
(Jacob et al. 2018, arXiv:1712.05877). TensorFlow's converter knows the same, but not how to leave out decoding and to
equalise channels, without which the scores of this network are off by twice as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.lite.python.schema_py_generated import (
    BufferT,
    BuiltinOperator,
    BuiltinOptions,
    FullyConnectedOptionsT,
    ModelT,
    OperatorCodeT,
    OperatorT,
    QuantizationParametersT,
    TensorT,
    TensorType,
)
from tensorflow.lite.tools import flatbuffer_utils

_CONVOLUTION, _DEPTHWISE = BuiltinOperator.CONV_2D, BuiltinOperator.DEPTHWISE_CONV_2D
_CAST, _PAD, _ADD = BuiltinOperator.CAST, BuiltinOperator.PAD, BuiltinOperator.ADD
_TO_SPACE, _FULLY_CONNECTED = BuiltinOperator.DEPTH_TO_SPACE, BuiltinOperator.FULLY_CONNECTED
_TO_INTEGERS, _TO_FLOATS = BuiltinOperator.QUANTIZE, BuiltinOperator.DEQUANTIZE
_INTEGER_VERSION = {_CONVOLUTION: 3, _DEPTHWISE: 3, _PAD: 2, _ADD: 2, _TO_SPACE: 2}
"""Operations that become integers, with the version of TFLite's first that knows integers."""
_CHANNEL_AXIS = {_CONVOLUTION: 0, _DEPTHWISE: 3}
"""Of the kernel: the output channels."""
_SCALES_BY_CHANNEL = 12
"""First version of fully connected layers that read floats, and have integer weights with a scale per channel."""

_PIXEL_RANGE = (1.0, -128)
"""Scale and zero point of 0..255 as int8."""
_VALUES_PER_PICTURE = 2000
"""Of each activation tensor, for the choice of its range."""
_SMALLEST_RATIO = 0.005
"""Channels that hold less, compared to the largest one, are enlarged as if they held so much."""


@dataclass(frozen=True)
class Activations:
    """What a tensor held for some pictures."""

    low: np.ndarray
    """Smallest value per channel, or 0."""
    high: np.ndarray
    """Largest value per channel, or 0."""
    sample: np.ndarray
    """(N, channels)."""

    @property
    def largest(self) -> np.ndarray:
        """Largest absolute value per channel."""
        return np.asarray(np.maximum(-self.low, self.high))

    def divided(self, scale: np.ndarray) -> Activations:
        return Activations(self.low / scale, self.high / scale, self.sample / scale)


def quantise(content: bytes, pictures: Sequence[np.ndarray], float_stride: int) -> bytes:
    """A network that takes pixels less 128 as int8: to turn them into these inside would take a twentieth of its time.

    Args:
        content: a TFLite file of floats. Its first operation casts the uint8 picture, all up to its first sigmoid and
            the convolution before that are convolutions, additions, padding and depth to space.
        pictures: uint8 (1, H, W, 3), like those that the network will see; they settle the ranges.
        float_stride: layers with so many pixels per cell, or more, have floats between them. Their convolutions of
            single cells multiply integers too, but with a range for each cell, found while the network runs.

    Raises:
        ValueError: an operation is none of those.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    seen = observe(model, content, pictures)
    seen = equalise(model, seen)
    _to_integers(model, seen, float_stride)
    _drop_unused(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def observe(model: ModelT, content: bytes, pictures: Sequence[np.ndarray]) -> dict[int, Activations]:
    """What the outputs of the operations before the heads hold, by tensor index."""
    interpreter = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    (entry,) = interpreter.get_input_details()
    outputs = [int(operator.outputs[0]) for _, operator in _before_heads(model)]
    random = np.random.default_rng(0)
    lows, highs, samples = (_empty_lists(outputs) for _ in range(3))
    for picture in pictures:
        interpreter.resize_tensor_input(entry["index"], picture.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry["index"], picture)
        interpreter.invoke()
        for output in outputs:
            values = interpreter.get_tensor(output)
            values = values.reshape(-1, values.shape[-1])
            lows[output].append(values.min(axis=0))
            highs[output].append(values.max(axis=0))
            number = max(2, _VALUES_PER_PICTURE // values.shape[1])
            samples[output].append(values[random.integers(0, len(values), number)])
    return {
        output: Activations(
            np.minimum(np.min(lows[output], axis=0), 0),
            np.maximum(np.max(highs[output], axis=0), 0),
            np.concatenate(samples[output]),
        )
        for output in outputs
    }


def _empty_lists(outputs: Sequence[int]) -> dict[int, list[np.ndarray]]:
    return {output: [] for output in outputs}


def equalise(model: ModelT, seen: Mapping[int, Activations]) -> dict[int, Activations]:
    """Brings the ranges of a tensor's channels closer to each other; the network answers the same as before.

    A convolution may write a channel divided by a number when the next ones, behind nothing but a ReLU, multiply it
    again (Nagel et al. 2019, arXiv:1906.04721). Depthwise convolutions have a scale per channel: before them, the
    number is the channel's share of the largest range in the tensor, and all channels become alike. Before others it
    is the root of that share: half of the differences go into the weights of the next convolution.

    Returns:
        what the tensors hold now.
    """
    scales = {tensor: np.ones(len(activations.low)) for tensor, activations in seen.items()}
    for tensors in _tensors_with_same_channels(model):
        largest = np.max([seen[tensor].largest for tensor in tensors], axis=0)
        scale = np.maximum(largest / largest.max(), _SMALLEST_RATIO)
        readers = {kind for kind, operator in _operators(model) if tensors.intersection(operator.inputs)}
        scales.update(dict.fromkeys(tensors, scale if _CONVOLUTION not in readers else np.sqrt(scale)))
    for kind, operator in _operators(model):
        if kind not in _CHANNEL_AXIS or int(operator.inputs[0]) not in scales:
            continue
        entry, kernel, bias = (int(index) for index in operator.inputs)
        values, shifts = _values(model, kernel), _values(model, bias)
        after = scales.get(int(operator.outputs[0]), np.ones(len(shifts)))
        values = values * scales[entry] / (after.reshape(-1, 1, 1, 1) if kind == _CONVOLUTION else after)
        operator.inputs = np.array(
            [
                entry,
                _add_constant(model, kernel, values.astype(np.float32), TensorType.FLOAT32),
                _add_constant(model, bias, (shifts / after).astype(np.float32), TensorType.FLOAT32),
            ],
            np.int32,
        )
    return {tensor: activations.divided(scales[tensor]) for tensor, activations in seen.items()}


def choose_range(activations: Activations) -> tuple[float, int]:
    """Scale and zero point of the int8 values that come closest to a tensor, in the mean of the cubes.

    Rare large values are cut off if that makes the steps for all others so much finer. Squares would cut off more,
    of what faces consist of too.
    """
    low, high = float(activations.low.min()), float(activations.high.max())
    choices = [_scale_and_zero_point(low * share, high * share) for share in np.geomspace(0.15, 1, 25)]

    sample = activations.sample
    return min(choices, key=lambda choice: float((np.abs(_round(sample, choice) - sample) ** 3).mean()))


def _round(values: np.ndarray, tensor_format: tuple[float, int]) -> np.ndarray:
    """Values as they come back from int8."""
    scale, zero_point = tensor_format
    return np.asarray((np.clip(np.rint(values / scale) + zero_point, -128, 127) - zero_point) * scale)


def _scale_and_zero_point(low: float, high: float) -> tuple[float, int]:
    scale = max((high - low) / 255, 1e-9)
    return scale, int(np.clip(round(-128 - low / scale), -128, 127))


def _operators(model: ModelT) -> list[tuple[int, OperatorT]]:
    """Each with its kind, a `BuiltinOperator`."""
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return [(codes[operator.opcodeIndex], operator) for operator in model.subgraphs[0].operators]


def _before_heads(model: ModelT) -> list[tuple[int, OperatorT]]:
    operators = _operators(model)
    kinds = [kind for kind, _ in operators]
    (sigmoid_entry,) = operators[kinds.index(BuiltinOperator.LOGISTIC)][1].inputs
    (head,) = [place for place, (_, operator) in enumerate(operators) if sigmoid_entry in operator.outputs]
    unknown = set(kinds[:head]).difference(_INTEGER_VERSION, [_CAST])
    if unknown:
        names = ", ".join(sorted(name for name, kind in vars(BuiltinOperator).items() if kind in unknown))
        raise ValueError(f"there are no integers for {names}")
    return operators[:head]


def _tensors_with_same_channels(model: ModelT) -> Iterator[set[int]]:
    """Tensors that operations other than convolutions tie together, where the scale of a channel is free."""
    groups: dict[int, set[int]] = {}
    fixed = set()
    for kind, operator in _before_heads(model):
        group = {int(operator.outputs[0])}
        if kind == _ADD:
            group.update(map(int, operator.inputs))
        elif kind in (_PAD, _TO_SPACE):
            group.add(int(operator.inputs[0]))
        for tensor in tuple(group):
            group |= groups.get(tensor, set())
        if kind in (_CAST, _TO_SPACE):  # pixels, and channels that become places
            fixed |= group
        groups.update(dict.fromkeys(group, group))
    for group in {id(group): group for group in groups.values()}.values():
        if not group & fixed:
            yield group


def _to_integers(model: ModelT, seen: Mapping[int, Activations], float_stride: int) -> None:
    graph = model.subgraphs[0]
    strides, before_heads = _strides(model), _before_heads(model)
    integers = [operator for _, operator in before_heads if strides[int(operator.outputs[0])] < float_stride]
    singles = [
        (operator, seen[int(operator.inputs[0])])
        for kind, operator in before_heads
        if kind == _CONVOLUTION and operator not in integers and _sees_single_cells(model, operator)
    ]
    integers += _insert_conversions(model, integers)
    seen = dict(seen)
    formats: dict[int, tuple[float, int]] = {}
    for kind, operator in _operators(model):
        if operator not in integers:
            continue
        entry, output = int(operator.inputs[0]), int(operator.outputs[0])
        if kind == _CAST:
            formats[output] = _PIXEL_RANGE
        elif kind == _TO_INTEGERS:
            seen[output], formats[output] = seen[entry], choose_range(seen[entry])
        else:
            formats[output] = formats[entry] if kind in (_PAD, _TO_SPACE) else choose_range(seen[output])
            operator.opcodeIndex = _operator_code(model, kind, _INTEGER_VERSION[kind])
        if kind in _CHANNEL_AXIS:
            operator.inputs = _integer_weights(model, kind, operator, seen[entry], formats[entry])
    for tensor, (scale, zero_point) in formats.items():
        graph.tensors[tensor].type = TensorType.INT8
        graph.tensors[tensor].quantization = _quantization(scale, zero_point)
    for operator, read in singles:
        _to_fully_connected(model, operator, read)
    _drop_cast(model)


def _drop_cast(model: ModelT) -> None:
    """What the first operation answered with becomes the input."""
    graph = model.subgraphs[0]
    ((kind, cast), *_) = _operators(model)
    assert kind == _CAST
    graph.operators = graph.operators[1:]
    for signature in model.signatureDefs or ():
        for entry in signature.inputs:
            entry.tensorIndex = int(cast.outputs[0])
    graph.inputs = np.array([cast.outputs[0]], np.int32)


def _sees_single_cells(model: ModelT, convolution: OperatorT) -> bool:
    _, height, width, _ = model.subgraphs[0].tensors[int(convolution.inputs[1])].shape
    return bool(height == width == convolution.builtinOptions.strideH == convolution.builtinOptions.strideW == 1)


def _to_fully_connected(model: ModelT, convolution: OperatorT, activations: Activations) -> None:
    """Makes a convolution of single cells, of floats, the same as a fully connected layer with integer weights.

    TFLite turns the channels of each cell into integers by themselves then, and gives floats back.
    """
    entry, kernel, bias = (int(index) for index in convolution.inputs)
    values = _values(model, kernel).reshape(len(_values(model, bias)), -1)
    integers, scales = _rounded_weights(values, 0)
    shift = ((values - integers * scales) * activations.sample.mean(axis=0)).sum(axis=1)
    options = FullyConnectedOptionsT()
    options.fusedActivationFunction = convolution.builtinOptions.fusedActivationFunction
    options.keepNumDims = options.asymmetricQuantizeInputs = True
    convolution.opcodeIndex = _operator_code(model, _FULLY_CONNECTED, _SCALES_BY_CHANNEL)
    convolution.builtinOptionsType, convolution.builtinOptions = BuiltinOptions.FullyConnectedOptions, options
    new_kernel = _add_constant(model, kernel, integers.astype(np.int8), TensorType.INT8)
    new_bias = _add_constant(model, bias, (_values(model, bias) + shift).astype(np.float32), TensorType.FLOAT32)
    tensor = model.subgraphs[0].tensors[new_kernel]
    tensor.shape, tensor.shapeSignature = np.array(values.shape, np.int32), None
    tensor.quantization = _quantization(scales.ravel(), np.zeros(len(scales)))
    convolution.inputs = np.array([entry, new_kernel, new_bias], np.int32)


def _strides(model: ModelT) -> dict[int, int]:
    """Pixels of the picture per cell of the tensors before the heads, by tensor index."""
    strides: dict[int, int] = {}
    for kind, operator in _before_heads(model):
        stride = strides.get(int(operator.inputs[0]), 1)
        if kind in _CHANNEL_AXIS:
            stride *= operator.builtinOptions.strideH
        elif kind == _TO_SPACE:
            stride //= operator.builtinOptions.blockSize
        strides[int(operator.outputs[0])] = stride
    return strides


def _insert_conversions(model: ModelT, integers: Sequence[OperatorT]) -> list[OperatorT]:
    """Puts operations between those that become integers and those that do not.

    Returns:
        the ones that turn floats into integers.
    """
    graph = model.subgraphs[0]
    becomes_integers = {int(operator.outputs[0]): operator in integers for _, operator in _before_heads(model)}
    copies: dict[int, int] = {}  # in the other format, by tensor
    operators, to_integers = [], []
    for operator in graph.operators:
        is_integer = operator in integers
        entries = [int(entry) for entry in operator.inputs]
        for place, entry in enumerate(entries):
            if becomes_integers.get(entry, is_integer) == is_integer:
                continue
            if entry not in copies:
                conversion = _conversion(model, entry, is_integer)
                copies[entry] = int(conversion.outputs[0])
                operators.append(conversion)
                to_integers += [conversion] if is_integer else []
            entries[place] = copies[entry]
        operator.inputs = np.array(entries, np.int32)
        operators.append(operator)
    graph.operators = operators
    return to_integers


def _conversion(model: ModelT, tensor: int, to_integers: bool) -> OperatorT:
    """An operation, not yet in the graph, that copies a tensor of floats as integers, or the other way round."""
    tensors: list[TensorT] = model.subgraphs[0].tensors
    converted = copy(tensors[tensor])
    converted.name += b"_integers" if to_integers else b"_floats"
    converted.buffer = _add_buffer(model, None)
    tensors.append(converted)
    operator = OperatorT()
    operator.opcodeIndex = _operator_code(model, *((_TO_INTEGERS, 1) if to_integers else (_TO_FLOATS, 2)))
    operator.inputs, operator.outputs = np.array([tensor], np.int32), np.array([len(tensors) - 1], np.int32)
    return operator


def _integer_weights(
    model: ModelT, kind: int, operator: OperatorT, activations: Activations, entry_format: tuple[float, int]
) -> np.ndarray:
    """The inputs of a convolution, with an int8 kernel and an int32 bias.

    The bias makes up for what rounding changes in the mean of each output channel.
    """
    entry, kernel, bias = (int(index) for index in operator.inputs)
    axis = _CHANNEL_AXIS[kind]
    values = _values(model, kernel)
    others = tuple(number for number in range(4) if number != axis)
    integers, scales = _rounded_weights(values, axis)
    mean = activations.sample.mean(axis=0)
    rounded_mean = _round(activations.sample, entry_format).mean(axis=0)
    shift = (values * mean - integers * scales * rounded_mean).sum(axis=others)

    scales = scales.ravel()
    bias_scales = scales * np.float32(entry_format[0])
    bias_integers = np.rint((_values(model, bias) + shift) / bias_scales)
    new_kernel = _add_constant(model, kernel, integers.astype(np.int8), TensorType.INT8)
    new_bias = _add_constant(model, bias, bias_integers.astype(np.int32), TensorType.INT32)
    tensors = model.subgraphs[0].tensors
    tensors[new_kernel].quantization = _quantization(scales, np.zeros(len(scales)), axis)
    tensors[new_bias].quantization = _quantization(bias_scales, np.zeros(len(scales)))
    return np.array([entry, new_kernel, new_bias], np.int32)


def _rounded_weights(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights as integers, and the scales of their output channels, which lie along an axis."""
    others = tuple(number for number in range(values.ndim) if number != axis)
    scales = np.maximum(np.abs(values).max(axis=others, keepdims=True) / 127, 1e-9).astype(np.float32)
    return np.rint(values / scales).clip(-127, 127), scales


def _quantization(scale: object, zero_point: object, axis: int = 0) -> QuantizationParametersT:
    parameters = QuantizationParametersT()
    parameters.scale = np.atleast_1d(np.asarray(scale, np.float32))
    parameters.zeroPoint = np.atleast_1d(np.asarray(zero_point, np.int64))
    parameters.quantizedDimension = axis
    return parameters


def _operator_code(model: ModelT, kind: int, version: int) -> int:
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == kind and code.version >= version:
            return index
    code = OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = kind, kind, version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _values(model: ModelT, tensor: int) -> np.ndarray:
    constant = model.subgraphs[0].tensors[tensor]
    values = np.frombuffer(bytes(model.buffers[constant.buffer].data), np.float32)
    return np.asarray(values.reshape(constant.shape), np.float64)


def _add_constant(model: ModelT, like: int, values: np.ndarray, tensor_type: int) -> int:
    """Index of a new tensor with the name and shape of another."""
    tensors: list[TensorT] = model.subgraphs[0].tensors
    tensor = copy(tensors[like])
    tensor.type, tensor.buffer = tensor_type, _add_buffer(model, values)
    tensors.append(tensor)
    return len(tensors) - 1


def _add_buffer(model: ModelT, values: np.ndarray | None) -> int:
    buffer = BufferT()
    buffer.data = None if values is None else np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _drop_unused(model: ModelT) -> None:
    """Empties the buffers that nothing reads any more."""
    graph = model.subgraphs[0]
    read = {int(index) for operator in graph.operators for index in operator.inputs}
    needed = {graph.tensors[index].buffer for index in read} | {entry.buffer for entry in model.metadata or ()}
    for index, buffer in enumerate(model.buffers):
        if index not in needed:
            buffer.data = None
