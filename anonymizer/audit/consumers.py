"""Models that stand for those who use a data set: detectors of whatever objects, and classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from anonymizer.audit.precision import Floats, Objects
from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import BOXES, CLASSES, NUMBER, SCORES, LoadedModel
from anonymizer.detect.load import LOADERS
from anonymizer.detect.model_yaml import FILE_NAME, format_of
from anonymizer.detect.preprocessing import to_input
from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.errors import ModelError, SettingsError
from anonymizer.types import Pixels8

NORMAL = 127.5
"""Mean and standard deviation of the levels for models that take floats and whose model.yaml says nothing else: -1..1,
as MobileNet takes them."""
LEAST_SCORE = 0.05
"""Of the objects that count for average precision."""
NO_CLASS = ("???", "background")
"""What the first line of a list of names says where classes are numbered from 1."""


@dataclass(frozen=True)
class ObjectDetector:
    """A detector with the signature of the TensorFlow Object Detection API, of whatever objects."""

    model: ModelDescription
    loaded: LoadedModel
    names: Sequence[str]

    def find(self, pixels: Pixels8) -> Objects:
        """What is in a picture, uint8 (H, W, 3)."""
        given = to_input(pixels, self.model, self.loaded)
        answer = self.loaded.call(given.tensor)
        number = int(np.ravel(answer[NUMBER])[0])
        scores, classes = (np.ravel(answer[key])[:number].astype(np.float64) for key in (SCORES, CLASSES))
        boxes = np.reshape(answer[BOXES], (-1, 4))[:number].astype(np.float64)
        boxes = boxes[:, [1, 0, 3, 2]] * ([given.covered_width, given.covered_height] * 2)
        first = self.loaded.first_class if self.model.first_class is None else self.model.first_class
        named = [_name(self.names, round(each) - first) for each in classes.tolist()]
        return Objects(named, boxes, scores).from_score(LEAST_SCORE)


@dataclass(frozen=True)
class Classifier:
    """A network that gives a picture as a whole one of several classes."""

    call: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    """(1, H, W, 3) in, (1, C) out."""
    dtype: np.dtype[Any]
    """Of the input: uint8, or float32, which gets -1..1."""
    size: tuple[int, int]
    """Height and width of the input."""

    def classify(self, pixels: Pixels8) -> Floats:
        """How likely each class is, (C,), in any unit, for a picture, uint8 (H, W, 3)."""
        height, width = self.size
        resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)[np.newaxis]
        given = resized if self.dtype == np.uint8 else (resized.astype(np.float32) - NORMAL) / NORMAL
        return np.asarray(self.call(given)[0], np.float64).ravel()


Consumer: TypeAlias = ObjectDetector | Classifier


def load_consumer(path: Path, names: Path | None = None) -> Consumer:
    """
    Args:
        path: a TFLite file, a frozen graph or a SavedModel of a detector; a folder with such a one and a model.yaml; a
            TFLite or Keras file of a classifier.
        names: text file with the name of each class of a detector in a line; by default the labels in model.yaml.

    Raises:
        ModelError: it is missing, damaged, or neither.
        SettingsError: the names cannot be read.
    """
    described, labels = _describe(path)
    if not described.path.exists():
        raise ModelError(f"model {described.path} is missing")
    if described.path.suffix in (".keras", ".h5"):
        return _keras_classifier(described.path)
    if described.path.suffix == ".tflite" and not _has_boxes(described):
        return _tflite_classifier(described.path)
    with suppress_native_stderr():
        loaded = cast(LoadedModel, import_module(LOADERS[described.format]).load(described))
    return ObjectDetector(described, loaded, labels if names is None else _names_in(names))


def _describe(path: Path) -> tuple[ModelDescription, list[str]]:
    """What is known of a model, and the names of its classes; of `model.yaml` only what is needed here."""
    content: dict[str, Any] = {}
    file = path
    if (path / FILE_NAME).is_file():
        try:
            content = dict(yaml.safe_load((path / FILE_NAME).read_text(encoding="utf-8")))
            file = path / str(content["file"])
        except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
            raise ModelError(f"{path / FILE_NAME}: {' '.join(str(error).split())}") from None
    kind = format_of(file)
    if kind is None and file.suffix not in (".keras", ".h5"):
        raise ModelError(f"model {file} is neither *.tflite, *.pb, *.keras, *.h5 nor a SavedModel folder")
    given = content.get("input", {})
    labels = {int(number): str(label) for number, label in dict(content.get("labels", {})).items()}
    names = [labels.get(number, f"class {number}") for number in range(1, max(labels, default=0) + 1)]
    model = ModelDescription(
        name=file.name,
        folder=file.parent,
        path=file,
        format=kind or "keras",
        kinds={},
        size_multiple=int(given.get("size_multiple", 1)),
        mean=float(given.get("mean", NORMAL)),
        std=float(given.get("std", NORMAL)),
        outputs={str(name): str(actual) for name, actual in content.get("outputs", {}).items()},
        first_class=content.get("first_class"),
    )
    return model, names


def _has_boxes(model: ModelDescription) -> bool:
    return len(_tflite(model.path).get_output_details()) > 1


def _tflite_classifier(path: Path) -> Classifier:
    interpreter = _tflite(path)
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    _, height, width, _ = (int(side) for side in given["shape"])

    def call(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        interpreter.set_tensor(given["index"], pixels)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(answer["index"]))

    return Classifier(call, np.dtype(given["dtype"]), (height, width))


def _tflite(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"model {path} is damaged, or no TFLite model: {error}") from None
    return interpreter


def _keras_classifier(path: Path) -> Classifier:
    import keras

    try:
        network = keras.saving.load_model(path, compile=False)
        _, height, width, _ = network.input_shape
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"model {path} is damaged, or no classifier of pictures: {error}") from None
    if height is None or width is None:
        raise ModelError(f"model {path} takes pictures of any size; a classifier with a fixed one is expected")
    return Classifier(lambda given: np.asarray(network(given)), np.dtype(np.float32), (int(height), int(width)))


def _names_in(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} is no list of names: {error}") from None
    return lines[1:] if lines and lines[0] in NO_CLASS else lines


def _name(names: Sequence[str], index: int) -> str:
    return names[index] if 0 <= index < len(names) else f"class {index + 1}"
