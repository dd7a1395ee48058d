"""Turns pictures into the input tensors of models."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import LoadedModel, Tensor
from anonymizer.types import Pixels8


@dataclass(frozen=True)
class ModelInput:
    """The input tensor for some pixels, and how to bring boxes back."""

    tensor: Tensor
    """uint8 or float32 (1, H, W, 3)."""
    covered_height: float
    """Height of the tensor in those pixels: more than the pixels have if the tensor is padded."""
    covered_width: float


def to_input(pixels: Pixels8, model: ModelDescription, loaded: LoadedModel) -> ModelInput:
    """Pixels, uint8 (H, W, 3), as the model takes them: padded to a multiple of a size, or resized to a fixed one."""
    height, width = pixels.shape[:2]
    if loaded.height is None or loaded.width is None:
        padded = _padded(pixels, model.size_multiple)
        height, width = padded.shape[:2]
        return ModelInput(_normalised(padded, model, loaded), float(height), float(width))
    size = (loaded.width, loaded.height)
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return ModelInput(_normalised(resized, model, loaded), float(height), float(width))


def _padded(pixels: Pixels8, multiple: int) -> Pixels8:
    """The pixels with black rows and columns at the bottom and on the right, up to multiples of a size."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % multiple), (0, -width % multiple), (0, 0)))


def _normalised(pixels: Pixels8, model: ModelDescription, loaded: LoadedModel) -> Tensor:
    if loaded.dtype == np.uint8:
        return pixels[np.newaxis]
    normalised = (pixels.astype(np.float32) - model.mean) / model.std
    return normalised[np.newaxis].astype(np.float32, copy=False)
