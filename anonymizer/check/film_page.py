"""What the HTML page shows of a film: its most doubtful frame, strips of its tracks, and when to look at it.

Of a long film too: pictures are shrunk and encoded at once, and thinned out as they become many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from anonymizer.check.annotate import ANNOTATED_PX, THUMBNAIL_PX, close_up, mark
from anonymizer.check.finding import Finding, urgency
from anonymizer.check.html_page import MAX_SHOWN, Card, FilmCard, Strip
from anonymizer.files.encode import encode_preview
from anonymizer.types import Detection, Pixels8

STRIP_PICTURES = 8
"""Of a track: from the first frame on, and evenly over its life."""
MAX_STRIPS = 200
"""Further tracks are counted only."""


@dataclass
class _GrowingStrip:
    kind: str
    first_s: float
    last_s: float
    step: int = 1
    """Every how many-th frame of the track is kept; doubles when there are too many."""
    seen: int = 0
    pictures: list[tuple[float, bytes]] = field(default_factory=list)


@dataclass
class FilmPage:
    """Grows while a film is checked."""

    annotates: bool
    """Whether the most doubtful frame is also wanted large, with labels."""
    annotated: bytes | None = None
    """That one, JPEG; None if nothing is to be seen."""
    _thumbnail: bytes | None = None
    _most_urgent: tuple[int, bool, float, float] | None = None
    _strips: dict[int, _GrowingStrip] = field(default_factory=dict)
    _more_tracks: set[int] = field(default_factory=set)
    _close_ups: list[tuple[Finding, bytes]] = field(default_factory=list)
    _first_s: float | None = None
    _last_s: float = 0.0

    def note_frame(
        self, index: int, time_s: float, pixels: Pixels8, recorded: Sequence[Detection], findings: Sequence[Finding]
    ) -> None:
        """Takes what a frame shows."""
        self._first_s = time_s if self._first_s is None else self._first_s
        self._last_s = time_s
        for detection in recorded:
            if detection.track is not None:
                self._extend(detection.track, detection, time_s, pixels)
        self._note_urgent(pixels, findings)
        if self._thumbnail is None:
            self._thumbnail = encode_preview(mark(pixels, (), THUMBNAIL_PX, labels=False))

    def note_finding(self, finding: Finding, picture: bytes | None) -> None:
        """Takes a finding that is over; `picture`: its close-up."""
        if picture is not None:
            self._close_ups.append((finding, picture))
            self._close_ups = sorted(self._close_ups, key=lambda each: urgency(each[0]))[:MAX_SHOWN]

    def card(self, file: str, findings: Sequence[Finding]) -> Card:
        """What is shown of the film."""
        strips = [
            Strip(track, strip.kind, strip.first_s, strip.last_s, tuple(strip.pictures))
            for track, strip in sorted(self._strips.items())
        ]
        film = FilmCard(self._first_s or 0.0, self._last_s, strips, len(self._more_tracks))
        return Card(file, sorted(findings, key=urgency), self._thumbnail, self._close_ups, film)

    def _extend(self, track: int, detection: Detection, time_s: float, pixels: Pixels8) -> None:
        strip = self._strips.get(track)
        if strip is None:
            if len(self._strips) >= MAX_STRIPS:
                self._more_tracks.add(track)
                return
            strip = self._strips[track] = _GrowingStrip(detection.kind, time_s, time_s)
        strip.last_s = time_s
        if strip.seen % strip.step == 0:
            whole = Finding("", detection.kind, "", box=detection.redaction_box)
            picture = close_up(pixels, whole)
            if picture is not None:
                strip.pictures.append((time_s, encode_preview(picture)))
            if len(strip.pictures) > STRIP_PICTURES:
                strip.pictures, strip.step = strip.pictures[::2], 2 * strip.step
        strip.seen += 1

    def _note_urgent(self, pixels: Pixels8, findings: Sequence[Finding]) -> None:
        visible = [one for one in findings if one.box is not None and one.level in ("finding", "warning")]
        if not visible:
            return
        most = min(map(urgency, visible))
        if self._most_urgent is not None and most >= self._most_urgent:
            return
        self._most_urgent = most
        drawn = [replace(one, frame=0) for one in visible]  # boxes are only drawn into first frames
        self._thumbnail = encode_preview(mark(pixels, drawn, THUMBNAIL_PX, labels=False))
        if self.annotates:
            self.annotated = encode_preview(mark(pixels, drawn, ANNOTATED_PX, labels=True))
