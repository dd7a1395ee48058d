"""Turns faces into vectors; those of one person lie close together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymizer.detect.small_model import SmallModel
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
        self._model = SmallModel(path)

    def vector_of(self, aligned: Pixels8) -> Vector:
        """
        Args:
            aligned: uint8 (112, 112, 3), RGB, a face as `align` puts it. Its mirror image counts as much.
        """
        both = np.sum([self._call(aligned), self._call(aligned[:, ::-1])], axis=0)
        return np.asarray(both / max(float(np.linalg.norm(both)), _NOTHING), np.float32)

    def _call(self, face: Pixels8) -> Vector:
        return self._model(face.astype(np.float32))
