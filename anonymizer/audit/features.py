"""The bundled recogniser as a Keras network: it says in which direction a guess resembles its original more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.audit.sface import vectors_of
from anonymizer.errors import ModelError
from anonymizer.recognise.align import SIDE

_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "PRELU", "FULLY_CONNECTED")

Numbers = npt.NDArray[np.float32]


def build_features(path: Path) -> Any:
    """
    Args:
        path: SFace as the program brings it along, a TFLite file.

    Returns:
        A Keras model from float32 (N, S, S, 3), 0..1, faces as `cut` makes them, to float32 (N, 128), vectors of length
        1. Those of `Recogniser` also count the mirror image.

    Raises:
        ModelError: the file is missing, damaged, or holds another network.
    """
    network = _build()
    layers = [layer for layer in network.layers if layer.weights]
    try:
        read = list(_numbers_in(path))
        for layer, numbers in zip(layers, read, strict=True):
            layer.set_weights(numbers)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"model {path} is missing, damaged, or another network: {error}") from None
    network.trainable = False
    return network


def resembling(features: Any, weight: float) -> Callable[[Any, Any], Any]:
    """A loss: the mean absolute error, and how little guesses resemble the originals (Johnson et al. 2016,
    arXiv:1603.08155), by 1 - cosine of their vectors.

    Args:
        features: see `build_features`.
        weight: of the second part.
    """
    from keras import ops

    def loss(originals: Any, guesses: Any) -> Any:
        error = ops.mean(ops.abs(guesses - originals))
        cosines = ops.sum(features(originals) * features(guesses), axis=-1)
        return error + weight * ops.mean(1 - cosines)

    return loss


def _build() -> Any:
    from keras import Model, layers

    faces = layers.Input((None, None, 3))
    return Model(faces, vectors_of(layers.Resizing(SIDE, SIDE)(faces), brightest=1.0))


def _numbers_in(path: Path) -> Iterator[list[Numbers]]:
    """The weights of each layer of a TFLite file that has some, in the order and form that Keras wants."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=path.read_bytes(), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    details = {each["index"]: each for each in interpreter.get_tensor_details()}
    for step in interpreter._get_ops_details():  # no public name for the order of the layers
        if step["op_name"] not in _WITH_WEIGHTS:
            continue
        first, *rest = (_floats(interpreter, details[int(index)]) for index in step["inputs"][1:])
        if "CONV_2D" in step["op_name"]:  # out (1 if it is depthwise), height, width, in
            first = first.transpose(1, 2, 3, 0)
        elif step["op_name"] == "FULLY_CONNECTED":  # out, in
            first = first.T
        yield [first, *rest]


def _floats(interpreter: Any, detail: Any) -> Numbers:
    """The numbers of a tensor, whose integers stand for multiples of a scale for each channel."""
    values = interpreter.get_tensor(detail["index"]).astype(np.float32)
    scales, zeros = (detail["quantization_parameters"][name] for name in ("scales", "zero_points"))
    if not len(scales):
        return np.asarray(values)
    shape = [1] * values.ndim
    shape[detail["quantization_parameters"]["quantized_dimension"]] = len(scales)
    return np.asarray((values - zeros.reshape(shape)) * scales.reshape(shape), np.float32)
