"""Reads and checks `model.yaml` files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from math import inf, isfinite
from pathlib import Path
from typing import Any, cast

import yaml

from anonymizer.detect.description import ModelDescription, RegionRule, ScoreRule, SecondLook, TurnedLook, ViewSpec
from anonymizer.errors import ModelError
from anonymizer.kinds import MODEL_KINDS, Kind
from anonymizer.settings import PRESETS, THRESHOLD_RANGE

FILE_NAME = "model.yaml"

WITHOUT_NETWORK = ("codes",)
"""Detectors of the program that need no model file, see `load.DETECTORS`."""
MAX_BIAS = 10.0
"""Largest bias of a second look, in log odds; with more, the model's answer would no longer matter."""
MAX_GROW = 10.0
"""Of regions; with more, each would hide its neighbours."""
MAX_SIDE = 2048
"""Largest side of the squares of a second look, in pixels: that of a tile."""

KEYS = (
    *(
        "name",
        "file",
        "detector",
        "labels",
        "kinds",
        "thresholds",
        "input",
        "views",
        "film_views",
        "score",
        "calibration",
        "second_look",
        "turned_look",
    ),
    *("regions", "outputs", "first_class", "sha256", "licence", "origin", "limits", "accuracy"),
)
_RENAMED = {
    "smallest": "min_size",
    "largest": "max_size",
    "judges_from": "vote_min_size",
    "least_enlarged": "min_scale",
    "doubt": "score_exponent",
    "most": "max_objects",
}
"""Keys of earlier versions, and what they are called now."""


def read_description(path: Path) -> ModelDescription:
    """Reads a `model.yaml`.

    Raises:
        ModelError: it is damaged, a key is missing or unknown, or a value is out of range.
    """
    try:
        return _parse(path.parent, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except KeyError as error:
        raise ModelError(f"{path}: {error.args[0]!r} is missing") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise ModelError(f"{path}: {' '.join(str(error).split())}") from None


def format_of(path: Path) -> str | None:
    """The model format of a file or folder, by its name: a key of `load.LOADERS`. None if it is not a model."""
    if (path / "saved_model.pb").exists():
        return "saved_model"
    return {".tflite": "tflite", ".pb": "graph_def"}.get(path.suffix.lower())


@lru_cache(maxsize=64)
def _parse(folder: Path, text: str) -> ModelDescription:
    """Kept for the same text: the YAML of the bundled models takes 5 ms."""
    content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise ValueError("must hold lines such as 'file: model.tflite'")
    _check_keys(content, KEYS)
    model, model_format = _parse_place(folder, content)
    optional: dict[str, Callable[[Any], Any]] = {
        "first_class": int,
        "second_look": _parse_second_look,
        "turned_look": _parse_turned_look,
        "regions": _parse_regions,
        "sha256": _parse_sha256,
    }
    kinds = _parse_labels(content)
    if "regions" in content and len(set(kinds.values())) != 1:
        raise ValueError("regions: the model must find a single kind")
    if "turned_look" in content and ("regions" in content or content.get("score") != "mean"):
        raise ValueError("turned_look: needs boxes, and 'score: mean'")
    return ModelDescription(
        name=str(content.get("name", model.name)),
        folder=folder,
        path=model,
        format=model_format,
        kinds=kinds,
        thresholds=_parse_thresholds(content.get("thresholds", {})),
        views=_parse_views(content.get("views", [{}]), "views"),
        film_views=_parse_views(content.get("film_views", {}), "film_views"),
        score=_parse_score(content.get("score", "best")),
        calibration=_parse_calibration(content.get("calibration", {})),
        outputs={str(name): str(actual) for name, actual in content.get("outputs", {}).items()},
        licence=str(content.get("licence", "unknown")),
        origin=str(content.get("origin", "unknown")),
        limits=str(content.get("limits", "")),
        **_parse_input(content.get("input", {})),
        **{key: _parse_part(key, content[key], parse) for key, parse in optional.items() if key in content},
    )


def _parse_part(key: str, content: Any, parse: Callable[[Any], Any]) -> Any:
    """The value of a key; whatever is wrong in it, the message names the key."""
    try:
        return parse(content)
    except (ValueError, TypeError, OverflowError) as error:
        message = str(error)
        raise ValueError(message if message.startswith(key) else f"{key}: {message}") from None


def _parse_place(folder: Path, content: Mapping[str, Any]) -> tuple[Path, str]:
    """The file of a model and its format. A detector without a network has its description in place of a file."""
    if "detector" in content:
        if "file" in content or content["detector"] not in WITHOUT_NETWORK:
            raise ValueError(f"detector is one of {', '.join(WITHOUT_NETWORK)}, and stands in place of a file")
        return folder / FILE_NAME, str(content["detector"])
    model = folder / content["file"]
    model_format = format_of(model)
    if model_format is None:
        raise ValueError(f"{content['file']!r} is neither *.tflite, *.pb nor a SavedModel folder")
    return model, model_format


def _check_keys(content: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    if not isinstance(content, Mapping):
        raise ValueError(f"{where}must hold keys, some of {', '.join(sorted(known))}")
    for key in content:
        if key in known:
            continue
        new = _RENAMED.get(key)
        advice = f"it is called {new!r} now" if new in known else f"known are {', '.join(sorted(known))}"
        raise ValueError(f"{where}unknown key {key!r}; {advice}")


def _parse_labels(content: dict[str, Any]) -> dict[int, Kind]:
    """Kind per class number, of the labels that belong to a kind."""
    of_kind: dict[str, list[str]] = content.get("kinds", {kind: [kind] for kind in MODEL_KINDS})
    kind_of_label = {str(label): _parse_kind(kind) for kind, labels in of_kind.items() for label in labels}
    labels = {int(number): str(label) for number, label in content["labels"].items()}
    kinds = {number: kind_of_label[label] for number, label in labels.items() if label in kind_of_label}
    if not kinds:
        raise ValueError(
            f"none of the labels {sorted(labels.values())} belongs to a kind; add 'kinds: {{face: [...]}}'"
        )
    return kinds


def _parse_kind(text: str) -> Kind:
    if text not in MODEL_KINDS:
        raise ValueError(f"kind {text!r} is none of {', '.join(MODEL_KINDS)}")
    return text


def _parse_thresholds(content: dict[str, Any]) -> dict[Kind, float]:
    thresholds = {_parse_kind(kind): float(value) for kind, value in content.items()}
    low, high = THRESHOLD_RANGE
    if not all(low <= value <= high for value in thresholds.values()):
        raise ValueError(f"a threshold is not in the range {low}..{high}")
    return thresholds


def _parse_input(content: dict[str, Any]) -> dict[str, Any]:
    parsed = {
        "size_multiple": int(content.get("size_multiple", 1)),
        "mean": float(content.get("mean", 0.0)),
        "std": float(content.get("std", 1.0)),
    }
    if parsed["std"] <= 0 or parsed["size_multiple"] < 1:
        raise ValueError("input: std must be above 0 and size_multiple at least 1")
    return parsed


def _parse_sha256(text: Any) -> str:
    if not isinstance(text, str):  # YAML reads digits alone as a number
        raise ValueError("sha256 must stand in quotes")
    return text.lower()


def _parse_score(text: str) -> ScoreRule:
    if text not in ("best", "mean"):
        raise ValueError(f"score {text!r} is neither best nor mean")
    return cast(ScoreRule, text)


def _parse_views(content: Any, where: str) -> dict[str, tuple[ViewSpec, ...]]:
    """One list for all presets, or one per preset."""
    of_preset = content if isinstance(content, dict) else dict.fromkeys(PRESETS, content)
    for preset, specs in of_preset.items():
        if preset not in PRESETS:
            raise ValueError(f"{where}: preset {preset!r} is none of {', '.join(PRESETS)}")
        if not specs:
            raise ValueError(f"{where}: there must be one at least")
    return {preset: tuple(_parse_view(spec, where) for spec in specs) for preset, specs in of_preset.items()}


def _parse_view(content: dict[str, Any], where: str) -> ViewSpec:
    _check_keys(content, {part.name for part in fields(ViewSpec)}, f"{where}: ")
    for key, value in content.items():
        if key != "mirrored" and not (isfinite(value) and value >= 0):
            raise ValueError(f"{where}: {key} must be a number from 0 on")
    spec = ViewSpec(**content)
    for key in ("longest_side", "max_pixels", "enlarge", "max_enlarged_pixels", "score_exponent"):
        if getattr(spec, key) == 0:
            raise ValueError(f"{where}: {key} must be above 0")
    return spec


def _parse_calibration(content: dict[str, dict[float, float]]) -> dict[str, dict[float, float]]:
    of_preset = {
        preset: {float(size): float(exponent) for size, exponent in sorted(exponents.items())}
        for preset, exponents in content.items()
    }
    for preset, exponents in of_preset.items():
        if preset not in PRESETS or not exponents or min([*exponents, *exponents.values()]) <= 0:
            raise ValueError("calibration: needs exponents above 0 by sizes above 0, for each of some presets")
    return of_preset


def _parse_second_look(content: dict[str, Any]) -> SecondLook:
    _check_keys(content, {part.name for part in fields(SecondLook)}, "second_look: ")
    look = SecondLook(**content)
    look = replace(
        look,
        presets=tuple(look.presets),
        sizes=tuple(look.sizes),
        side=int(look.side),
        max_objects=int(look.max_objects),
    )
    if not set(look.presets).issubset(PRESETS):
        raise ValueError(f"second_look: presets must be some of {', '.join(PRESETS)}")
    if not 0 < look.from_score <= look.to_score <= 1 or not 0 <= look.weight <= 1 or not abs(look.bias) <= MAX_BIAS:
        raise ValueError(f"second_look: scores and weight must be in the range 0..1, bias at most {MAX_BIAS:g}")
    if not look.sizes or not all(1 <= size < look.side for size in look.sizes):
        raise ValueError("second_look: needs sizes from 1 on and below side")
    if not look.side <= MAX_SIDE or look.max_objects < 0:
        raise ValueError(f"second_look: side must be at most {MAX_SIDE}, max_objects 0 or more")
    return look


def _parse_turned_look(content: dict[str, Any]) -> TurnedLook:
    _check_keys(content, {part.name for part in fields(TurnedLook)}, "turned_look: ")
    look = TurnedLook(**content)
    look = replace(
        look,
        presets=tuple(look.presets),
        side=int(look.side),
        crowd_side=int(look.crowd_side),
        deciding_objects=int(look.deciding_objects),
        max_objects=int(look.max_objects),
    )
    if not set(look.presets).issubset(PRESETS):
        raise ValueError(f"turned_look: presets must be some of {', '.join(PRESETS)}")
    if not 0 < look.from_score <= look.to_score <= 1 or not 0 < look.sure_score <= 1:
        raise ValueError("turned_look: scores must be in the range 0..1, from_score at most to_score")
    for size, side in ((look.size, look.side), (look.crowd_size, look.crowd_side)):
        if not 1 <= size < side <= MAX_SIDE:
            raise ValueError(f"turned_look: sizes must be from 1 on and below the side, sides at most {MAX_SIDE}")
    if not 1 <= look.min_ratio < inf or not 0 < look.score_exponent < inf:
        raise ValueError("turned_look: min_ratio must be from 1 on, score_exponent above 0")
    if not all(0 <= value < inf for value in (look.min_evidence, look.min_size)):
        raise ValueError("turned_look: min_evidence and min_size must be numbers from 0 on")
    if min(look.deciding_objects, look.max_objects) < 0:
        raise ValueError("turned_look: deciding_objects and max_objects must be 0 or more")
    return look


def _parse_regions(content: dict[str, Any]) -> RegionRule:
    _check_keys(content, {part.name for part in fields(RegionRule)}, "regions: ")
    rule = RegionRule(**content)
    if not 0 < rule.from_probability < 1 or not 0 <= rule.grow <= MAX_GROW or not 0 <= rule.min_side < inf:
        raise ValueError(
            f"regions: from_probability must lie between 0 and 1, grow in the range 0..{MAX_GROW:g}, min_side from 0 on"
        )
    return rule
