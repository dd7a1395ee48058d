"""Reads films with PyAV, and fails closed: whatever FFmpeg would conceal or guess is an error here."""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from anonymizer.errors import PictureError, TooLargeError, VanishedError
from anonymizer.files.orientation import turn_upright
from anonymizer.files.read import open_regular
from anonymizer.settings import ReadSettings
from anonymizer.video.facts import Chapter, Colour, DisplayMatrix, FilmFacts, StreamFacts
from anonymizer.video.structure import PACKET_WITH_TIME_CODE, is_webm, missing_bytes, packet_size

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf"
"""FFmpeg opens no others. Without this list it would also open scripts and playlists, whatever their names, and read
the files that these name."""
_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_ONE_FRAME_A_PACKET = ("h264", "hevc", "vvc", "av1", "vp9", "prores", "mjpeg", "ffv1", "dnxhd", "huffyuv", "ffvhuff")
"""Codecs each of whose packets shows one frame, unless fields come one by one."""
_NEEDS_DOLBY_VISION = ("dvh1", "dvhe", "dva1", "dvav", "dav1")
"""Tags of films that show wrong colours without the metadata of Dolby Vision, which no encoder here writes."""
_DECODES_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_ENCRYPTED = ("encv", "drmi")
_SAYS_DURATION = ("matroska,webm", "asf")
"""Demuxers that know the duration from the file alone, and do not guess it from what they find."""
_LEAST_DURATION_SHARE = 0.98
_SLACK_S = 0.5
_SEEK_BACK_S = (0, 0.5, 2, 10)
"""So much earlier than what is looked for a key frame is sought, as long as what comes first is shown later."""


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One frame, as it was decoded."""

    index: int
    """From 0 on."""
    time: int
    """In units of the film's time base."""
    picture: VideoFrame
    """As stored, not upright. Call its make_writable() before you change it: the decoder uses it further."""


@dataclass(frozen=True)
class Film:
    """A film file that was opened once. Its frames can be gone through again and again."""

    path: Path
    facts: FilmFacts
    settings: ReadSettings

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its file, and no part by time."""
        return True

    def frames(self) -> Iterator[FilmFrame]:
        """All frames in the order in which they are shown, each decoded when it is asked for.

        Raises:
            PictureError: the film is damaged, shorter than its file says, changes its size, or has no proper times.
                That shows at the damaged place, or after the last frame: nothing is certain before the end.
            VanishedError: there is no such file any more.
        """
        return (item for item in self.read() if isinstance(item, FilmFrame))

    def read(self) -> Iterator[FilmFrame | av.Packet[Stream]]:
        """All frames, and between them the packets of all other streams as they lie in the file.

        Raises:
            PictureError: as `frames`.
            VanishedError: as `frames`.
        """
        with self.opened() as reading:
            yield from reading

    def packet_times(self) -> list[tuple[int, bool]]:
        """When each packet of the film is shown, in rising order, and whether it is a key frame; [] if that is not
        known.

        Raises:
            PictureError: the film cannot be read.
            VanishedError: there is no such file any more.
        """
        if self.facts.container == "avi":  # times of AVI files are those of their order
            return []
        times: list[tuple[int, bool]] = []
        with _opened(self.path) as container, _read_errors():
            for packet in container.demux(container.streams[self.facts.index]):
                if packet.size and not packet.is_discard:
                    if packet.pts is None:
                        return []
                    times.append((packet.pts, packet.is_keyframe))
        return sorted(times)

    def frames_at(self, first: int, times: Sequence[int]) -> Iterator[FilmFrame]:
        """Some frames next to each other, decoded from the key frame before them on.

        Nothing is proved here: frames may be missing, or wrong after a key frame that others before it refer to.

        Args:
            first: index of the first one.
            times: when they are shown, rising.

        Raises:
            PictureError: the film cannot be read.
            VanishedError: there is no such file any more.
        """
        with _opened(self.path) as container, _read_errors():
            stream = _prepare(container, self.facts.index, self.settings)
            decode = _decoder_of(stream)
            _seek(container, stream, times[0])
            for packet in container.demux(stream):
                try:
                    pictures = decode(packet)
                except av.error.InvalidDataError:
                    continue
                for picture in pictures:
                    if picture.pts is None or picture.pts < times[0] or not _is_usual(picture, self.facts):
                        continue
                    if picture.pts > times[-1]:
                        return
                    at = bisect_left(times, picture.pts)
                    if times[at] == picture.pts:
                        yield FilmFrame(first + at, picture.pts, picture)

    @contextmanager
    def opened(self) -> Iterator[Reading]:
        """One way through the film; for those who also want to know its streams while they go it.

        Raises:
            PictureError: the film cannot be opened any more.
            VanishedError: there is no such file any more.
        """
        with _opened(self.path) as container:
            yield Reading(container, _prepare(container, self.facts.index, self.settings), self.facts)


def open_film(path: Path, settings: ReadSettings = ReadSettings()) -> Film:
    """Opens a film file and decodes its first frame.

    Raises:
        PictureError: the file is empty, no film, or of a kind that is not handled.
        VanishedError: there is no such file.
    """
    _check_file(path)
    with _opened(path) as container:
        stream = _choose(container)
        _check_size(stream.width, stream.height, settings)
        _prepare(container, stream.index, settings)
        facts = _facts(container, stream, _first_frame(container, stream), path)
        facts = replace(facts, has_time_codes=packet_size(path) == PACKET_WITH_TIME_CODE)
    _check_size(facts.width, facts.height, settings)
    return Film(path, facts, settings)


def to_rgb(frame: VideoFrame, orientation: int = 1, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """A frame for the eyes of detectors.

    Args:
        orientation: how the frame is turned upright, see `FilmFacts.orientation`.
        size: width and height of the stored frame to scale to, before it is turned; None: as it is.

    Returns:
        uint8 (H, W, 3), RGB, upright.
    """
    width, height = size or (None, None)
    rgb = frame.reformat(width=width, height=height, format="rgb24", dst_color_range="JPEG", threads=1)
    return turn_upright(cast("npt.NDArray[np.uint8]", rgb.to_ndarray()), orientation)


class Reading:
    """One way through a film, with everything that is counted on it. Iterate once; see `Film.read`."""

    def __init__(self, container: InputContainer, stream: VideoStream, facts: FilmFacts) -> None:
        self._container = container
        self._stream = stream
        self._decode = _decoder_of(stream)
        self._facts = facts
        self.on_packet: Callable[[av.Packet[Stream]], None] = lambda packet: None
        """Called with each packet of the film before it is decoded."""
        self.film_bytes = 0
        """Of the packets of the film so far."""
        self._frames = 0
        self._packets = 0
        """Of the film; those that the file says are not shown too."""
        self._shown_packets = 0
        self._last: int | None = None
        """Time of the last frame."""
        self._end_s = 0.0
        """Where the last packet of any stream ends."""
        self._has_fields = facts.is_interlaced
        self._free_times: deque[int] | None = deque() if facts.container == "avi" else None
        """When packets were stored whose frame has not come yet: AVI files have no other times, and those that FFmpeg
        makes up for frames that are stored in another order may be wrong."""

    def film_packets(self) -> Iterator[av.Packet[Any]]:
        """The packets of the film as they lie in the file, not decoded and not looked at.

        Raises:
            PictureError: one cannot be read.
        """
        packets = self._container.demux(self._stream)
        while True:
            with self._translated_errors():
                packet = next(packets, None)
            if packet is None:
                return
            if packet.size:
                yield packet

    def stream(self, index: int) -> Stream:
        """The stream of that index, to make another one like it."""
        return self._container.streams[index]

    def __iter__(self) -> Iterator[FilmFrame | av.Packet[Stream]]:
        packets = self._container.demux()
        while True:
            with self._translated_errors():
                packet = next(packets, None)
            if packet is None:
                break
            self._note_end(packet)
            if packet.stream.index != self._stream.index:  # packet.stream_index does not hold at the end
                if packet.size or packet.dts is not None:  # else it tells a decoder that there are no more
                    yield packet
                continue
            self._check_packet(packet)
            if packet.size:
                self.on_packet(packet)
            with self._translated_errors():
                pictures = self._decode(packet)
            for picture in pictures:
                yield self._checked(picture)
        self._check_end()

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            where = "" if self._last is None else f", after {self._facts.seconds(self._last):.2f} s"
            raise PictureError(
                f"is damaged: frame {self._frames}{where} cannot be decoded ({error.strerror})"
            ) from error

    def _note_end(self, packet: av.Packet[Stream]) -> None:
        start = packet.pts if packet.pts is not None else packet.dts
        if start is not None and packet.time_base is not None:
            self._end_s = max(self._end_s, float((start + (packet.duration or 0)) * packet.time_base))

    def _check_packet(self, packet: av.Packet[Stream]) -> None:
        if not packet.size:
            return
        if not self._packets and not packet.is_keyframe:
            raise PictureError("does not begin with a key frame: its first frames cannot be decoded")
        self._packets += 1
        self.film_bytes += packet.size
        self._shown_packets += not packet.is_discard
        if self._free_times is not None and packet.dts is not None:
            self._free_times.append(packet.dts)
        if packet.is_corrupt:
            raise PictureError(f"is damaged: a part of frame {self._frames} is missing or marked as damaged")

    def _checked(self, picture: VideoFrame) -> FilmFrame:
        facts, index = self._facts, self._frames
        if picture.is_corrupt:
            raise PictureError(f"is damaged: frame {index} was decoded with errors")
        if (picture.width, picture.height) != (facts.width, facts.height):
            before, now = f"{facts.width} x {facts.height}", f"{picture.width} x {picture.height}"
            raise PictureError(f"changes its size from {before} to {now} pixels at frame {index}")
        if picture.format.name != facts.pixel_format:
            change = f"from {facts.pixel_format} to {picture.format.name}"
            raise PictureError(f"changes its pixel format {change} at frame {index}")
        time = picture.pts
        if self._free_times is not None:
            time = self._free_times.popleft() if self._free_times else None
        if time is None:
            raise PictureError(f"has no time for frame {index}")
        if self._last is not None and time <= self._last:
            before_s, now_s = facts.seconds(self._last), facts.seconds(time)
            raise PictureError(f"goes back in time from {before_s:.3f} s to {now_s:.3f} s at frame {index}")
        self._last = time
        self._has_fields |= picture.interlaced_frame
        self._frames += 1
        return FilmFrame(index, time, picture)

    def _check_end(self) -> None:
        announced = self._facts.announced_frames
        if announced is not None and self._packets < announced:
            raise PictureError(f"ends after {self._packets} of the {announced} frames that its file announces")
        if not self._frames:
            raise PictureError("holds no frame")
        is_counted = self._facts.codec in _ONE_FRAME_A_PACKET and not self._has_fields
        if is_counted and self._frames < self._shown_packets:
            missing = self._shown_packets - self._frames
            raise PictureError(f"is damaged: {missing} of its {self._shown_packets} frames cannot be decoded")
        duration_s = _announced_duration_s(self._container)
        if self._end_s < duration_s * _LEAST_DURATION_SHARE - _SLACK_S:
            raise PictureError(f"ends after {self._end_s:.1f} of the {duration_s:.1f} seconds that its file announces")


def _check_file(path: Path) -> None:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
    if not size:
        raise PictureError("is empty")
    try:
        missing = missing_bytes(path)
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
    if missing:
        raise PictureError(f"is cut off: at least {missing} bytes are missing at its end")


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        # "file:" so that no name is taken for that of a protocol.
        container = av.open(f"file:{path.absolute()}", options={"format_whitelist": CONTAINERS})
    except FileNotFoundError as error:
        raise VanishedError(f"cannot be opened: {error.strerror}") from None
    except (av.error.ArgumentError, av.error.DemuxerNotFoundError):  # not on the list
        raise PictureError("is not a film in one of the containers that are read") from None
    except (av.error.FFmpegError, OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"is not a film, or is damaged: {reason}") from error
    with closing(container):
        yield container


def _choose(container: InputContainer) -> VideoStream:
    """The stream that holds the film: the default one, and of several the one with most pixels.

    Raises:
        PictureError: there is none, or it cannot be decoded.
    """
    films = [stream for stream in container.streams.video if not stream.disposition & _PICTURES]
    if not films:
        raise PictureError("holds no film, only other streams" if len(container.streams) else "holds no film")

    def rank(stream: VideoStream) -> tuple[bool, int, int]:
        pixels = stream.width * stream.height if stream.codec_context is not None else 0
        return bool(stream.disposition & Disposition.default), pixels, -stream.index

    stream = max(films, key=rank)
    if stream.codec_context is None:
        raise PictureError("is in a codec that cannot be decoded")
    tag = stream.codec_context.codec_tag
    if tag in _ENCRYPTED:
        raise PictureError("is encrypted")
    if tag in _NEEDS_DOLBY_VISION:
        raise PictureError("is in a profile of Dolby Vision that needs metadata which cannot be written")
    return stream


def _check_size(width: int, height: int, settings: ReadSettings) -> None:
    if width * height > settings.max_pixels:
        raise TooLargeError(f"has {width} x {height} pixels, more than --max-pixels {settings.max_pixels}")


def _prepare(container: InputContainer, index: int, settings: ReadSettings) -> VideoStream:
    """Tells the decoder to stop at the first error, where it would make something up."""
    stream = container.streams[index]
    if not isinstance(stream, VideoStream):
        raise PictureError("has changed while it was read")
    stream.codec_context.options = {"err_detect": "crccheck+explode", "max_pixels": str(settings.max_pixels)}
    stream.thread_type = "SLICE"
    stream.thread_count = 1
    return stream


def _seek(container: InputContainer, stream: VideoStream, time: int) -> None:
    """Goes to a key frame that is shown at a time or before it, if there is one within `_SEEK_BACK_S`.

    A container without an index, such as a transport stream, goes to what is decoded at that time, which may lie behind
    the key frame.
    """
    for back_s in _SEEK_BACK_S:
        target = time - round(back_s / (stream.time_base or 1))
        container.seek(target, stream=stream)
        key = next((one for one in container.demux(stream) if one.is_keyframe and one.pts is not None), None)
        if key is not None and key.pts is not None and key.pts <= time:
            break
    container.seek(target, stream=stream)


def _decoder_of(stream: VideoStream) -> Callable[[av.Packet[Any]], list[VideoFrame]]:
    """What decodes the packets of a film.

    FFmpeg's own decoders of VP8 and VP9 leave out the alpha channel, those of libvpx do not.
    """
    name = _DECODES_ALPHA.get(stream.codec_context.codec.canonical_name)
    if name is None or _tag(stream, "alpha_mode") != "1":
        return lambda packet: packet.decode()
    context: Any = av.CodecContext.create(name, "r")
    context.extradata = stream.codec_context.extradata
    context.thread_count = 1
    return lambda packet: context.decode(packet if packet.size else None)


@contextmanager
def _read_errors() -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error


def _is_usual(picture: VideoFrame, facts: FilmFacts) -> bool:
    shape = picture.width, picture.height, picture.format.name
    return not picture.is_corrupt and shape == (facts.width, facts.height, facts.pixel_format)


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    decode = _decoder_of(stream)
    try:
        for packet in container.demux(stream):
            if packet.has_sidedata("encryption_info"):
                raise PictureError("is encrypted")
            for frame in decode(packet):
                return frame
    except (av.error.FFmpegError, OSError) as error:
        raise PictureError(f"is damaged: its first frame cannot be decoded ({error.strerror})") from error
    raise PictureError("holds no frame")


def _facts(container: InputContainer, stream: VideoStream, first: VideoFrame, path: Path) -> FilmFacts:
    context = stream.codec_context
    side_data = first.side_data
    if stream.time_base is None:
        raise PictureError("has no time base")

    def raw(kind: SideDataType) -> bytes | None:
        data = side_data.get(kind)  # type: ignore[call-overload]
        return None if data is None else bytes(data)

    dynamic = (SideDataType.DYNAMIC_HDR_PLUS, SideDataType.DOVI_METADATA, SideDataType.DOVI_RPU_BUFFER)
    return FilmFacts(
        container=_container_name(container, path),
        streams=tuple(_stream_facts(each) for each in container.streams),
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        width=first.width,
        height=first.height,
        pixel_format=first.format.name,
        display_matrix=_to_matrix(raw(SideDataType.DISPLAYMATRIX)),
        sample_aspect_ratio=stream.sample_aspect_ratio or context.sample_aspect_ratio,
        colour=Colour(first.color_primaries, first.color_trc, first.colorspace, first.color_range),
        field_order=int(getattr(context, "field_order", 0)),
        is_interlaced=first.interlaced_frame,
        time_base=stream.time_base,
        end=_announced_end(container, stream),
        rate=stream.average_rate or stream.guessed_rate,
        bit_rate=context.bit_rate or None,
        announced_frames=_announced_frames(container, stream),
        mastering_display=raw(SideDataType.MASTERING_DISPLAY_METADATA),
        content_light=raw(SideDataType.CONTENT_LIGHT_LEVEL),
        has_dynamic_hdr=any(raw(kind) is not None for kind in dynamic),
        has_b_frames=bool(context.has_b_frames),
        chapters=tuple(_chapters(container)),
        metadata=dict(container.metadata),
    )


def _stream_facts(stream: Stream) -> StreamFacts:
    context = getattr(stream, "codec_context", None)
    return StreamFacts(
        index=stream.index,
        kind=stream.type or "unknown",
        codec=None if context is None else context.codec.canonical_name,
        language=_tag(stream, "language"),
        title=_tag(stream, "title"),
        disposition=int(stream.disposition),
        is_picture=bool(stream.disposition & _PICTURES),
    )


def _tag(stream: Stream, name: str) -> str | None:
    return next((value for key, value in stream.metadata.items() if key.lower() == name), None)


def _chapters(container: InputContainer) -> Iterator[Chapter]:
    for chapter in container.chapters():
        if chapter["time_base"] is not None:
            title = chapter["metadata"].get("title", "")
            yield Chapter(chapter["start"], chapter["end"], chapter["time_base"], title)


def _container_name(container: InputContainer, path: Path) -> str:
    """FFmpeg has one name for the demuxer of several containers, and one for the muxer of each."""
    name = container.format.name
    if name.startswith("mov,"):
        brand = container.metadata.get("major_brand", "")
        return "mov" if brand.startswith("qt") else "3gp" if brand.startswith(("3gp", "3g2")) else "mp4"
    if name == "matroska,webm":
        codecs = {stream.codec_context.codec.canonical_name for stream in container.streams.video}
        return "webm" if codecs <= {"vp8", "vp9", "av1"} and is_webm(path) else "matroska"
    if name == "mpeg":
        codecs = {stream.codec_context.codec.canonical_name for stream in container.streams.video}
        return "mpeg" if codecs <= {"mpeg1video"} else "vob"
    return name


def _to_matrix(data: bytes | None) -> DisplayMatrix | None:
    return None if data is None else cast("DisplayMatrix", struct.unpack("=9i", data))


def _announced_frames(container: InputContainer, stream: VideoStream) -> int | None:
    """How many packets there must be.

    The index knows: edit lists of MP4 files take frames away, and AVI files count pauses as frames.
    """
    indexed = len(stream.index_entries)
    if not stream.frames:
        return None
    has_index = "mp4" in container.format.name or indexed > 1
    return indexed if has_index else stream.frames


def _announced_end(container: InputContainer, stream: VideoStream) -> int | None:
    if "mp4" not in container.format.name or stream.duration is None:
        return None
    return (stream.start_time or 0) + stream.duration


def _announced_duration_s(container: InputContainer) -> float:
    """Where the last packet ends at the latest, as the file itself says; 0 where it says nothing of the kind."""
    if container.format.name not in _SAYS_DURATION or container.duration is None:
        return 0.0
    return (max(container.start_time or 0, 0) + container.duration) / av.time_base
