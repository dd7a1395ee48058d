"""Turns faces into vectors; those of one person lie close together."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from anonymizer.errors import ModelError
from anonymizer.types import Pixels8

_NOTHING = 1e-9
"""Length of a vector that says nothing, such as that of a black square."""

Vector = npt.NDArray[np.float32]
"""(128,), of length 1."""


class Recogniser:
    """SFace (Zhong et al. 2021, arXiv:2205.12010), run by LiteRT."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=1)
            self._interpreter.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"model {path} is missing or damaged: {error}") from None
        (self._entry,) = self._interpreter.get_input_details()
        (self._answer,) = self._interpreter.get_output_details()
        self._lock = Lock()

    def vector_of(self, aligned: Pixels8) -> Vector:
        """
        Args:
            aligned: uint8 (112, 112, 3), RGB, a face as `align` puts it. Its mirror image counts as much.
        """
        both = np.sum([self._call(aligned), self._call(aligned[:, ::-1])], axis=0)
        return np.asarray(both / max(float(np.linalg.norm(both)), _NOTHING), np.float32)

    def _call(self, face: Pixels8) -> Vector:
        with self._lock:
            self._interpreter.set_tensor(self._entry["index"], face[np.newaxis].astype(np.float32))
            self._interpreter.invoke()
            vector: Vector = self._interpreter.get_tensor(self._answer["index"])[0].copy()
            return vector
