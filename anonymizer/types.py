"""The plain values that the stages hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box, hull
from anonymizer.kinds import TRAITS
from anonymizer.kinds import Kind as Kind
from anonymizer.outlines import Outline, PolygonOutline

Pixels: TypeAlias = npt.NDArray[np.uint8 | np.uint16]
"""Upright picture, uint8 or uint16 (H, W, C): C=1 gray or C=3 RGB."""

Alpha: TypeAlias = npt.NDArray[np.uint8 | np.uint16]
"""Alpha channel of an upright picture, uint8 or uint16 (H, W)."""

Pixels8: TypeAlias = npt.NDArray[np.uint8]
"""What detectors look at: uint8 (H, W, 3), RGB."""

DRAWN_SCORE = 1.0
"""Of what a person drew."""

Fidelity: TypeAlias = Literal["lossless", "reencoded"]
"""Whether a picture is bit for bit the same away from the mask, or was encoded anew as a whole."""
Status: TypeAlias = Literal["anonymized", "detected", "kept", "failed", "skipped"]
"""detected: the detections were written, but by the user's choice no picture. kept: an earlier run anonymized it, and
somebody has changed the output by hand since."""
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Detection:
    """What is to be hidden: where, how sure (score in [0, 1]) and what. A model found it, a zone covers it, or a person
    says so.

    Raises:
        ValueError: the kind is not in the table, so that nothing would hide the object; or the box is not that of the
            outline.
    """

    box: Box
    score: float
    kind: Kind
    extent: Box | None = None
    """What weaker detections of the same object cover together with this one, if that is more than the box."""
    outline: Outline | None = None
    """The exact shape, which is hidden in place of the box or the ellipse around it; None: not known."""
    track: int | None = None
    """Number of the same object in the frames of a film; None: not tracked."""
    silhouette: PolygonOutline | None = None
    """What a network sees of the object, with hair and ears, where that is to be hidden besides; None: not known."""

    def __post_init__(self) -> None:
        if self.kind not in TRAITS:
            raise ValueError(f"kind {self.kind!r} is not one of {', '.join(TRAITS)}")
        if self.outline is not None and (self.extent is not None or self.box != self.outline.box):
            raise ValueError("a detection with an outline has the outline's box, and no extent")
        if self.outline is not None and self.silhouette is not None:
            raise ValueError("a detection with an outline has no silhouette")

    @classmethod
    def of(cls, outline: Outline, kind: Kind, score: float = 1.0) -> Detection:
        """What an outline surrounds."""
        return cls(outline.box, score, kind, outline=outline)

    @property
    def redaction_box(self) -> Box:
        """What is to be hidden."""
        return self.box if self.extent is None else hull((self.box, self.extent))


@dataclass(frozen=True)
class FrameDetections:
    """What is in one frame of a picture."""

    detections: Sequence[Detection]
    in_alpha: Sequence[Detection] | None = None
    """Those of which the alpha channel shows something; None: perhaps all of them, or there is no such channel."""
    not_counted: int = 0
    """How many more there are where the zones say that nothing counts."""

    @property
    def to_hide_in_alpha(self) -> Sequence[Detection]:
        """What is redacted in the alpha channel."""
        return self.detections if self.in_alpha is None else self.in_alpha


@dataclass(frozen=True, slots=True)
class Source:
    """What tells the file of a picture from others."""

    sha256: str
    """Of its bytes, in hexadecimal digits."""
    frames: int
    """Frames or pages."""
    sizes: tuple[tuple[int, int], ...]
    """Width and height of each frame, upright, in pixels; a single one stands for all where they are alike."""

    @property
    def sizes_of_frames(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each frame."""
        return self.sizes * self.frames if len(self.sizes) == 1 else self.sizes


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run before this one wrote down of a picture."""

    path: Path
    """Of its detection JSON."""
    source: Source | None
    """Of what file; None where the run did not note it."""
    not_counted: int = 0
    """How many more detections there were where the zones said that nothing counts."""
    edits: tuple[Mapping[str, object], ...] = ()
    """What people had changed before it was written, as the report says it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to process. Paths are relative to the input root and to the output root."""

    source: Path
    target: Path
    detections_path: Path
    """Where the detection JSON goes."""
    old_detections: tuple[Path, ...] = ()
    """Where an earlier run put it if the picture had no twin then, or has none now."""
    mask_path: Path | None = None
    """Where its mask goes; None if none is written."""
    old_masks: tuple[Path, ...] = ()
    """Where an earlier run put it, as with the detections."""
    lookalikes: tuple[Path, ...] = ()
    """Targets of pictures before it whose names some file systems do not tell from its own."""
    foreign: tuple[Path, ...] = ()
    """Those of the files under its names that this program did not write, which are never removed."""
    recorded: Recorded | str | None = None
    """What to replay; as text why there is nothing to replay. None where something else finds."""
    version: str | None = None
    """Tells this content of a source in a store from others; None for local files."""
    ahead: Path | None = None
    """Local copy of a source in a store; it may be gone."""

    @property
    def name(self) -> str:
        return self.source.as_posix()

    @property
    def outputs(self) -> tuple[Path, ...]:
        """All names under which an output of this or of an earlier run may lie."""
        masks = () if self.mask_path is None else (self.mask_path, *self.old_masks)
        return (self.target, self.detections_path, *self.old_detections, *masks)

    def stale(self, *paths: Path) -> list[Path]:
        """Those of these outputs that may be removed."""
        return [path for path in paths if path not in self.foreign]


class Progress(str):
    """How far something is that takes long: a text for people, and a share for bars."""

    share: float | None
    """Of the work, 0..1; None: not known."""

    def __new__(cls, text: str, share: float | None = None) -> Progress:
        made = super().__new__(cls, text)
        made.share = share
        return made


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one picture."""

    file: str
    """Path relative to the input root, with forward slashes."""
    status: Status
    reason: str | None = None
    """Why it failed, was kept or was skipped."""
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
    not_counted: int = 0
    """How many detections there were, over all frames, where the zones say that nothing counts."""
    source: Source | None = None
    """None where it could not be read."""
    mask: str | None = None
    """Where its mask lies, relative to the folder of masks, with forward slashes; None if it has none."""
    record: str | None = None
    """Where its detection JSON lies, relative to the output root, with forward slashes; None if it has none."""
    film: Mapping[str, object] | None = None
    """Of a film: how many "frames" and "seconds" it has, how many "tracks" were hidden, each an object, how many
    "frames_looked_at" and "frames_copied" there were. None for pictures."""
    edits: tuple[Mapping[str, object], ...] = ()
    """What people changed about its detections, as `record.edits.Edited` says it."""
    versions: Mapping[str, str] | None = None
    """Tells the content of each output that was written to a store from others, by its path; None for local outputs."""
