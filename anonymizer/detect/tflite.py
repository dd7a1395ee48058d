"""Loads TFLite models, with the LiteRT runtime: it starts fast and needs little memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import (
    BOXES,
    CLASSES,
    NUMBER,
    SCORES,
    LoadedModel,
    Tensor,
    check_input,
    expected_outputs,
    missing_outputs,
)
from anonymizer.errors import ModelError

KEPT_SHAPES = 10
"""A model stays prepared for this many input shapes, enough for the views of one picture and the second look."""
KEPT_VALUES = 3 * 2048 * 2048 * 7 // 4
"""All prepared inputs together have at most so many values, to bound the memory: those of the largest tile, and of the
other views of a picture that is enlarged to so much. With less room, each picture takes the place of the one before in
all views, which cost a third of the time at 1280 x 720 pixels."""
REUSED_UP_TO = 2
"""An interpreter is reused for a smaller input if it was prepared for at most this many times as many values."""

_SIGNED_PIXELS = (1.0, -128)
"""Scale and zero point of an int8 input that stands for 0..255."""

# Names of the outputs of the post-processing operation in TFLite exports of the Object Detection API. It numbers
# classes from 0.
_POSTPROCESS = {
    BOXES: "TFLite_Detection_PostProcess",
    CLASSES: "TFLite_Detection_PostProcess:1",
    SCORES: "TFLite_Detection_PostProcess:2",
    NUMBER: "TFLite_Detection_PostProcess:3",
}


def load(model: ModelDescription) -> LoadedModel:
    """
    Raises:
        ModelError: the file is damaged or not a detection model.
    """
    content = model.path.read_bytes()
    try:
        interpreter = _interpreter(content)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"model {model.path} is damaged, or no TFLite model: {error}") from None
    inputs = interpreter.get_input_details()
    if len(inputs) != 1:
        raise ModelError(f"model {model.path} has {len(inputs)} inputs: not a detection model")
    is_signed = inputs[0]["dtype"] == np.int8 and inputs[0]["quantization"] == _SIGNED_PIXELS
    dtype: np.dtype[np.generic] = np.dtype(np.uint8 if is_signed else inputs[0]["dtype"])
    height, width = check_input(model, dtype, list(inputs[0]["shape_signature"]))
    indices = _output_indices(model, interpreter)
    prepared = _Prepared(content, interpreter, int(inputs[0]["index"]))
    lock = Lock()  # an interpreter serves one thread at a time

    def call(tensor: Tensor) -> Mapping[str, Tensor]:
        with lock:
            interpreter = prepared.for_shape(tensor.shape)
            interpreter.set_tensor(inputs[0]["index"], to_signed(tensor) if is_signed else tensor)
            interpreter.invoke()
            return {name: interpreter.get_tensor(index) for name, index in indices.items()}

    is_postprocess = CLASSES in indices and indices[CLASSES] == _tensor_indices(interpreter).get(_POSTPROCESS[CLASSES])
    runtime, first_class = f"LiteRT {version('ai-edge-litert')}", 0 if is_postprocess else 1
    return LoadedModel(call, dtype, height, width, runtime, first_class)


def to_signed(pixels: Tensor) -> Tensor:
    """uint8 pixels, less 128, as int8."""
    return np.bitwise_xor(pixels, 128).view(np.int8)


def _interpreter(content: bytes) -> Interpreter:
    # One thread: with inputs of any size, more bring nothing.
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


@dataclass(frozen=True)
class _Kept:
    interpreter: Interpreter
    values: int
    """Of the largest input that it was ever prepared for: it keeps the memory for it."""


class _Prepared:
    """Interpreters of a model, each prepared for one input shape. Preparing takes a tenth of the time of a call."""

    def __init__(self, content: bytes, interpreter: Interpreter, index: int) -> None:
        """
        Args:
            index: of the input tensor.
        """
        self._content = content
        self._index = index
        shape = tuple(interpreter.get_input_details()[0]["shape"].tolist())
        # In the order of use, the one that was used longest ago first.
        self._by_shape = {shape: _Kept(interpreter, prod(shape))}

    def for_shape(self, shape: tuple[int, ...]) -> Interpreter:
        """An interpreter that is prepared for inputs of a shape."""
        kept = self._by_shape.pop(shape, None) or self._prepare(shape)
        self._by_shape[shape] = kept
        return kept.interpreter

    def _prepare(self, shape: tuple[int, ...]) -> _Kept:
        """Prepares a new interpreter, or the one that was used longest ago if there is no room for more."""
        values, spare = prod(shape), None
        while self._by_shape and not self._has_room(values):
            spare = self._by_shape.pop(next(iter(self._by_shape)))
        if spare is None or spare.values > REUSED_UP_TO * values:
            spare = _Kept(_interpreter(self._content), 0)
        spare.interpreter.resize_tensor_input(self._index, shape)
        spare.interpreter.allocate_tensors()
        return _Kept(spare.interpreter, max(values, spare.values))

    def _has_room(self, values: int) -> bool:
        kept = sum(one.values for one in self._by_shape.values())
        return len(self._by_shape) < KEPT_SHAPES and kept + values <= KEPT_VALUES


def _tensor_indices(interpreter: Any) -> dict[str, int]:
    """Index per name of the output tensors."""
    return {detail["name"]: int(detail["index"]) for detail in interpreter.get_output_details()}


def _output_indices(model: ModelDescription, interpreter: Any) -> dict[str, int]:
    """Tensor index per output name of the API: by model.yaml, the signature, or the names of the tensors."""
    by_signature: dict[str, int] = {}
    signatures = interpreter.get_signature_list()
    if signatures:
        key = "serving_default" if "serving_default" in signatures else next(iter(signatures))
        runner = interpreter.get_signature_runner(key)
        by_signature = {name: int(detail["index"]) for name, detail in runner.get_output_details().items()}
    known = {**_tensor_indices(interpreter), **by_signature}
    indices = {}
    for name in expected_outputs(model):
        for candidate in (model.outputs.get(name), name, _POSTPROCESS.get(name)):
            if candidate is not None and candidate in known:
                indices[name] = known[candidate]
                break
    if len(indices) < len(expected_outputs(model)):
        raise missing_outputs(model, list(indices))
    return indices
