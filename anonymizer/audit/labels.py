"""Labelled pictures: where objects are, by people's hands."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from anonymizer.errors import SettingsError
from anonymizer.geometry import Box
from anonymizer.kinds import TRAITS, Kind


@dataclass(frozen=True)
class Label:
    """An object in a picture."""

    kind: Kind
    box: Box
    text: str | None = None
    """What is written on a plate, where it is known."""


@dataclass(frozen=True)
class Labelled:
    """A picture of which all objects of some kinds are known."""

    name: str
    """Path below the folder, with slashes."""
    labels: Sequence[Label]


def read_labels(folder: Path, group: str | None = None, kinds: Collection[str] | None = TRAITS) -> list[Labelled]:
    """What annotations.json in a folder says: a list of {"image", "group", "boxes": [{"kind", "x_min", "y_min",
    "x_max", "y_max", "ignore", "text"}]}. Boxes to ignore are left out.

    Args:
        group: only pictures whose group begins with this.
        kinds: other objects are left out; None: all of them count, also those that this program does not know.

    Raises:
        SettingsError: the file is missing or damaged, or names no such picture.
    """
    path = folder / "annotations.json"
    try:
        entries = json.loads(path.read_bytes())
        chosen = [entry for entry in entries if group is None or str(entry.get("group", "")).startswith(group)]
        labelled = [
            Labelled(str(entry["image"]), [*map(label_of, _counted(entry["boxes"], kinds))]) for entry in chosen
        ]
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} is damaged: {error!r}") from None
    if not labelled:
        raise SettingsError(f"{path} names no picture" + (f" of the group {group}" if group else ""))
    return labelled


def _counted(boxes: list[dict[str, object]], kinds: Collection[str] | None) -> list[dict[str, object]]:
    return [box for box in boxes if not box.get("ignore") and (kinds is None or box["kind"] in kinds)]


def label_of(box: dict[str, object]) -> Label:
    """An entry of annotations.json."""
    sides = {side: float(str(box[side])) for side in ("y_min", "x_min", "y_max", "x_max")}
    text = box.get("text")
    return Label(str(box["kind"]), Box(**sides), None if text is None else str(text))
