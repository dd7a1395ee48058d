"""What the server asks its worker processes to do, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from anonymizer.kinds import Kind
from anonymizer.settings import Settings


@dataclass(frozen=True)
class FilmLimits:
    """How much a worker takes on."""

    max_bytes: int
    """Of an upload. Results may have `RESULT_SHARE` times as many."""
    max_pixels: int
    """Of a frame."""
    max_frames: int
    max_s: float
    """How long a film may last."""
    timeout_s: float
    """How long the work may take."""


RESULT_SHARE = 4
"""Films are encoded so that their quality is kept, whatever bytes that takes."""


@dataclass(frozen=True, eq=False)
class Order:
    """What to do with a picture or film."""

    content: bytes = field(repr=False)
    """The file."""
    settings: Settings
    only_detects: bool = False
    """Whether no file is wanted."""
    wants_mask: bool = False
    detections: bytes | None = field(default=None, repr=False)
    """Detection JSON to take in place of what models find."""
    is_film: bool = False
    sure_from: Mapping[Kind, float] = field(default_factory=dict)
    """Of a film with detections: scores from which on they counted by themselves when they were found."""


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
    """Width and height of each frame, upright, in pixels; of a film, of all frames at once."""
    counts: Mapping[Kind, int]
    warnings: Sequence[str] = field(repr=False)
    seconds: float
    film: Mapping[str, object] | None = None
    """Of a film: see `types.Result`."""
    sure_from: Mapping[Kind, float] = field(default_factory=dict)
    """Of a film that was looked at: scores from which on detections counted by themselves."""

    def without_files(self) -> Done:
        """What may be kept when the files are gone."""
        return replace(self, file=b"", detections=b"", mask=None)


@dataclass(frozen=True, eq=False)
class Failed:
    """Why there is nothing."""

    problem: str
    """A key of `PROBLEMS`."""
    reason: str = field(repr=False)
