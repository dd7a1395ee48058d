"""What the server asks its worker processes to do, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from anonymizer.kinds import Kind
from anonymizer.settings import Settings


@dataclass(frozen=True, eq=False)
class Order:
    """What to do with a picture."""

    content: bytes = field(repr=False)
    """The file."""
    settings: Settings
    only_detects: bool = False
    """Whether no file is wanted."""
    wants_mask: bool = False
    detections: bytes | None = field(default=None, repr=False)
    """Detection JSON to take in place of what models find."""


@dataclass(frozen=True, eq=False)
class Done:
    """What became of it."""

    file: bytes = field(repr=False)
    """Empty if none was wanted."""
    media_type: str
    extension: str
    detections: bytes = field(repr=False)
    """Detection JSON."""
    mask: bytes | None = field(repr=False)
    """PNG file."""
    sizes: Sequence[tuple[int, int]]
    """Width and height of each frame, upright, in pixels."""
    counts: Mapping[Kind, int]
    warnings: Sequence[str] = field(repr=False)
    seconds: float

    def without_files(self) -> Done:
        """What may be kept when the files are gone."""
        return replace(self, file=b"", detections=b"", mask=None)


@dataclass(frozen=True, eq=False)
class Failed:
    """Why there is nothing."""

    problem: str
    """A key of `PROBLEMS`."""
    reason: str = field(repr=False)
