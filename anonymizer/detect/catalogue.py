"""Which models there are: finds their files and descriptions, without loading any.

A model is a file or folder in one of the formats that `anonymizer.detect.load` knows. A `model.yaml` beside it
describes it (see `ModelDescription`); without one, its file name must contain the name of the kind that it finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

from anonymizer.detect.description import ModelDescription
from anonymizer.detect.model_yaml import FILE_NAME, format_of, read_description
from anonymizer.errors import ModelError
from anonymizer.kinds import MODEL_KINDS

_INSTALLED = Path(__file__).parents[1] / "weights"
_IN_REPOSITORY = Path(__file__).parents[2] / "weights"
BUNDLED = _INSTALLED if _INSTALLED.is_dir() else _IN_REPOSITORY
"""Folder of the models that come with the program."""
RECOGNISER_NAME = "recogniser.yaml"
"""In a folder whose model says whose face it is, and detects nothing."""
SEGMENTER_NAME = "segmenter.yaml"
"""In a folder whose model draws silhouettes, and detects nothing."""


def find_models(weights: Path | None = None) -> list[ModelDescription]:
    """The models in a folder and in the folders directly below it; the bundled ones if `weights` is None.

    Raises:
        ModelError: the folder cannot be read, holds no model, or a description is wrong.
    """
    folder = BUNDLED if weights is None else weights
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir() and not _detects_nothing(path))
        folders = [folder, *below]
        described = [read_description(each / FILE_NAME) for each in folders if (each / FILE_NAME).exists()]
        others = [path for each in folders if not _is_described(each, described) for path in _model_files(each)]
    except OSError as error:
        raise ModelError(f"folder of models {folder}: {error.strerror}") from None
    models = described + [_undescribed(path) for path in others]
    if not models:
        raise ModelError(
            f"folder of models {folder} holds no model: neither *.tflite, a frozen graph *.pb, "
            f"a SavedModel folder nor a {FILE_NAME}"
        )
    return models


def _detects_nothing(folder: Path) -> bool:
    return any((folder / name).exists() for name in (RECOGNISER_NAME, SEGMENTER_NAME))


def _is_described(folder: Path, described: Sequence[ModelDescription]) -> bool:
    """Whether a description lies in this folder or the one above: it covers all files there.

    The folders of the model zoo hold one model in several formats.
    """
    with_description = {model.folder for model in described}
    return folder in with_description or folder.parent in with_description


def _model_files(folder: Path) -> list[Path]:
    """The folder itself if it is a SavedModel, else the model files in it."""
    if format_of(folder) is not None:
        return [folder]
    return sorted(path for path in folder.iterdir() if path.is_file() and format_of(path) is not None)


def _undescribed(path: Path) -> ModelDescription:
    """A model without `model.yaml`: all of its classes are of the one kind that its name contains.

    This covers the files of the understand.ai anonymizer, weights_face_v1.0.0.pb and weights_plate_v1.0.0.pb.
    """
    kinds = [kind for kind in MODEL_KINDS if kind in path.name.lower()]
    if len(kinds) != 1:
        raise ModelError(
            f"model {path}: its name says neither {' nor '.join(map(repr, MODEL_KINDS))}; rename it, or put a "
            f"{FILE_NAME} beside it with 'file: {path.name}' and 'labels: {{1: face}}'"
        )
    return ModelDescription(path.name, path.parent, path, cast(str, format_of(path)), {}, kinds[0])


def checksum(model: ModelDescription) -> str:
    """SHA-256 of the model's file, in hexadecimal; of a SavedModel, over the names and contents of its files in order.

    Files are read once, and again when their size or a time of theirs has changed.

    Raises:
        ModelError: it cannot be read, or differs from the one in the description.
    """
    try:
        place = model.path.absolute()
        files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        found = _sha256(place, tuple((path, _state(path)) for path in files))
    except OSError as error:
        raise ModelError(f"model {model.path}: {error.strerror}") from None
    if model.sha256 not in (None, found):
        raise ModelError(f"model {model.path} has SHA-256 {found}, its {FILE_NAME} says {model.sha256}: damaged?")
    return found


def _state(path: Path) -> tuple[int, ...]:
    """Of a file; nobody can set the time of change."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=32)
def _sha256(place: Path, files: tuple[tuple[Path, tuple[int, ...]], ...]) -> str:
    """
    Args:
        place: the only file, or the folder of all.
        files: paths, each with the state of its file, which makes the call another one.
    """
    digest = hashlib.sha256()
    for path, _ in files:
        if path != place:
            digest.update(path.relative_to(place).as_posix().encode() + b"\0")
        digest.update(path.read_bytes())
    return digest.hexdigest()
