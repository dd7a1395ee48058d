"""Silences spans of sound tracks, and leaves as much as possible of the rest bit for bit as it is.

Samples that are not compressed become zeros. Of codecs whose packets do not need each other, the packets of a span are
replaced by encoded silence. Other tracks are decoded and encoded anew as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any, Protocol, TypeAlias

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer

from anonymizer.errors import PictureError
from anonymizer.video.tally import Tally

Spans: TypeAlias = Sequence[tuple[float, float]]
"""From and to, seconds on the clock of the file."""

MARGIN_S = 0.05
"""So much longer is silent on both sides, where whole packets are: decoders let neighbours flow into each other."""
MARGIN_PACKETS = 2
"""And so many packets, where they are longer."""
LOUDEST = 1e-3
"""Greatest sample of what counts as silent, of 1."""

_EVER_S = 1e9
"""No film lasts for so long."""
_Packet: TypeAlias = "av.Packet[Any]"
_ZERO = {"pcm_u8": 0x80, "pcm_alaw": 0xD5, "pcm_mulaw": 0xFF}
"""Bytes of silence that are not zero."""
_SAMPLES = (
    *("pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le"),
    *("pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
)
_INDEPENDENT = ("aac", "ac3", "eac3", "mp2")
"""Codecs whose packets are decoded without the ones before, but for what flows over from the last one."""
_ENCODERS: Mapping[str, str] = {"mp3": "libmp3lame", "opus": "libopus", "vorbis": "libvorbis"}
"""Where the best one has another name than its codec."""
_SETTLED = 5
"""So many packets of silence later an encoder gives always the same."""
_ADTS_SYNC = b"\xff\xf0"


class Silencer(Protocol):
    """Takes the packets of one sound track, and gives those that are written."""

    is_retimed: bool
    """Whether packets may come at other times than in the source."""

    def add_to(self, container: OutputContainer) -> Any:
        """The stream of the new file."""

    def take(self, packet: _Packet) -> Iterable[_Packet]: ...

    def rest(self) -> Iterable[_Packet]: ...


def silencer_of(source: Any, spans: Spans) -> Silencer:
    """How to silence spans of a sound track.

    Args:
        source: the stream of the source.
        spans: they may be open, at plus or minus infinity.

    Raises:
        PictureError: nothing here encodes its codec.
    """
    spans = [(max(first, -_EVER_S), min(end, _EVER_S)) for first, end in spans]
    codec = source.codec_context.codec.canonical_name
    if codec in _SAMPLES:
        return _Samples(source, spans)
    if codec in _INDEPENDENT:
        silent = _silent_packet(source, codec)
        if silent is not None:
            has_headers = codec == "aac" and not source.codec_context.extradata
            return _Replaced(source, spans, *silent, has_headers)
    return _Encoded(source, spans)


def loudest_in(frame: Any, spans: Spans) -> float:
    """The greatest sample of a decoded frame of sound that is played in one of the spans, of 1."""
    start = float(frame.pts * frame.time_base)
    values = np.abs(_to_numbers(frame.to_ndarray()))
    channels = 1 if frame.format.is_planar else len(frame.layout.channels)
    loudest = 0.0
    for first, end in spans:
        moments = max(first, -_EVER_S) - start, min(end, _EVER_S) - start
        one, other = max(0, ceil(moments[0] * frame.sample_rate)), max(0, floor(moments[1] * frame.sample_rate))
        loudest = max(loudest, float(values[:, one * channels : other * channels].max(initial=0)))
    return loudest


def _to_numbers(samples: Any) -> Any:
    if samples.dtype.kind == "f":
        return samples
    limits = np.iinfo(samples.dtype)
    middle = 128 if samples.dtype == np.uint8 else 0
    return (samples.astype(np.float64) - middle) / (limits.max - middle)


def touches(packet: _Packet, spans: Spans, margin_s: float) -> bool:
    """Whether any of a packet is played in a span; if it does not say when, yes."""
    if packet.pts is None or packet.time_base is None:
        return True
    start = float(packet.pts * packet.time_base)
    end = start + float((packet.duration or 0) * packet.time_base)
    return any(start < last + margin_s and end > first - margin_s for first, last in spans)


@dataclass(frozen=True)
class Muted:
    """What was silenced of a film."""

    spans: Spans = ()
    contents: Mapping[int, Tally] = field(default_factory=dict)
    """The bytes of the packets that were written for each track, by its index in the source."""
    retimed: frozenset[int] = frozenset()
    """Indices of the tracks that were encoded as a whole."""


@dataclass
class _Samples:
    """A track that is not compressed: everything else stays bit for bit."""

    source: Any
    spans: Spans
    is_retimed: bool = False

    def add_to(self, container: OutputContainer) -> Any:
        return container.add_stream_from_template(self.source)

    def take(self, packet: _Packet) -> Iterator[_Packet]:
        context = self.source.codec_context
        if not touches(packet, self.spans, 0):
            yield packet
            return
        codec = context.codec.canonical_name
        width = len(context.layout.channels) * _bytes_of(codec)
        content = bytearray(bytes(packet))
        zero = _ZERO.get(codec, 0)
        for first, end in self._samples(packet, len(content) // width):
            content[first * width : end * width] = bytes([zero]) * ((end - first) * width)
        yield _like(packet, bytes(content))

    def rest(self) -> Iterable[_Packet]:
        return ()

    def _samples(self, packet: _Packet, number: int) -> Iterator[tuple[int, int]]:
        if packet.pts is None or packet.time_base is None:
            yield 0, number
            return
        start = packet.pts * packet.time_base
        rate = self.source.codec_context.sample_rate
        for first, end in self.spans:
            # Times are rounded to the time base.
            one = min(number, max(0, floor((Fraction(first) - start - packet.time_base) * rate)))
            other = min(number, max(0, ceil((Fraction(end) - start + packet.time_base) * rate)))
            if other > one:
                yield one, other


def _bytes_of(codec: str) -> int:
    """Bytes of a sample."""
    digits = "".join(filter(str.isdigit, codec))
    return int(digits) // 8 if digits else 1


@dataclass
class _Replaced:
    """A track of packets that do not need each other: those of the spans are replaced."""

    source: Any
    spans: Spans
    silent: bytes
    samples: int
    """Of a packet."""
    has_headers: bool
    """Whether each packet begins with a header of its own (ADTS) instead of one for the file."""
    is_retimed: bool = False

    def add_to(self, container: OutputContainer) -> Any:
        return container.add_stream_from_template(self.source)

    def take(self, packet: _Packet) -> Iterator[_Packet]:
        context = self.source.codec_context
        margin_s = max(MARGIN_S, MARGIN_PACKETS * self.samples / context.sample_rate)
        if not touches(packet, self.spans, margin_s):
            yield packet
            return
        yield _like(packet, self._with_header(bytes(packet)) if self.has_headers else self.silent)

    def rest(self) -> Iterable[_Packet]:
        return ()

    def _with_header(self, old: bytes) -> bytes:
        """ISO/IEC 13818-7, section 6.2: the fixed part of the old header, without checksum."""
        if len(old) < 7 or bytes([old[0], old[1] & 0xF6]) != _ADTS_SYNC:
            raise PictureError("has sound whose packets are not understood; --audio drop leaves it out")
        length = 7 + len(self.silent)
        fixed = bytes([old[0], old[1] | 1, old[2], (old[3] & 0xC0) | length >> 11])
        return fixed + bytes([length >> 3 & 255, (length & 7) << 5 | 0x1F, 0xFC]) + self.silent


class _Encoded:
    """A track that is decoded and encoded anew as a whole."""

    is_retimed = True

    def __init__(self, source: Any, spans: Spans) -> None:
        self._source = source
        self._spans = [(first - MARGIN_S, end + MARGIN_S) for first, end in spans]
        codec = source.codec_context.codec.canonical_name
        self._name = _ENCODERS.get(codec, codec)
        try:
            self._codec = av.codec.Codec(self._name, "w")
        except av.codec.codec.UnknownCodecError:
            reason = f"nothing here encodes {codec}; --audio drop leaves it out"
            raise PictureError(f"has sound that cannot be muted: {reason}") from None
        self._stream: Any = None
        self._resampler: Any = None

    def add_to(self, container: OutputContainer) -> Any:
        old = self._source.codec_context
        name: Any = self._name
        stream: Any = container.add_stream(name, rate=old.sample_rate, options={"flags": "+bitexact"})
        context = stream.codec_context
        formats = [each.name for each in self._codec.audio_formats or ()]
        context.format = old.format.name if old.format.name in formats or not formats else formats[0]
        context.layout = old.layout
        if old.bit_rate:
            context.bit_rate = old.bit_rate
        context.open()
        self._stream = stream
        size = context.frame_size or None
        self._resampler = av.AudioResampler(context.format, context.layout, old.sample_rate, size)
        return stream

    def take(self, packet: _Packet) -> Iterator[_Packet]:
        yield from self._encode(self._decoded(packet))

    def rest(self) -> Iterator[_Packet]:
        yield from self._encode(self._decoded(None))
        yield from self._encode([None])

    def _decoded(self, packet: _Packet | None) -> Iterator[Any]:
        try:
            frames = self._source.codec_context.decode(packet)
        except av.error.FFmpegError as error:
            raise PictureError(f"has damaged sound, which cannot be muted ({error.strerror})") from error
        for frame in frames:
            _silence(frame, self._spans)
            yield frame

    def _encode(self, frames: Iterable[Any]) -> Iterator[_Packet]:
        for frame in frames:
            for part in self._resampler.resample(frame):
                yield from self._stream.encode(part)
            if frame is None:
                yield from self._stream.encode(None)


def _silence(frame: Any, spans: Spans) -> None:
    """Writes zeros into a decoded frame."""
    if frame.pts is None:
        raise PictureError("has sound without times, which cannot be muted")
    start = frame.pts * frame.time_base
    has_planes = frame.format.is_planar
    width = frame.format.bytes * (1 if has_planes else len(frame.layout.channels))
    zero = 0x80 if frame.format.name.startswith("u8") else 0
    for first, end in spans:
        one = min(frame.samples, max(0, floor((Fraction(first) - start) * frame.sample_rate)))
        other = min(frame.samples, max(0, ceil((Fraction(end) - start) * frame.sample_rate)))
        if other > one:
            for plane in frame.planes:
                content = bytearray(bytes(plane))
                content[one * width : other * width] = bytes([zero]) * ((other - one) * width)
                plane.update(bytes(content))


def _silent_packet(source: Any, codec: str) -> tuple[bytes, int] | None:
    """A packet of silence like those of a track, and how many samples it holds; None if no encoder makes such ones."""
    old = source.codec_context
    if codec == "aac" and old.profile not in ("LC", None):
        return None
    try:
        context: Any = av.CodecContext.create(_ENCODERS.get(codec, codec), "w")
        context.sample_rate, context.layout = old.sample_rate, old.layout
        context.format = context.codec.audio_formats[0].name
        if old.bit_rate:
            context.bit_rate = old.bit_rate
        context.time_base = Fraction(1, old.sample_rate)
        context.flags |= Flags.global_header | Flags.bitexact
        context.open()
        if old.frame_size not in (0, context.frame_size):
            return None
        packets: list[_Packet] = []
        for number in range(2 * _SETTLED):
            frame = av.AudioFrame(context.format.name, context.layout, context.frame_size)
            frame.sample_rate, frame.pts, frame.time_base = old.sample_rate, number * frame.samples, context.time_base
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            packets += context.encode(frame)
    except (av.error.FFmpegError, ValueError):
        return None
    return (bytes(packets[_SETTLED]), context.frame_size) if len(packets) > _SETTLED else None


def _like(packet: _Packet, content: bytes) -> _Packet:
    """Another content for a packet."""
    new: _Packet = av.Packet(content)
    new.pts, new.dts, new.duration, new.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    new.is_keyframe, new.stream = packet.is_keyframe, packet.stream
    return new
