"""Proves that a written film holds what its source holds: it is read again, before it gets its final name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Stream
from av.video.frame import VideoFrame

from anonymizer.errors import PictureError
from anonymizer.settings import ReadSettings
from anonymizer.video.facts import FilmFacts
from anonymizer.video.groups import Spans
from anonymizer.video.silence import LOUDEST, Muted, loudest_in, touches
from anonymizer.video.source import FilmFrame, open_film
from anonymizer.video.tally import Tally

NOT_MUTED = Muted()


class Account:
    """What was met on one way through a film: the times of the frames, and the packets of the other streams."""

    def __init__(self, time_base: Fraction) -> None:
        self.frames = Tally()
        self.contents: dict[int, Tally] = {}
        """The bytes of the packets of each stream, by its index."""
        self.times: dict[int, Tally] = {}
        """When they are to be played."""
        self._time_base = time_base

    def noted(self, items: Iterable[FilmFrame | av.Packet[Stream]]) -> Iterator[FilmFrame | av.Packet[Stream]]:
        """The same items, taken down on the way."""
        for item in items:
            if isinstance(item, FilmFrame):
                self.frames.add(_exact(item.time, self._time_base))
            else:
                index = item.stream.index
                self.contents.setdefault(index, Tally()).add(bytes(item))
                self.times.setdefault(index, Tally()).add(_exact(item.pts, item.time_base))
            yield item


class CopiedFrames:
    """Tells whether the frames of copied packets are decoded as before, in which only their digest is held."""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self.tally = Tally()

    def note(self, frame: FilmFrame) -> None:
        """A frame of any number; those that are not copied do not count."""
        if frame.index in self.spans:
            self.tally.add(bytes([frame.picture.interlaced_frame]), *samples_of(frame.picture))


def verify(
    place: Path,
    source: FilmFacts,
    expected: Account,
    kept: Sequence[int],
    settings: ReadSettings,
    copied: CopiedFrames | None = None,
    muted: Muted = NOT_MUTED,
    on_frame: Callable[[int], None] = lambda number: None,
) -> None:
    """Decodes a written film from beginning to end, and compares it with what the source had.

    Args:
        expected: of a way through the source.
        kept: indices of the streams that were copied.
        copied: what the frames were in the source whose packets were copied.
        muted: what sound was silenced.
        on_frame: called with the number of frames so far.

    Raises:
        PictureError: it is not what it should be.
    """
    try:
        film = open_film(place, settings)
        found, found_copied = Account(film.facts.time_base), CopiedFrames(Spans(()) if copied is None else copied.spans)
        tracks = {new for old, new in zip(kept, copies_in(film.facts), strict=False) if old in muted.contents}
        silence = SilenceCheck(muted.spans, tracks)
        for item in found.noted(film.read()):
            if isinstance(item, FilmFrame):
                found_copied.note(item)
                on_frame(item.index + 1)
            else:
                silence.check(item)
    except PictureError as error:
        raise PictureError(f"was not written right: the new film {error}") from error
    silence.finish()
    _compare_facts(source, film.facts)
    if found.frames.number != expected.frames.number:
        numbers = f"{found.frames.number} frames in place of {expected.frames.number}"
        raise PictureError(f"was not written right: the new film has {numbers}")
    if found.frames.digest != expected.frames.digest:
        raise PictureError("was not written right: the frames of the new film come at other times")
    if copied is not None and found_copied.tally.digest != copied.tally.digest:
        raise PictureError("was not written right: frames whose packets were copied are not the same")
    copies = copies_in(film.facts)
    if len(copies) != len(kept):
        raise PictureError(f"was not written right: {len(copies)} other streams in place of {len(kept)}")
    for old, new in zip(kept, copies, strict=True):
        kind = film.facts.streams[new].kind
        contents = muted.contents if old in muted.contents else expected.contents
        if _digest_of(contents, old) != _digest_of(found.contents, new):
            raise PictureError(f"was not written right: its {kind} is not the same")
        if old not in muted.retimed and _digest_of(expected.times, old) != _digest_of(found.times, new):
            raise PictureError(f"was not written right: its {kind} is played at other times")


def copies_in(facts: FilmFacts) -> list[int]:
    """Indices of the streams beside the film's own that a written film has."""
    # MP4 files hold the chapters in a data track, too.
    return [stream.index for stream in facts.streams if stream.index != facts.index and stream.kind != "data"]


@dataclass(frozen=True)
class SilenceCheck:
    """Decodes sound that was muted."""

    spans: Sequence[tuple[float, float]]
    """Seconds on the clock of the file."""
    tracks: Collection[int]
    """Indices of the streams."""
    _met: set[tuple[float, float]] = field(default_factory=set, init=False)
    """Spans in which there is sound."""

    def check(self, packet: av.Packet[Stream]) -> None:
        """
        Raises:
            PictureError: something can be heard in a span.
        """
        if not self.spans or packet.stream.index not in self.tracks:
            return
        self._met.update(span for span in self.spans if touches(packet, [span], 0))
        try:
            frames: list[Any] = list(packet.decode())
        except av.error.FFmpegError as error:
            raise PictureError(f"has sound that cannot be decoded ({error.strerror})") from error
        if any(loudest_in(frame, self.spans) > LOUDEST for frame in frames):
            raise PictureError("can be heard where its sound was muted")

    def finish(self) -> None:
        """
        Raises:
            PictureError: a span lies where the film has no sound, so that something else is meant.
        """
        for span in self.spans if self.tracks else ():
            if span not in self._met:
                raise PictureError(f"has no sound to mute from {span[0]:g} to {span[1]:g} seconds")


def _compare_facts(source: FilmFacts, written: FilmFacts) -> None:
    for what, wanted, found in (
        ("size", (source.width, source.height), (written.width, written.height)),
        ("display matrix", source.display_matrix, written.display_matrix),
        ("pixel shape", source.sample_aspect_ratio or Fraction(1), written.sample_aspect_ratio or Fraction(1)),
    ):
        if wanted != found:
            raise PictureError(f"was not written right: its {what} is {found} in place of {wanted}")


def _digest_of(tallies: Mapping[int, Tally], index: int) -> bytes | None:
    return tallies[index].digest if index in tallies else None


def samples_of(picture: VideoFrame) -> Iterator[bytes]:
    """The samples of each plane, without what fills up its rows: H.264 has planes of one component each."""
    for plane in picture.planes:
        used = plane.width * (2 if picture.format.components[0].bits > 8 else 1)
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        yield rows[: plane.height, :used].tobytes()


def _exact(time: int | None, time_base: Fraction | None) -> bytes:
    return b"" if time is None or time_base is None else str(time * time_base).encode()
