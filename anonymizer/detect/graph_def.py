"""Loads frozen graphs, `*.pb`, as the Object Detection API of TensorFlow 1 exported them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.gpu import share_gpus
from anonymizer.detect.inference import LoadedModel, Tensor, check_input, expected_outputs, missing_outputs
from anonymizer.errors import ModelError

INPUT = "image_tensor"


def load(model: ModelDescription) -> LoadedModel:
    """
    Raises:
        ModelError: the file is damaged or not a detection model.
    """
    share_gpus()
    graph_def = tf.compat.v1.GraphDef()
    try:
        graph_def.ParseFromString(model.path.read_bytes())
        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph_def, name=""), [])
    except (OSError, ValueError, TypeError, DecodeError, tf.errors.OpError) as error:
        raise ModelError(
            f"model {model.path} is damaged, or no frozen graph: {type(error).__name__}: {error}"
        ) from None
    nodes = {node.name for node in graph_def.node}
    names = {name: model.outputs.get(name, name) for name in expected_outputs(model)}
    present = [name for name, actual in names.items() if actual.partition(":")[0] in nodes]
    if len(present) < len(names):
        raise missing_outputs(model, present)
    if INPUT not in nodes:
        raise ModelError(f"model {model.path} has no input {INPUT!r}: not a detection model")

    picture = wrapped.graph.get_tensor_by_name(f"{INPUT}:0")
    dtype = np.dtype(picture.dtype.as_numpy_dtype)
    height, width = check_input(model, dtype, picture.shape.as_list() if picture.shape.rank is not None else [None] * 4)
    try:
        fetches = [wrapped.graph.get_tensor_by_name(name if ":" in name else f"{name}:0") for name in names.values()]
    except (KeyError, ValueError) as error:
        raise ModelError(f"model {model.path} has no such output: {error}") from None
    function = wrapped.prune([picture], fetches)

    def call(tensor: Tensor) -> Mapping[str, Tensor]:
        outputs = function(tf.constant(tensor))
        return {name: output.numpy() for name, output in zip(names, outputs, strict=True)}

    return LoadedModel(call, dtype, height, width, f"TensorFlow {tf.__version__}")
