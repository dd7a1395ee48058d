"""An experiment that can be cited: one YAML file that says which faces are attacked, redacted how, and by whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from anonymizer.audit.redactions import Redaction, redaction
from anonymizer.errors import SettingsError

KEYS = ("faces", "redactions", "reversals", "facenet", "seed")


@dataclass(frozen=True)
class Experiment:
    """What `anonymize audit identify` does."""

    faces: Path
    redactions: tuple[Redaction, ...]
    reversals: Mapping[str, Path] = field(default_factory=dict)
    """Folders of trained networks, by the redaction that they bring back."""
    facenet: Path | None = None
    seed: int = 0


def read_experiment(path: Path) -> Experiment:
    """
    Raises:
        SettingsError: the file is missing or wrong. Paths in it are relative to its folder.
    """
    content = read_values(path, KEYS)
    if "faces" not in content:
        raise SettingsError(f"{path}: expected keys such as faces and redactions")
    redactions = content.get("redactions") or {"default": None}
    if isinstance(redactions, list):
        redactions = dict.fromkeys(redactions)
    reversals, seed = content.get("reversals") or {}, content.get("seed", 0)
    if not isinstance(redactions, dict) or not isinstance(reversals, dict) or not isinstance(seed, int):
        raise SettingsError(f"{path}: redactions and reversals map names to what they stand for, the seed is a number")
    facenet = content.get("facenet")
    return Experiment(
        path.parent / str(content["faces"]),
        tuple(redaction(str(name), described) for name, described in redactions.items()),
        {str(name): path.parent / str(folder) for name, folder in reversals.items()},
        None if facenet is None else path.parent / str(facenet),
        seed,
    )


def read_values(path: Path, known: Collection[str]) -> dict[str, Any]:
    """The keys and values of a YAML file.

    Args:
        known: keys.

    Raises:
        SettingsError: the file is missing or damaged, or holds other keys.
    """
    try:
        content = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: expected keys such as {', '.join(sorted(known))}")
    unknown = [str(key) for key in content if key not in known]
    if unknown:
        raise SettingsError(f"{path}: {', '.join(unknown)}: expected {', '.join(known)}")
    return content
