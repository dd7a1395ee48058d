"""Small models with one input and one output, run by LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from anonymizer.errors import ModelError


class SmallModel:
    """A TFLite file that is ready to be called, from any thread."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=1)
            self._interpreter.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"model {path} is missing, damaged, or no TFLite model: {error}") from None
        self._entry: Mapping[str, Any]
        (self._entry,) = self._interpreter.get_input_details()
        (self._answer,) = self._interpreter.get_output_details()
        self._shape = [int(side) for side in self._entry["shape"]]
        self._lock = Lock()  # an interpreter serves one thread at a time

    @property
    def taken_shape(self) -> tuple[int, ...]:
        """Of what it takes, without the first axis; as it was when the file was loaded or the model last called."""
        return tuple(self._shape[1:])

    @property
    def taken_dtype(self) -> np.dtype[np.generic]:
        dtype: np.dtype[np.generic] = np.dtype(self._entry["dtype"])
        return dtype

    @property
    def answer_length(self) -> int:
        """Of the last axis of what it answers."""
        return int(self._answer["shape"][-1])

    def __call__(self, tensor: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The answer without its first axis.

        Args:
            tensor: what the model takes, without the first axis. It may have another size than before.
        """
        with self._lock:
            if [1, *tensor.shape] != self._shape:
                self._interpreter.resize_tensor_input(self._entry["index"], [1, *tensor.shape])
                self._interpreter.allocate_tensors()
                self._shape = [1, *tensor.shape]
            self._interpreter.set_tensor(self._entry["index"], tensor[np.newaxis])
            self._interpreter.invoke()
            return np.array(self._interpreter.get_tensor(self._answer["index"])[0], np.float32)
