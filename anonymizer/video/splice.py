"""Puts a film together from packets that are copied and frames that are encoded anew: H.264.

Both have parameters of their own, under numbers of their own, so that neither takes those of the other; both say that
a decoder holds and reorders as many frames, so that none comes too early or is dropped where one part follows another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
from av.video.frame import VideoFrame

from anonymizer.errors import PictureError
from anonymizer.video.groups import Stretch
from anonymizer.video.h264 import (
    IDR_SLICE,
    PICTURE,
    SEQUENCE,
    configuration,
    kept_units,
    rank_of,
    read_picture,
    read_sequence,
    to_sample,
    to_stream,
    type_of,
    units_of_sample,
    units_of_stream,
)
from anonymizer.video.packets import CopyPlan

_ANY, _FORWARD = 0, 2
"""FFmpeg's types of frames: any, and P, which is not reordered."""


class Splice:
    """The packets of a film that is being written. Ask for those that are ready after each step."""

    def __init__(
        self,
        plan: CopyPlan,
        first_encoder: Any,
        open_encoder: Callable[[], Any],
        time_base: Fraction,
        end: int | None,
        is_stream: bool,
        has_captions: bool = False,
    ) -> None:
        """
        Args:
            first_encoder: an open codec context, which has told its parameters once for all.
            open_encoder: gives another one like it.
            end: when the last frame ends to be shown; None: not known.
            is_stream: whether the container wants units that follow start codes, with all parameters in the packets.
            has_captions: whether captions between the frames stay.

        Raises:
            ValueError: the encoder makes what does not go with the source.
        """
        self._plan = plan
        self._encoder: Any = first_encoder
        self._encoded_sets: bytes = first_encoder.extradata
        self._open_encoder = open_encoder
        self._time_base = time_base
        self._end = end
        self._is_stream = is_stream
        self._has_captions = has_captions
        self._arrived = 0
        """Packets of the source so far that are shown."""
        self._encoded = 0
        """Number of the next packet of an encoder."""
        self._next = 0
        """Number of the next packet to be written."""
        self._ready: dict[int, av.Packet[Any]] = {}
        """Packets that wait for earlier ones."""
        units = units_of_stream(first_encoder.extradata or b"")
        own = [read_sequence(unit) for unit in units if type_of(unit) == SEQUENCE]
        pictures = [read_picture(unit, own) for unit in units if type_of(unit) == PICTURE]
        sequences = [*plan.sequences, *own]
        held = max(each.most_held if each.held is None else each.held for each in sequences)
        held = max(held, plan.reordered)
        source = plan.sequences[0]
        for each in own:
            is_alike = (each.width, each.height, each.chroma_format, each.bit_depth, each.has_fields) == (
                *(source.width, source.height, source.chroma_format, source.bit_depth),
                source.has_fields,
            )
            # Decoders such as OpenH264 lose or swap frames where the next part differs in this.
            is_alike &= each.reference_frames == source.reference_frames
            is_alike &= each.order == source.order or not plan.reordered
            if not is_alike or rank_of(each.profile) > rank_of(source.profile) or each.level > source.level:
                raise ValueError("the encoder does not keep to the parameters of the source")
        if held > min(each.most_held for each in sequences):
            raise ValueError("more frames would be held than the level allows")
        buffered = [each.with_buffers(plan.reordered, held) for each in sequences]
        copied, new = buffered[: len(plan.sequences)], buffered[len(plan.sequences) :]
        self._sets_of_copied = [each.unit for each in copied] + [each.unit for each in plan.pictures]
        self._sets_of_encoded = [each.unit for each in new] + [each.unit for each in pictures]
        units = [*self._sets_of_copied, *self._sets_of_encoded]
        self.extradata = to_stream(units) if is_stream else configuration(buffered, [*plan.pictures, *pictures])

    def copy(self, packet: av.Packet[Any]) -> Iterator[av.Packet[Any]]:
        """Takes the next packet of the source; gives those that can be written now."""
        if packet.is_discard:
            return iter(())
        number = self._arrived
        self._arrived += 1
        if self._stretch_of(number).is_copied:
            length = self._plan.length_bytes
            units = units_of_sample(bytes(packet), length) if length else units_of_stream(bytes(packet))
            copy = self._packet(units, self._sets_of_copied, number)
            copy.pts, copy.duration = packet.pts, packet.duration
            self._ready[number] = copy
        return self._written()

    def encode(self, picture: VideoFrame, time: int) -> Iterator[av.Packet[Any]]:
        """Takes the next frame that is not copied; gives the packets that can be written now.

        Raises:
            PictureError: the encoder does not give one packet for each frame.
        """
        times = self._plan.times
        number = bisect_left(times, time)
        stretch = self._stretch_of(number)
        if number == stretch.first:
            self._begin(stretch)
        until = times[number + 1] if number + 1 < len(times) else self._end
        if until is not None and until > time:
            picture.duration = until - time
        picture.pts, picture.time_base = time, self._time_base
        is_forward = self._plan.reordered and not self._plan.delay and number > stretch.first
        picture.pict_type = _FORWARD if is_forward else _ANY
        self._take(self._encoder.encode(picture), stretch)
        if number == stretch.end - 1:
            self._take(self._encoder.encode(None), stretch)
            self._encoder = None
            if self._encoded != stretch.end:
                raise PictureError("was encoded into another number of frames")
        return self._written()

    def finish(self) -> None:
        """
        Raises:
            PictureError: not all frames were written.
        """
        if self._next != len(self._plan.times):
            raise PictureError(f"has {len(self._plan.times)} frames, of which {self._next} could be put together")

    def _begin(self, stretch: Stretch) -> None:
        if self._encoder is None:
            self._encoder = self._open_encoder()
            if self._encoder.extradata != self._encoded_sets:
                raise PictureError("was encoded with parameters that change")
        self._encoded = stretch.first

    def _take(self, packets: Sequence[av.Packet[Any]], stretch: Stretch) -> None:
        for packet in packets:
            number = self._encoded
            if number >= stretch.end:
                raise PictureError("was encoded into more frames than it has")
            new = self._packet(units_of_stream(bytes(packet)), self._sets_of_encoded, number)
            new.pts, new.duration = packet.pts, packet.duration
            if packet.pts is None or packet.pts < self._plan.decoded[number]:
                raise PictureError("was encoded in an order that does not go with the rest")
            self._ready[number] = new
            self._encoded += 1

    def _packet(self, units: Sequence[bytes], sets: Sequence[bytes], number: int) -> av.Packet[Any]:
        kept = list(kept_units(units, self._has_captions))
        is_start = any(type_of(unit) == IDR_SLICE for unit in kept)
        if is_start and self._is_stream:
            kept = [*sets, *kept]
        packet: av.Packet[Any] = av.Packet(to_stream(kept) if self._is_stream else to_sample(kept))
        packet.time_base, packet.dts, packet.is_keyframe = self._time_base, self._plan.decoded[number], is_start
        return packet

    def _written(self) -> Iterator[av.Packet[Any]]:
        while (packet := self._ready.pop(self._next, None)) is not None:
            self._next += 1
            yield packet

    def _stretch_of(self, number: int) -> Stretch:
        """
        Raises:
            PictureError: the film has no such frame.
        """
        index = bisect_left(self._plan.stretches, (number + 1,)) - 1
        if not 0 <= index < len(self._plan.stretches) or number >= self._plan.stretches[index].end:
            raise PictureError("has changed while it was read")
        return self._plan.stretches[index]
