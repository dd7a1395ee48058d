"""Writes films: the frames encoded anew, everything else that is kept packet by packet."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from pathlib import Path
from typing import Any

import av
import av.error
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame

from anonymizer.errors import PictureError
from anonymizer.files.library_messages import library_runs
from anonymizer.video.avi_header import mend_sound
from anonymizer.video.encoders import Encoding, candidates
from anonymizer.video.facts import Chapter, FilmFacts
from anonymizer.video.packets import CopyPlan
from anonymizer.video.selection import is_harmless, language_of
from anonymizer.video.silence import Muted, Silencer, silencer_of
from anonymizer.video.source import Film, Reading
from anonymizer.video.splice import Splice
from anonymizer.video.tally import Tally

logger = logging.getLogger(__name__)

_TRIAL_FRAMES = 3
_LARGEST_TIMESCALE = 2**31 - 1
_MOV_LIKE = ("mp4", "mov", "3gp")
_APPLE_TAG = {"hevc": "hvc1"}
"""The tag in MP4 files that Apple's players need."""


@dataclass(frozen=True)
class Rhythm:
    """The grid that the times of all frames lie on, in units of the time base."""

    first: int
    """Time of the first frame."""
    step: int
    """The greatest number that divides the time between any two frames; 1 for a single frame."""

    @classmethod
    def of(cls, times: Iterable[int]) -> Rhythm:
        """
        Args:
            times: of one frame or more.
        """
        rest = iter(times)
        first = next(rest)
        return cls(first, gcd(*(time - first for time in rest)) or 1)


@dataclass(frozen=True)
class SinkPlan:
    """What a film's file will hold."""

    encoding: Encoding
    rhythm: Rhythm
    kept: Sequence[int] = ()
    """Indices of the streams that are copied."""
    chapters: Sequence[Chapter] = ()
    metadata: Mapping[str, str] | None = None
    titles: bool = False
    """Whether the copied streams keep their titles."""
    mute: Sequence[tuple[float, float]] = ()
    """When all sound is silent: from and to, seconds on the clock of the file."""
    copy: CopyPlan | None = None
    """Which parts of the film are copied; None: it is encoded as a whole."""
    captions: bool = True
    """Whether captions stay that lie between the frames."""
    is_part: bool = False
    """Whether it is a part of a film by time, in which all streams begin at any moment."""


class FilmSink:
    """A film that is being written."""

    def __init__(self, place: Path | io.BytesIO, facts: FilmFacts, plan: SinkPlan, reading: Reading | None) -> None:
        """Writes the beginning of the file.

        Args:
            reading: has the streams that are copied.

        Raises:
            PictureError: the container or the encoder cannot do this.
            ValueError: the encoder makes what does not go with the parts that are copied.
            OSError: the file cannot be written.
        """
        self._facts = facts
        self._plan = plan
        self._place = place
        self._copied = dict.fromkeys(plan.kept, 0)
        """How many packets of each stream."""
        self._silencers: dict[int, Silencer] = {}
        """Of the sound tracks that are muted in part, by their indices."""
        self._last: tuple[VideoFrame, int] | None = None
        """The frame that waits for the next one, and its time."""
        self._first_dts: int | None = None
        """Of the packets of the film, in units of its time base."""
        self._needs_format = plan.encoding.pixel_format != facts.pixel_format
        streams = [reading.stream(index) for index in plan.kept] if reading and plan.is_part else []
        self._container = _open(place, facts, [stream.time_base for stream in streams if stream.time_base])
        try:
            self._container.metadata.update(plan.metadata or {})
            if plan.chapters:
                self._container.set_chapters(
                    [
                        {"id": n, "start": c.start, "end": c.end, "time_base": c.time_base, "metadata": _titled(c)}
                        for n, c in enumerate(plan.chapters)
                    ]
                )
            self._stream = self._add_film()
            self._copies = {index: self._add_copy(reading.stream(index)) for index in plan.kept} if reading else {}
            self._muted_contents: dict[int, Tally] = {index: Tally() for index in self._silencers}
            with library_runs():  # encoders introduce themselves on stderr
                self._stream.codec_context.open()
            self._splice = None if plan.copy is None else self._begin_splice(plan.copy)
            self._container.start_encoding()
        except BaseException:
            self._abandon()
            raise

    def write(self, picture: VideoFrame, time: int) -> None:
        """The next frame of those that are encoded.

        Args:
            picture: as stored, in the pixel format of the source.
            time: in units of the source's time base.
        """
        if self._needs_format:
            picture = picture.reformat(format=self._plan.encoding.pixel_format, threads=1)
        if self._splice is not None:
            self._put(self._splice.encode(picture, time))
            return
        self._encode_last(until=time)
        self._last = picture, time

    def copy(self, packet: av.Packet[Stream]) -> None:
        """A packet as it lies in the source. It is left out if its stream is, or if its frame is encoded."""
        if packet.stream.index == self._facts.index:
            if self._splice is not None:
                self._put(self._splice.copy(packet))
            return
        index = packet.stream.index
        silencer = self._silencers.get(index)
        if silencer is not None:
            self._mux_muted(index, silencer.take(packet))
        elif index in self._copies:
            self._mux_copy(index, packet)

    @property
    def muted(self) -> Muted:
        """What was silenced."""
        retimed = frozenset(index for index, silencer in self._silencers.items() if silencer.is_retimed)
        return Muted(self._plan.mute, self._muted_contents, retimed)

    def close(self) -> None:
        """Writes the rest.

        Raises:
            OSError: the file cannot be written.
            PictureError: frames are missing.
        """
        try:
            for index, silencer in self._silencers.items():
                self._mux_muted(index, silencer.rest())
            if self._splice is not None:
                self._splice.finish()
            else:
                self._encode_last(self._facts.end)
                self._mux(self._stream.encode(None), is_end=True)
        finally:
            self._container.close()
        if self._facts.container == "avi" and isinstance(self._place, Path):
            kinds = {stream.index: stream.kind for stream in self._facts.streams}
            mend_sound(self._place, [n for index, n in self._copied.items() if kinds[index] == "audio"])

    def _encode_last(self, until: int | None) -> None:
        """The frame before, of which only now is known how long it is shown: what a file says of that is not reliable.

        Args:
            until: when the next one is shown; None: not known.
        """
        if self._last is None:
            return
        picture, time = self._last
        if until is not None and until > time:
            picture.duration = until - time
        if self._has_steps:
            picture.duration //= self._plan.rhythm.step
            picture.pts = (time - self._plan.rhythm.first) // self._plan.rhythm.step
        else:
            picture.pts = time
        picture.pict_type = 0
        picture.time_base = self._stream.codec_context.time_base
        self._mux(self._stream.encode(picture))

    @contextmanager
    def closed_at_end(self) -> Iterator[None]:
        """Closes the file at the end; abandons it if that does not come.

        Raises:
            OSError: the file cannot be written.
        """
        try:
            yield
        except BaseException:
            self._abandon()
            raise
        self.close()

    def _abandon(self) -> None:
        with _ignored():
            self._container.close()

    @property
    def _has_steps(self) -> bool:
        return self._plan.encoding.has_constant_step

    def _mux_muted(self, index: int, packets: Iterable[av.Packet[Any]]) -> None:
        for packet in packets:
            if packet.size:  # the last one of some encoders only says what is to be in the header
                self._muted_contents[index].add(bytes(packet))
            self._mux_copy(index, packet)

    def _mux_copy(self, index: int, packet: av.Packet[Any]) -> None:
        self._copied[index] += 1
        packet.stream = self._copies[index]
        self._container.mux(packet)

    def _put(self, packets: Iterable[av.Packet[Any]]) -> None:
        """Writes packets of the film that were made without its stream."""
        for packet in packets:
            packet.stream = self._stream
            self._container.mux(packet)

    def _mux(self, packets: Sequence[av.Packet[Any]], is_end: bool = False) -> None:
        for number, packet in enumerate(packets, 1):
            if self._has_steps:
                packet.time_base = self._facts.time_base
                for name in ("pts", "dts"):
                    value = getattr(packet, name)
                    if value is not None:
                        setattr(packet, name, value * self._plan.rhythm.step + self._plan.rhythm.first)
                packet.duration = (packet.duration or 0) * self._plan.rhythm.step
            if self._first_dts is None:
                self._first_dts = packet.dts
            if is_end and number == len(packets):
                self._end_with(packet)
            self._container.mux(packet)

    def _end_with(self, packet: av.Packet[Any]) -> None:
        """MP4 files say how long a film is by the packet that is stored last, which need not be of its last frame."""
        end = self._facts.end
        if end is None or packet.dts is None or self._first_dts is None:
            return
        left = end - self._plan.rhythm.first - (packet.dts - self._first_dts)
        if left > 0:
            packet.duration = left

    def _add_film(self) -> Any:
        facts, encoding = self._facts, self._plan.encoding
        rate = facts.rate or Fraction(25)
        name: Any = encoding.encoder
        stream: Any = self._container.add_stream(name, rate=rate, options=dict(encoding.options))
        stream.time_base = facts.time_base
        context = stream.codec_context
        self._describe_frames(context)
        if facts.container in _MOV_LIKE and encoding.codec in _APPLE_TAG:
            context.codec_tag = _APPLE_TAG[encoding.codec]
        if facts.display_matrix is not None:
            stream.set_display_matrix(list(facts.display_matrix))
        self._describe(stream, facts.index)
        return stream

    def _describe_frames(self, context: Any) -> None:
        """Tells an encoder what it is to encode."""
        facts, encoding = self._facts, self._plan.encoding
        context.width, context.height, context.pix_fmt = facts.width, facts.height, encoding.pixel_format
        context.flags |= Flags.frame_duration
        context.time_base = facts.time_base * self._plan.rhythm.step if self._has_steps else facts.time_base
        if self._has_steps:
            context.framerate = 1 / context.time_base
        if facts.sample_aspect_ratio is not None:
            context.sample_aspect_ratio = facts.sample_aspect_ratio
        colour = facts.colour
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        context.colorspace, context.color_range = colour.matrix, colour.range
        if self._plan.copy is not None:
            context.flags |= Flags.global_header

    def _begin_splice(self, copy: CopyPlan) -> Splice:
        first = self._stream.codec_context
        is_stream = self._facts.container == "mpegts"
        base, end, captions = self._facts.time_base, self._facts.end, self._plan.captions
        splice = Splice(copy, first, self._open_encoder, base, end, is_stream, captions)
        first.extradata = splice.extradata
        return splice

    def _open_encoder(self) -> Any:
        """Another one like that of the film's stream."""
        name: Any = self._plan.encoding.encoder
        context: Any = av.CodecContext.create(name, "w")
        context.options = dict(self._plan.encoding.options)
        context.framerate = self._stream.codec_context.framerate
        self._describe_frames(context)
        with library_runs():
            context.open()
        return context

    def _add_copy(self, source: Stream) -> Stream:
        stream: Stream
        try:
            if self._plan.mute and source.type == "audio":
                self._silencers[source.index] = silencer = silencer_of(source, self._plan.mute)
                stream = silencer.add_to(self._container)
            else:
                stream = self._container.add_stream_from_template(source)
        except (av.error.FFmpegError, ValueError) as error:
            option = "audio" if source.type == "audio" else "subtitles"
            what = f"{source.type} track ({source.codec_context.codec.canonical_name})"
            advice = f"--{option} drop leaves it out"
            raise PictureError(f"has a {what} that cannot be written into {self._facts.container}; {advice}") from error
        self._describe(stream, source.index)
        return stream

    def _describe(self, stream: Any, index: int) -> None:
        """Says of a stream what its source says of the one with that index."""
        source = next(each for each in self._facts.streams if each.index == index)
        stream.disposition = source.disposition
        title = source.title if self._plan.titles and is_harmless(source.title or "") else None
        tags = {"language": language_of(source), "title": title}
        stream.metadata.update({key: value for key, value in tags.items() if value})


def choose_encoding(
    film: Film, rhythm: Rhythm, wanted: str = "auto", quality: float | None = None, bit_rate: float | None = None
) -> Encoding:
    """The first way to write a film that works on this machine, tried out on its first frames.

    Raises:
        PictureError: none does.
    """
    first: list[tuple[VideoFrame, int]] = []
    for frame in film.frames():
        first.append((frame.picture, frame.time))
        if len(first) == _TRIAL_FRAMES:
            break
    reasons = []
    for encoding in candidates(film.facts, wanted, quality, bit_rate):
        reason = _try(film.facts, SinkPlan(encoding, rhythm), first)
        if reason is None:
            return encoding
        logger.debug("%s does not work: %s", encoding.encoder, reason)
        reasons.append(f"{encoding.encoder}: {reason}")
    raise PictureError(f"cannot be encoded ({'; '.join(reasons)})")


def _try(facts: FilmFacts, plan: SinkPlan, frames: Sequence[tuple[VideoFrame, int]]) -> str | None:
    """Why a way to write a film does not work; None if it does."""
    try:
        sink = FilmSink(io.BytesIO(), facts, plan, None)
        try:
            for picture, time in frames:
                sink.write(picture, time)
        finally:
            sink.close()
    except (av.error.FFmpegError, ValueError, OSError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def _open(place: Path | io.BytesIO, facts: FilmFacts, others: Sequence[Fraction] = ()) -> OutputContainer:
    """
    Args:
        others: time bases of streams that do not begin together with the film.
    """
    options = {"fflags": "+bitexact"}  # no random numbers, and no name of the program
    if facts.has_time_codes:
        options["mpegts_m2ts_mode"] = "1"
    if facts.container in _MOV_LIKE:
        if isinstance(place, Path):
            options["movflags"] = "+faststart"
        if facts.time_base.numerator == 1:
            options["video_track_timescale"] = str(facts.time_base.denominator)
        # When streams begin stands in edit lists, whose unit this is: milliseconds otherwise.
        unit = lcm(facts.time_base.denominator, *(base.denominator for base in others))
        if others and unit <= _LARGEST_TIMESCALE:
            options["movie_timescale"] = str(unit)
    target: Any = place if isinstance(place, io.BytesIO) else f"file:{place.absolute()}"
    return av.open(target, "w", format=facts.container, options=options)


def _titled(chapter: Chapter) -> dict[str, str]:
    return {"title": chapter.title} if chapter.title else {}


@contextmanager
def _ignored() -> Iterator[None]:
    """For closing what is broken: the error that broke it is the one to report."""
    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError):
        logger.debug("a broken file could not be closed", exc_info=True)
