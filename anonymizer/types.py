"""The plain values that the stages hand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8 | np.uint16]
"""Upright picture, uint8 or uint16 (H, W, C): C=1 gray or C=3 RGB."""

Alpha: TypeAlias = npt.NDArray[np.uint8 | np.uint16]
"""Alpha channel of an upright picture, uint8 or uint16 (H, W)."""

Pixels8: TypeAlias = npt.NDArray[np.uint8]
"""What detectors look at: uint8 (H, W, 3), RGB."""

Kind: TypeAlias = Literal["face", "plate"]
Fidelity: TypeAlias = Literal["lossless", "reencoded"]
"""Whether a picture is bit for bit the same away from the mask, or was encoded anew as a whole."""
Status: TypeAlias = Literal["anonymized", "detected", "failed", "skipped"]
"""detected: the detections were written, but by the user's choice no picture."""
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in float pixels of the upright picture, half open: x_min <= x < x_max.

    Raises:
        ValueError: a side is not finite, or a maximum lies before its minimum.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        if not all(map(isfinite, (self.x_min, self.y_min, self.x_max, self.y_max))):
            raise ValueError(f"{self} is not finite")
        if self.x_max < self.x_min or self.y_max < self.y_min:
            raise ValueError(f"{self} has a negative size")

    @property
    def width(self) -> float:
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        return self.y_max - self.y_min

    @property
    def longer_side(self) -> float:
        return max(self.width, self.height)

    @property
    def corners(self) -> tuple[float, float, float, float]:
        return self.x_min, self.y_min, self.x_max, self.y_max

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, 0 to 1."""
        width = min(self.x_max, other.x_max) - max(self.x_min, other.x_min)
        height = min(self.y_max, other.y_max) - max(self.y_min, other.y_min)
        shared = max(0.0, width) * max(0.0, height)
        union = self.width * self.height + other.width * other.height - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """An object that a model found: where, how sure (score in [0, 1]) and what."""

    box: Box
    score: float
    kind: Kind
    extent: Box | None = None
    """What weaker detections of the same object cover together with this one, if that is more than the box."""

    @property
    def hidden_box(self) -> Box:
        """What is to be hidden."""
        return self.extent or self.box


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to process. Paths are relative to the input root and to the output root."""

    source: Path
    target: Path
    record: Path
    """Where the detection JSON goes."""
    stale_records: tuple[Path, ...] = ()
    """Where an earlier run put it if the picture had no twin then, or has none now."""

    @property
    def name(self) -> str:
        return self.source.as_posix()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one picture."""

    file: str
    """Path relative to the input root, with forward slashes."""
    status: Status
    reason: str | None = None
    """Why it failed or was skipped."""
    counts: Mapping[Kind, int] = field(default_factory=dict)
    """Detections per kind; every kind that was looked for has an entry."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock seconds per stage, in the order of the stages."""
    began_s: float = 0.0
    """When the work on it began, seconds on the clock of time.perf_counter()."""
    unchanged: bool = False
    """Whether an earlier run had done it, and nothing has changed since."""
    warnings: tuple[str, ...] = ()
    fidelity: Fidelity | None = None
    left_out: tuple[str, ...] = ()
    """What the source file held beside its picture and metadata, and the output does not."""
