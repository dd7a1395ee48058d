"""Loaded models: the signature of the TensorFlow Object Detection API.

A model takes one picture and returns `detection_boxes` (1, N, 4), y_min, x_min, y_max, x_max as fractions of
the input, `detection_scores` (1, N), `detection_classes` (1, N), numbered from 1, and `num_detections` (1,).
One whose description names `regions` returns `probabilities` (1, H, W, 1) in [0, 1], of each pixel of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.detect.description import ModelDescription
from anonymizer.errors import ModelError

Tensor = npt.NDArray[np.generic]

BOXES, SCORES, CLASSES, NUMBER = "detection_boxes", "detection_scores", "detection_classes", "num_detections"
OUTPUTS = (BOXES, SCORES, CLASSES, NUMBER)
PROBABILITIES = "probabilities"


@dataclass(frozen=True)
class LoadedModel:
    """A model that a loader made callable; several threads may call it."""

    call: Callable[[Tensor], Mapping[str, Tensor]]
    """(1, H, W, 3) in, the outputs out, under the names that `expected_outputs` gives."""
    dtype: np.dtype[np.generic]
    """Of the input: uint8 or float32."""
    height: int | None
    """Of the input, in pixels; None for any."""
    width: int | None
    runtime: str
    """Library that runs the model, with its version."""
    first_class: int = 1
    """Number of the first class, unless the model's description says otherwise."""


def check_input(
    model: ModelDescription, dtype: np.dtype[np.generic], shape: Sequence[int | None]
) -> tuple[int | None, int | None]:
    """Height and width of a model's input, None where any will do.

    Args:
        shape: with None or -1 for unknown sizes.

    Raises:
        ModelError: the input takes no RGB pictures.
    """
    sizes = [None if size in (None, -1) else int(size) for size in shape]
    takes_pictures = len(sizes) == 4 and sizes[0] in (None, 1) and sizes[3] in (None, 3)
    if not takes_pictures or dtype not in (np.uint8, np.float32):
        raise ModelError(
            f"model {model.path} takes {dtype} {tuple(sizes)}: not a detection model; "
            "expected are RGB pictures, uint8 or float32 (1, height, width, 3)"
        )
    return sizes[1], sizes[2]


def expected_outputs(model: ModelDescription) -> Sequence[str]:
    """The names of what a model answers with."""
    return OUTPUTS if model.regions is None else (PROBABILITIES,)


def missing_outputs(model: ModelDescription, present: Sequence[str]) -> ModelError:
    expected = expected_outputs(model)
    return ModelError(
        f"model {model.path} is not a detection model: of the outputs {', '.join(expected)} it lacks "
        f"{', '.join(sorted(set(expected).difference(present)))}; 'outputs' in model.yaml can name them"
    )
