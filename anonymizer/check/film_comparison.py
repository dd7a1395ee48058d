"""Compares a redacted film with its original, frame by frame: both are decoded side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, log10, sqrt
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.check.comparison import uncovered
from anonymizer.check.film_claims import NO_CLAIMS, FilmClaims
from anonymizer.check.finding import Finding
from anonymizer.errors import PictureError
from anonymizer.redact.frame import mask_detections
from anonymizer.settings import Settings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.encoders import DEFAULT_QUALITY
from anonymizer.video.facts import FilmFacts
from anonymizer.video.groups import Spans
from anonymizer.video.selection import select
from anonymizer.video.source import Film, FilmFrame, open_film, to_rgb
from anonymizer.video.survey import Survey
from anonymizer.video.tally import Tally
from anonymizer.video.trimmed import trim
from anonymizer.video.verify import Account, samples_of

MARGIN_PX = 8
"""Around what is hidden, pixels are not compared: encoders code blocks, which the edge of a mask changes as a whole."""
LEAST_LEVELS = 1.0
"""Less than so many levels of 256 cannot be told from the noise of encoding, 1 to 2 levels at the default quality.

Where a track is hidden beyond its end, there may be nothing but a bare bonnet: of its 2.9 levels of detail, 0.8 were
left by chance, which is the only such case in 6 redactions of three films.
"""
BLOCK_PX = 32
"""A change in a small part of a frame shows in blocks of this side."""
LOWEST_PSNR_DB, PSNR_OF_QUALITY = 45.0, 0.55
"""A frame may differ by so much, less so much for each step of the quality, a rate factor as x264 counts.

Worst frames of 20 of three films, as H.264, HEVC, VP9, AV1, MPEG-4, ProRes and Motion JPEG: 44.3 dB at quality 10, 41.3
at 20 and by default, 35.8 at 30, 29.4 at 40. A film in which another one was put in its place has 10 to 20.
"""
MAX_BLOCK_RMS, QUALITY_OF_TWICE = 16.0, 16.0
"""And a block by so many levels of 256 at quality 0, twice as much for each so many steps.

The worst blocks of the same films: 9.5 at quality 10, 15.8 at 20, 15.6 at 30, 42 at 40. (One in AV1 at 30: 81.)
"""


@dataclass
class FilmComparison:
    """A film and its original. Ask frame by frame, then for what the whole tells."""

    file: str
    original: Film
    film: Film
    settings: Settings
    """Of the anonymizing run."""
    claims: FilmClaims = NO_CLAIMS
    """What its report says of the film."""
    _survey: Survey = field(init=False)
    _frames: Iterator[FilmFrame] = field(init=False)
    _copied: Spans = field(init=False)
    _trouble: str | None = None
    """Why the original cannot be compared any further."""
    _count: int = 0
    _first_late: int | None = None
    """The first frame that comes at another time."""
    _first_other: int | None = None
    """The first frame that is not the same, of those that were copied."""
    _worst: tuple[float, int, float] = (inf, 0, 0.0)
    """Lowest PSNR, its frame, and when that is shown."""
    _block: tuple[float, int, float] = (0.0, 0, 0.0)
    """The same for the greatest difference in a block."""

    def __post_init__(self) -> None:
        self._survey = Survey(self.original)
        self._frames = self._survey.frames()
        self._copied = Spans(self.claims.copied)

    @classmethod
    def of(
        cls, file: str, original: Path, film: Film, settings: Settings, claims: FilmClaims = NO_CLAIMS
    ) -> FilmComparison:
        """
        Raises:
            PictureError: the original cannot be read.
        """
        whole, video = open_film(original, settings.read), settings.video
        return cls(file, trim(whole, video.video_from, video.video_to), film, settings, claims)

    def next_original(self, frame: FilmFrame) -> Pixels8 | None:
        """The frame of the original in the place of one of the film; None if there is none any more.

        Only frames that come at the same time are compared any further.
        """
        before = self._advance()
        if before is None:
            return None
        if before.time * self.original.facts.time_base != frame.time * self.film.facts.time_base:
            self._first_late = frame.index if self._first_late is None else self._first_late
        if self._first_other is None and frame.index in self._copied and not _are_same(before, frame):
            self._first_other = frame.index
        if self.original.facts.upright_size != self.film.facts.upright_size:
            return None
        return to_rgb(before.picture, self.original.facts.orientation)

    def compare(self, frame: FilmFrame, before: Pixels8, after: Pixels8, hidden: Sequence[Detection]) -> list[Finding]:
        """What is to be hidden in a frame, by the record and the zones, and is not."""
        psnr_db, block_rms = difference_outside(before, after, self._near(before, hidden))
        time_s = self.film.facts.seconds(frame.time)
        self._worst = min(self._worst, (psnr_db, frame.index, time_s))
        self._block = max(self._block, (block_rms, frame.index, time_s), key=lambda each: each[0])
        return [
            Finding(self.file, "uncovered", f"{one.kind} of the record is not hidden", "finding", one.box, one.score)
            for one in uncovered(before, after, list(dict.fromkeys(hidden)), LEAST_LEVELS)
        ]

    def conclude(self, account: Account) -> list[Finding]:
        """What differs between the films as wholes.

        Args:
            account: of the whole way through the film.
        """
        while self._trouble is None and self._advance() is not None:
            pass
        if self._trouble is not None:
            return [Finding(self.file, "unreadable", f"its original {self._trouble}")]
        texts = [*self._differences_in_time(account), *self._differences_of_facts(), *self._differences_beside(account)]
        findings = [Finding(self.file, "changed", text) for text in texts]
        return findings + self._differences_outside()

    def _advance(self) -> FilmFrame | None:
        if self._trouble is not None:
            return None
        try:
            found = next(self._frames, None)
        except PictureError as error:
            self._trouble = str(error)
            return None
        self._count += found is not None
        return found

    def _near(self, pixels: Pixels8, hidden: Sequence[Detection]) -> npt.NDArray[np.bool_]:
        if not hidden:
            return np.zeros(pixels.shape[:2], bool)
        mask = (mask_detections(pixels, hidden, self.settings.redact) > 0).astype(np.uint8)
        side = 2 * MARGIN_PX + 1
        return cv2.dilate(mask, np.ones((side, side), np.uint8)).astype(bool)

    def _differences_in_time(self, account: Account) -> Iterator[str]:
        if account.frames.number != self._count:
            yield f"{account.frames.number} frames in place of {self._count}"
        elif self._first_late is not None:
            yield f"frame {self._first_late} comes at another time than in its original"
        if self._first_other is not None:
            yield f"frame {self._first_other} is not the same as in its original, though its report says so"

    def _differences_of_facts(self) -> Iterator[str]:
        before, after = self.original.facts, self.film.facts
        for what, old, new in (
            ("size", (before.width, before.height), (after.width, after.height)),
            ("orientation", before.display_matrix, after.display_matrix),
            ("shape of pixels", before.sample_aspect_ratio or Fraction(1), after.sample_aspect_ratio or Fraction(1)),
            ("meaning of colours", _told(before), _told(after)),
            ("number of chapters", len(before.chapters), len(after.chapters)),
        ):
            if old != new:
                yield f"another {what} than its original: {new} in place of {old}"

    def _differences_beside(self, account: Account) -> Iterator[str]:
        """Sound and subtitles: their packets must be the same, byte for byte."""
        facts = self.original.facts
        policy = self.settings.write.metadata
        kept = select(facts, self.settings.video, policy, self._survey.telemetry).streams
        copies = [s for s in self.film.facts.streams if s.index != self.film.facts.index and s.kind in _KEPT_KINDS]
        old = {stream.index: stream for stream in facts.streams}
        if len(copies) != len(kept):
            yield f"{len(copies)} tracks of sound and subtitles in place of {len(kept)}"
            return
        for index, copy in zip(kept, copies, strict=True):
            name = f"track {copy.index} ({copy.kind})"
            # Packets of muted sound cannot be the same: the gate listens to them.
            is_muted = copy.kind == "audio" and bool(self.claims.muted)
            if not is_muted and _digest(self._survey.account.contents, index) != _digest(account.contents, copy.index):
                yield f"{name} is not the same as in its original"
            elif not is_muted and _digest(self._survey.account.times, index) != _digest(account.times, copy.index):
                yield f"{name} is played at other times than in its original"
            if old[index].disposition != copy.disposition:
                yield f"{name} is marked otherwise than in its original (default, forced and the like)"

    def _differences_outside(self) -> list[Finding]:
        (psnr_db, frame, time_s), (rms, block_frame, block_s) = self._worst, self._block
        lowest_db, largest = limits_of(self.settings.video.video_quality)
        findings = []
        if psnr_db < lowest_db:
            text = (
                f"outside the hidden areas the worst frame has {psnr_db:.1f} dB, below the {lowest_db:.1f} of encoding"
            )
            findings.append(Finding(self.file, "changed", text, frame=frame, time_s=time_s))
        if rms > largest:
            text = f"a part outside the hidden areas differs by {rms:.0f} levels, by encoding {largest:.0f} at most"
            findings.append(Finding(self.file, "changed", text, frame=block_frame, time_s=block_s))
        return findings


def limits_of(quality: float | None) -> tuple[float, float]:
    """Lowest PSNR of a frame in dB, and largest difference in a block in levels, that a quality explains."""
    factor = DEFAULT_QUALITY if quality is None else quality
    return LOWEST_PSNR_DB - PSNR_OF_QUALITY * factor, float(MAX_BLOCK_RMS * 2 ** (factor / QUALITY_OF_TWICE))


def _are_same(one: FilmFrame, other: FilmFrame) -> bool:
    """Whether two frames are stored as the same samples."""
    return list(samples_of(one.picture)) == list(samples_of(other.picture))


_KEPT_KINDS = ("audio", "subtitle")


def difference_outside(before: Pixels8, after: Pixels8, is_hidden: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """How much two frames differ outside what is hidden.

    Args:
        is_hidden: (H, W).

    Returns:
        Peak signal-to-noise ratio in dB, infinite for equal frames, and the largest root mean square of the differences
        in a block of which half or more is outside, in levels of 256.
    """
    differences = cv2.absdiff(before, after)
    if not differences.any():
        return inf, 0.0
    of_channels = cv2.multiply(differences, differences, dtype=cv2.CV_32F)
    squares = np.asarray(cv2.transform(of_channels, np.full((1, 3), 1 / 3, np.float32)), np.float32)
    outside = (~is_hidden).astype(np.float32)
    number = float(outside.sum())
    if not number:
        return inf, 0.0
    mean = float((squares * outside).sum()) / number
    of_blocks = _sums_of_blocks(squares * outside)
    areas = _sums_of_blocks(outside)
    means = np.where(areas >= BLOCK_PX**2 / 2, of_blocks / np.maximum(areas, 1), 0)
    return 10 * log10(255**2 / mean) if mean else inf, sqrt(float(means.max(initial=0)))


def _sums_of_blocks(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    rows, columns = (-(-side // BLOCK_PX) for side in plane.shape)
    padded = np.zeros((rows * BLOCK_PX, columns * BLOCK_PX), np.float32)
    padded[: plane.shape[0], : plane.shape[1]] = plane
    return np.asarray(padded.reshape(rows, BLOCK_PX, columns, BLOCK_PX).sum(axis=(1, 3)))


def _told(facts: FilmFacts) -> tuple[int, ...]:
    """What is said of the colours; the number 2 says nothing."""
    colour = facts.colour
    return (*(0 if value == 2 else value for value in colour[:3]), colour.range)


def _digest(tallies: dict[int, Tally], index: int) -> bytes | None:
    return tallies[index].digest if index in tallies else None
