"""The recogniser that comes with the program."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import yaml

from anonymizer.detect.catalogue import BUNDLED, RECOGNISER_NAME
from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.errors import ModelError
from anonymizer.recognise.landmarks import LandmarkFinder
from anonymizer.recognise.recogniser import Recogniser
from anonymizer.recognise.resemblance import FaceReader

_FOLDER = BUNDLED / "recogniser"


@dataclass(frozen=True)
class RecogniserDescription:
    """What `recogniser.yaml` says."""

    name: str
    path: Path
    sha256: str
    landmarks_path: Path
    landmarks_sha256: str
    licence: str
    origin: str


def describe_recogniser(folder: Path = _FOLDER) -> RecogniserDescription:
    """
    Raises:
        ModelError: there is none, it is damaged, or its description is.
    """
    path = folder / RECOGNISER_NAME
    try:
        content = yaml.safe_load(path.read_bytes())
        described = RecogniserDescription(
            str(content["name"]),
            folder / content["file"],
            str(content["sha256"]),
            folder / content["landmarks_file"],
            str(content["landmarks_sha256"]),
            str(content["licence"]),
            str(content["origin"]),
        )
        for file, expected in (
            (described.path, described.sha256),
            (described.landmarks_path, described.landmarks_sha256),
        ):
            found = sha256(file.read_bytes()).hexdigest()
            if found != expected:
                raise ModelError(f"model {file} has SHA-256 {found}, its {path.name} says {expected}: damaged?")
    except OSError as error:
        raise ModelError(f"model {error.filename}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}") from None
    return described


def load_face_reader(folder: Path = _FOLDER) -> FaceReader:
    """
    Raises:
        ModelError: a model is missing or damaged.
    """
    described = describe_recogniser(folder)
    with suppress_native_stderr():
        return FaceReader(LandmarkFinder(described.landmarks_path), Recogniser(described.path))
