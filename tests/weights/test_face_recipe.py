"""The recipe of the face model: a network in miniature as 8-bit integers."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from anonymizer.detect.tflite import to_signed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def quantise() -> ModuleType:
    sys.path.insert(0, str(ROOT))
    try:
        return import_module("weights.face.quantise")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def floats() -> bytes:
    """Of all that the face network is made of, a little; channels of very different size."""
    import keras
    import tensorflow as tf
    from keras import layers
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), batch_size=1, dtype="uint8")
    x = layers.Lambda(lambda pixels: tf.cast(pixels, tf.float32))(image)
    x = layers.Conv2D(8, 3, 2, activation="relu")(layers.ZeroPadding2D(1)(x))
    y = layers.Conv2D(16, 1, activation="relu")(x)
    y = layers.DepthwiseConv2D(3, activation="relu")(layers.ZeroPadding2D(1)(y))
    x = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    x = layers.Conv2D(8, 3, 2, activation="relu")(layers.ZeroPadding2D(1)(x))
    x = layers.Lambda(tf.nn.depth_to_space, arguments={"block_size": 2})(layers.Conv2D(16, 1, activation="relu")(x))
    x = layers.Conv2D(4, 1, activation="relu")(x)
    heads = [layers.Conv2D(1, 1, activation="sigmoid")(x), layers.Conv2D(2, 1)(x)]
    network = keras.Model(image, heads)
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            sizes = np.geomspace(0.05, 1, len(bias))
            sizes = sizes.reshape(-1, 1) if isinstance(layer, layers.DepthwiseConv2D) else sizes
            layer.set_weights([kernel * sizes, np.linspace(-0.1, 0.1, len(bias))])
    first = next(layer for layer in network.layers if layer.weights)
    first.set_weights([first.get_weights()[0] / 255, first.get_weights()[1]])

    serve = tf.function(network, input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, "image")])
    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen], network).convert())


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    smooth = random.uniform(0, 255, (6, 9, 9, 3)).repeat(8, axis=1).repeat(8, axis=2)[:, :64, :64]
    smooth[-1] *= 0.3
    return list(smooth.astype(np.uint8)[:, np.newaxis])


def answers(model: bytes, picture: np.ndarray) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], picture.shape)
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    interpreter.set_tensor(entry["index"], to_signed(picture) if entry["dtype"] == np.int8 else picture)
    interpreter.invoke()
    return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]


def types_of_outputs(quantise: ModuleType, content: bytes, name: str) -> set[int]:
    model = quantise.flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    kind = getattr(quantise.BuiltinOperator, name)
    tensors = model.subgraphs[0].tensors
    return {tensors[operator.outputs[0]].type for found, operator in quantise._operators(model) if found == kind}


NO_STRIDE = 1000


@pytest.mark.parametrize("float_stride", [4, NO_STRIDE])
def test_integers_answer_like_floats(
    quantise: ModuleType, floats: bytes, pictures: list[np.ndarray], float_stride: int
) -> None:
    integers = quantise.quantise(floats, pictures, float_stride)
    assert quantise.TensorType.INT8 in types_of_outputs(quantise, integers, "CONV_2D")
    assert quantise.TensorType.INT8 in types_of_outputs(quantise, integers, "ADD")
    assert types_of_outputs(quantise, integers, "LOGISTIC") == {quantise.TensorType.FLOAT32}
    for picture in (*pictures, pictures[0][:, :32, :48]):
        for expected, found in zip(answers(floats, picture), answers(integers, picture), strict=True):
            assert found.dtype == np.float32
            assert np.abs(found - expected).mean() < 0.03 * np.abs(expected).max()


def test_coarse_layers_have_floats_between_them(
    quantise: ModuleType, floats: bytes, pictures: list[np.ndarray]
) -> None:
    """The two convolutions at stride 4; depth to space behind them, and all before, are integers throughout."""
    model = quantise.flatbuffer_utils.convert_bytearray_to_object(
        bytearray(quantise.quantise(floats, pictures, float_stride=4))
    )
    tensors = model.subgraphs[0].tensors
    kinds = {
        getattr(quantise.BuiltinOperator, name): name
        for name in ("QUANTIZE", "DEQUANTIZE", "CONV_2D", "FULLY_CONNECTED", "DEPTH_TO_SPACE", "LOGISTIC")
    }
    found = [
        (kinds[kind], tensors[operator.outputs[0]].type == quantise.TensorType.INT8)
        for kind, operator in quantise._operators(model)
        if kind in kinds
    ]
    expected = [
        *[("CONV_2D", True)] * 3,
        ("DEQUANTIZE", False),
        ("CONV_2D", False),
        ("FULLY_CONNECTED", False),
        ("QUANTIZE", True),
        ("DEPTH_TO_SPACE", True),
        ("CONV_2D", True),
        ("DEQUANTIZE", False),
    ]
    assert found[: len(expected)] == expected
    assert {is_integer for _, is_integer in found[len(expected) :]} == {False}


def test_equalised_channels_change_no_answer(quantise: ModuleType, floats: bytes, pictures: list[np.ndarray]) -> None:
    model = quantise.flatbuffer_utils.convert_bytearray_to_object(bytearray(floats))
    seen = quantise.observe(model, floats, pictures)
    after = quantise.equalise(model, seen)
    equalised = bytes(quantise.flatbuffer_utils.convert_object_to_bytearray(model))
    for picture in pictures:
        for expected, found in zip(answers(floats, picture), answers(equalised, picture), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4)

    def spread(activations: Any) -> float:
        largest = activations.largest[activations.largest > 0]
        return float(np.log(largest.max() / largest).mean())

    assert sum(map(spread, after.values())) < 0.7 * sum(map(spread, seen.values()))


def test_the_same_pictures_give_the_same_file(quantise: ModuleType, floats: bytes, pictures: list[np.ndarray]) -> None:
    assert quantise.quantise(floats, pictures, 4) == quantise.quantise(floats, pictures, 4)


def test_ranges_cut_off_what_is_rare(quantise: ModuleType) -> None:
    sample = np.random.default_rng(0).normal(size=(10000, 4))
    usual = quantise.Activations(sample.min(axis=0), sample.max(axis=0), sample)
    scale, zero_point = quantise.choose_range(usual)
    assert 255 * scale < sample.max() - sample.min() + 1e-6
    assert abs(zero_point) < 20
    outlier = quantise.Activations(usual.low * 3, usual.high * 3, sample)
    assert quantise.choose_range(outlier)[0] < 1.1 * scale
