"""Which models there are: reads their descriptions, without loading any.

A model is a file or folder in one of the formats of `FORMATS`. A `model.yaml` beside it describes it (see
`ModelDescription`); without one, its file name must say which kind it finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import inf, isfinite, sqrt
from pathlib import Path
from typing import Any, cast

import yaml

from anonymizer.errors import ModelError
from anonymizer.kinds import KINDS, Kind
from anonymizer.settings import PRESETS, THRESHOLD_RANGE

DESCRIPTION = "model.yaml"
DEFAULT_THRESHOLD = 0.3
"""For models that name none; that of the understand.ai anonymizer."""

_INSTALLED = Path(__file__).parents[1] / "weights"
_IN_REPOSITORY = Path(__file__).parents[2] / "weights"
BUNDLED = _INSTALLED if _INSTALLED.is_dir() else _IN_REPOSITORY
"""Folder of the models that come with the program."""


@dataclass(frozen=True)
class Look:
    """How large a model sees the picture, and which objects it then answers for: a line of `views` in `model.yaml`."""

    longest_side: int | None = None
    """The picture is shrunk until its longest side has at most so many pixels."""
    max_pixels: int | None = None
    """The picture is shrunk until it has at most so many pixels."""
    enlarge: float = 1.0
    """The picture is enlarged by up to this factor."""
    max_enlarged_pixels: int | None = None
    """But not to more pixels than these."""
    least_enlarged: float = 0.0
    """A picture that cannot be enlarged by this factor is not looked at in this way at all."""
    smallest: float = 0.0
    """Objects whose longer side is shorter are left to looks that show them larger, where there are any; in pixels of
    what the model sees."""
    judges_from: float = 0.0
    """Of objects whose longer side is shorter it says where they end, but has no vote on the score, if others have."""
    largest: float = inf
    """Objects whose longer side is longer are left to looks that show them smaller."""
    mirrored: bool = False
    """The picture is mirrored left to right."""
    quarter_turns: int = 0
    """The picture is turned by so many quarters, anticlockwise. Looks at the picture turned alike form a group: a mean
    score is that over the looks of a group, and of an object that several groups find the best of theirs counts."""
    doubt: float = 1.0
    """Scores are raised to this power: above 1, what is found in this way counts for less."""

    def scale(self, height: int, width: int) -> float | None:
        """By which factor a picture of this size is enlarged or shrunk, or None if it is not looked at."""
        area = height * width
        scale = self.enlarge
        if self.max_enlarged_pixels is not None:
            scale = max(1.0, min(scale, sqrt(self.max_enlarged_pixels / area)))
        if self.longest_side is not None:
            scale = min(scale, self.longest_side / max(height, width))
        if self.max_pixels is not None:
            scale = min(scale, sqrt(self.max_pixels / area))
        return scale if scale >= self.least_enlarged else None


AS_IT_IS = (Look(),)
"""How models look at a picture that do not say it."""


MOST_BIAS = 10.0
"""Of the log odds of a second look; more leaves nothing of what was seen."""
LARGEST_SIDE = 2048
"""What a model sees in a second look has at most this height and width."""


@dataclass(frozen=True)
class SecondLook:
    """How a model looks at doubtful objects once more, each by itself: `second_look` in `model.yaml`.

    It sees a square around the object, in which the object has a size that it judges well.
    """

    presets: tuple[str, ...] = PRESETS
    """Other presets do without."""
    from_score: float = 0.1
    to_score: float = 0.5
    """Objects are doubtful from the one score on up to the other."""
    sizes: tuple[float, ...] = (32.0, 48.0)
    """Longer side of the object in pixels of what the model sees, for each time it looks."""
    side: int = 96
    """Height and width of what it sees, in pixels."""
    weight: float = 0.25
    """How much the second look counts, from 0 to 1."""
    bias: float = 0.0
    """Added to the log odds of the new score."""
    most: int = 500
    """Objects that are looked at again in a picture, the surest first, so that the time is bounded."""

    def is_doubtful(self, score: float) -> bool:
        return self.from_score <= score < self.to_score


@dataclass(frozen=True)
class ModelDescription:
    """What is known of a model before it is loaded: the content of `model.yaml`."""

    name: str
    folder: Path
    """Where its description lies, or else the model."""
    path: Path
    """The TFLite file, the frozen graph or the SavedModel folder."""
    format: str
    """One of `FORMATS`."""
    kinds: Mapping[int, Kind]
    """Kind per class number of the model; other classes are ignored."""
    every_class: Kind | None = None
    """The kind of all classes, for models without a label map."""
    thresholds: Mapping[Kind, float] = field(default_factory=dict)
    """Default score threshold per kind."""
    is_agreement: bool = False
    """Whether a score is the mean over all views, turned alike, that answer for objects of such a size, rather than the
    best one."""
    size_multiple: int = 1
    """Height and width of the input must be multiples of it; pictures are padded with zeros."""
    views: Mapping[str, tuple[Look, ...]] = field(default_factory=lambda: dict.fromkeys(PRESETS, AS_IT_IS))
    """How the model looks at a picture, per preset. It has no part in presets that are not in it."""
    calibration: Mapping[str, Mapping[float, float]] = field(default_factory=dict)
    """Per preset: exponents for the scores, by the longer side of the object in pixels of the picture, between sizes
    interpolated over the logarithm. They make a threshold mean about the same in each preset and size."""
    second_look: SecondLook | None = None
    mean: float = 0.0
    """For models that take floats: (pixel - mean) / std with pixel in 0..255."""
    std: float = 1.0
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name in the model per name of the Object Detection API, where they differ."""
    first_class: int | None = None
    """Number that the model gives to the first class of the label map: 1, or 0. None if the format tells."""
    sha256: str | None = None
    """Expected checksum, see `checksum`."""
    licence: str = "unknown"
    origin: str = "unknown"

    @property
    def found_kinds(self) -> tuple[Kind, ...]:
        """The kinds that the model finds, in the order of `KINDS`."""
        found = {self.every_class, *self.kinds.values()}
        return tuple(kind for kind in KINDS if kind in found)

    def without_places(self) -> dict[str, object]:
        """All fields but those that say where the model lies."""
        return {name: value for name, value in vars(self).items() if name not in ("folder", "path")}

    def threshold(self, kind: Kind) -> float:
        return self.thresholds.get(kind, DEFAULT_THRESHOLD)


def find_models(weights: Path | None = None) -> list[ModelDescription]:
    """The models in a folder and in the folders directly below it. Bundled ones where `weights` is None.

    Raises:
        ModelError: the folder cannot be read, holds no model, or a description is wrong.
    """
    folder = BUNDLED if weights is None else weights
    try:
        places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
        described = [read_description(place / DESCRIPTION) for place in places if (place / DESCRIPTION).exists()]
        others = [path for place in places if not _speaks_for(described, place) for path in _model_files(place)]
    except OSError as error:
        raise ModelError(f"folder of models {folder}: {error.strerror}") from None
    models = described + [_undescribed(path) for path in others]
    if not models:
        raise ModelError(
            f"folder of models {folder} holds no model: neither *.tflite, a frozen graph *.pb, "
            f"a SavedModel folder nor a {DESCRIPTION}"
        )
    return models


def _speaks_for(described: Sequence[ModelDescription], place: Path) -> bool:
    """Whether a description lies in this folder or the one above: it speaks for all that is in them.

    The folders of the model zoo hold one model in several formats.
    """
    folders = {model.folder for model in described}
    return place in folders or place.parent in folders


def _model_files(place: Path) -> list[Path]:
    """The folder itself if it is a SavedModel, else the model files in it."""
    if _format_of(place) is not None:
        return [place]
    return sorted(path for path in place.iterdir() if path.is_file() and _format_of(path) is not None)


def _format_of(path: Path) -> str | None:
    if (path / "saved_model.pb").exists():
        return "saved_model"
    return {".tflite": "tflite", ".pb": "graph_def"}.get(path.suffix.lower())


def _undescribed(path: Path) -> ModelDescription:
    """A model without `model.yaml`: all of its classes are of the one kind that its name tells.

    So the files of the understand.ai anonymizer, weights_face_v1.0.0.pb and weights_plate_v1.0.0.pb, are known.
    """
    kinds = [kind for kind in KINDS if kind in path.name.lower()]
    if len(kinds) != 1:
        raise ModelError(
            f"model {path}: its name says neither {' nor '.join(map(repr, KINDS))}; rename it, or put a {DESCRIPTION} "
            f"beside it with 'file: {path.name}' and 'labels: {{1: face}}'"
        )
    return ModelDescription(path.name, path.parent, path, cast(str, _format_of(path)), {}, kinds[0])


def read_description(path: Path) -> ModelDescription:
    """Reads a `model.yaml`.

    Raises:
        ModelError: it is damaged, lacks something or has an unknown key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("must hold lines such as 'file: model.tflite'")
        return _parse_description(path.parent, content)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except KeyError as error:
        raise ModelError(f"{path}: {error.args[0]!r} is missing") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise ModelError(f"{path}: {' '.join(str(error).split())}") from None


def _parse_description(folder: Path, content: dict[str, Any]) -> ModelDescription:
    known = {
        "name",
        "file",
        "labels",
        "kinds",
        "thresholds",
        "input",
        "views",
        "score",
        "calibration",
        "second_look",
        "outputs",
        "first_class",
        "sha256",
    }
    known |= {"licence", "origin", "accuracy"}
    for key in content:
        if key not in known:
            raise ValueError(f"unknown key {key!r}; known are {', '.join(sorted(known))}")

    model = folder / content["file"]
    model_format = _format_of(model)
    if model_format is None:
        raise ValueError(f"{content['file']!r} is neither *.tflite, *.pb nor a SavedModel folder")
    kind_of_label = _kind_of_label(content.get("kinds", {kind: [kind] for kind in KINDS}))
    labels = {int(number): str(label) for number, label in content["labels"].items()}
    kinds = {number: kind_of_label[label] for number, label in labels.items() if label in kind_of_label}
    if not kinds:
        raise ValueError(
            f"none of the labels {sorted(labels.values())} belongs to a kind; add 'kinds: {{face: [...]}}'"
        )

    thresholds = {_kind(kind): float(value) for kind, value in content.get("thresholds", {}).items()}
    low, high = THRESHOLD_RANGE
    if not all(low <= value <= high for value in thresholds.values()):
        raise ValueError(f"a threshold is not in the range {low}..{high}")
    if not isinstance(content.get("sha256", ""), str):
        raise ValueError("sha256 must stand in quotes")
    shape = content.get("input", {})
    if float(shape.get("std", 1.0)) <= 0 or int(shape.get("size_multiple", 1)) < 1:
        raise ValueError("input: std must be above 0 and size_multiple at least 1")
    return ModelDescription(
        name=str(content.get("name", model.name)),
        folder=folder,
        path=model,
        format=model_format,
        kinds=kinds,
        thresholds=thresholds,
        size_multiple=int(shape.get("size_multiple", 1)),
        mean=float(shape.get("mean", 0.0)),
        std=float(shape.get("std", 1.0)),
        views=_parse_views(content.get("views", [{}])),
        is_agreement=_parse_score(content.get("score", "best")),
        calibration=_parse_calibration(content.get("calibration", {})),
        second_look=_parse_second_look(content["second_look"]) if "second_look" in content else None,
        outputs={str(name): str(actual) for name, actual in content.get("outputs", {}).items()},
        first_class=int(content["first_class"]) if "first_class" in content else None,
        sha256=content["sha256"].lower() if "sha256" in content else None,
        licence=str(content.get("licence", "unknown")),
        origin=str(content.get("origin", "unknown")),
    )


def _parse_views(content: Any) -> dict[str, tuple[Look, ...]]:
    """One list for all presets, or one per preset."""
    of_preset = content if isinstance(content, dict) else dict.fromkeys(PRESETS, content)
    for preset, looks in of_preset.items():
        if preset not in PRESETS:
            raise ValueError(f"views: preset {preset!r} is none of {', '.join(PRESETS)}")
        if not looks:
            raise ValueError("views: there must be one at least")
    return {preset: tuple(_parse_look(look) for look in looks) for preset, looks in of_preset.items()}


def _parse_score(text: str) -> bool:
    if text not in ("best", "mean"):
        raise ValueError(f"score {text!r} is neither best nor mean")
    return text == "mean"


def _parse_calibration(content: dict[str, dict[float, float]]) -> dict[str, dict[float, float]]:
    of_preset = {
        preset: {float(size): float(exponent) for size, exponent in sorted(exponents.items())}
        for preset, exponents in content.items()
    }
    for preset, exponents in of_preset.items():
        if preset not in PRESETS or not exponents or min([*exponents, *exponents.values()]) <= 0:
            raise ValueError("calibration: needs exponents above 0 by sizes above 0, for each of some presets")
    return of_preset


def _parse_look(content: dict[str, Any]) -> Look:
    known = {part.name for part in fields(Look)}
    for key, value in content.items():
        if key not in known:
            raise ValueError(f"views: unknown key {key!r}; known are {', '.join(sorted(known))}")
        if key != "mirrored" and not (isfinite(value) and value >= 0):
            raise ValueError(f"views: {key} must be a number from 0 on")
    look = Look(**content)
    if 0 in (look.longest_side, look.max_pixels, look.enlarge, look.max_enlarged_pixels, look.doubt):
        raise ValueError("views: longest_side, max_pixels, enlarge, max_enlarged_pixels and doubt must be above 0")
    return look


def _parse_second_look(content: dict[str, Any]) -> SecondLook:
    known = {part.name for part in fields(SecondLook)}
    for key in content:
        if key not in known:
            raise ValueError(f"second_look: unknown key {key!r}; known are {', '.join(sorted(known))}")
    look = SecondLook(**content)
    look = replace(look, presets=tuple(look.presets), sizes=tuple(look.sizes), side=int(look.side), most=int(look.most))
    if not set(look.presets).issubset(PRESETS):
        raise ValueError(f"second_look: presets must be some of {', '.join(PRESETS)}")
    if not 0 < look.from_score <= look.to_score <= 1 or not 0 <= look.weight <= 1 or not abs(look.bias) <= MOST_BIAS:
        raise ValueError(f"second_look: scores and weight must be in the range 0..1, bias at most {MOST_BIAS:g}")
    if not look.sizes or not all(1 <= size < look.side for size in look.sizes):
        raise ValueError("second_look: needs sizes from 1 on and below side")
    if not look.side <= LARGEST_SIDE or look.most < 0:
        raise ValueError(f"second_look: side must be at most {LARGEST_SIDE}, most 0 or more")
    return look


def _kind_of_label(labels_of_kind: Mapping[str, list[str]]) -> dict[str, Kind]:
    return {str(label): _kind(kind) for kind, labels in labels_of_kind.items() for label in labels}


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise ValueError(f"kind {text!r} is none of {', '.join(KINDS)}")
    return text


def checksum(model: ModelDescription) -> str:
    """SHA-256 of the model's file; of a SavedModel, over the names and contents of all its files in order.

    Raises:
        ModelError: it cannot be read, or differs from the one in the description.
    """
    digest = hashlib.sha256()
    try:
        if model.path.is_dir():
            for path in sorted(path for path in model.path.rglob("*") if path.is_file()):
                digest.update(path.relative_to(model.path).as_posix().encode() + b"\0")
                digest.update(path.read_bytes())
        else:
            digest.update(model.path.read_bytes())
    except OSError as error:
        raise ModelError(f"model {model.path}: {error.strerror}") from None
    found = digest.hexdigest()
    if model.sha256 not in (None, found):
        raise ModelError(f"model {model.path} has SHA-256 {found}, its {DESCRIPTION} says {model.sha256}: damaged?")
    return found
