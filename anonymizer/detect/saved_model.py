"""Loads SavedModel folders, such as those of the TensorFlow 2 detection model zoo."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.gpu import share_gpus
from anonymizer.detect.inference import LoadedModel, Tensor, check_input, expected_outputs, missing_outputs
from anonymizer.errors import ModelError


def load(model: ModelDescription) -> LoadedModel:
    """
    Raises:
        ModelError: the folder is damaged or not a detection model.
    """
    share_gpus()
    try:
        saved = tf.saved_model.load(str(model.path))
        serve = saved.signatures["serving_default"]
    except KeyError:
        raise ModelError(f"model {model.path} has no signature 'serving_default': not a detection model") from None
    except (OSError, ValueError, TypeError, RuntimeError, DecodeError, tf.errors.OpError) as error:
        raise ModelError(f"model {model.path} is damaged, or no SavedModel: {type(error).__name__}: {error}") from None
    inputs = serve.structured_input_signature[1]
    if len(inputs) != 1:
        raise ModelError(f"model {model.path} has {len(inputs)} inputs: not a detection model")
    ((input_name, spec),) = inputs.items()
    dtype = np.dtype(spec.dtype.as_numpy_dtype)
    height, width = check_input(model, dtype, spec.shape.as_list() if spec.shape.rank is not None else [None] * 4)
    names = {name: model.outputs.get(name, name) for name in expected_outputs(model)}
    present = [name for name, actual in names.items() if actual in serve.structured_outputs]
    if len(present) < len(names):
        raise missing_outputs(model, present)

    def call(tensor: Tensor) -> Mapping[str, Tensor]:
        outputs = serve(**{input_name: tf.constant(tensor)})
        return {name: outputs[actual].numpy() for name, actual in names.items()}

    call.keep_alive = saved  # type: ignore[attr-defined]  # the signature alone does not hold the variables
    return LoadedModel(call, dtype, height, width, f"TensorFlow {tf.__version__}")
