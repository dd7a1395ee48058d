"""What is taken down of the packets of an H.264 film on the first way through it, to plan what can be copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anonymizer.video.groups import (
    Packet,
    PacketTable,
    Stretch,
    closed_groups,
    decoding_times,
    delay_allowed,
    frames_reordered,
    plan_stretches,
)
from anonymizer.video.h264 import (
    ALLOWED,
    IDR_SLICE,
    MAX_ENCODER_ID,
    PICTURE,
    PROFILE_NAMES,
    SEQUENCE,
    SLICE,
    Configuration,
    PictureSet,
    SequenceSet,
    picture_set_of,
    read_picture,
    read_sequence,
    type_of,
    units_of_sample,
    units_of_stream,
)

CONTAINERS = ("mp4", "mov", "3gp", "matroska", "mpegts")
"""In which parts of films are copied: those that say when each packet is decoded and shown."""
MOST_REORDERED = 1
"""Frames that the encoder may reorder."""


class NotCopiedError(Exception):
    """Nothing of a film is copied; the message says why, in words that continue "the film"."""


@dataclass(frozen=True)
class CopyPlan:
    """Which parts of a film are copied, and what the others must be like to go with them."""

    stretches: Sequence[Stretch]
    times: Sequence[int]
    """When each frame is shown, in units of the time base."""
    decoded: Sequence[int]
    """When each packet is decoded."""
    length_bytes: int
    """Of the length before each unit in the packets of the source; 0: units follow start codes."""
    sequences: tuple[SequenceSet, ...]
    """Those that the source uses."""
    pictures: tuple[PictureSet, ...]
    profile: str
    """Name of the one that the encoder keeps to."""
    level: int
    free_number: int
    """A number that no set of parameters has."""
    reordered: int
    """How many frames at most come before one that is shown earlier."""
    delay: int
    """How many frames the encoder may reorder."""


class FilmPackets:
    """The packets of an H.264 film."""

    def __init__(self, extradata: bytes | None) -> None:
        """
        Args:
            extradata: what the file says once for the whole stream.
        """
        self._packets = PacketTable()
        self._sets: dict[tuple[int, int], bytes] = {}
        """By type and number."""
        self._sequences: dict[int, SequenceSet] = {}
        self._pictures: dict[int, PictureSet] = {}
        self._used: set[int] = set()
        """Numbers of picture parameters."""
        self._refusal: str | None = None
        self._length_bytes = 0
        try:
            self._length_bytes, sets = Configuration.of(extradata)
            self._take_sets(sets)
        except (ValueError, IndexError) as error:
            self._refusal = f"has parameters that are not understood ({error})"

    def note(self, content: bytes, pts: int | None, dts: int | None, is_shown: bool) -> None:
        """The next packet, in the order in which they are stored."""
        if self._refusal is not None:
            return
        try:
            self._note(content, pts, dts, is_shown)
        except (ValueError, IndexError) as error:
            self._refusal = f"has packets that are not understood ({error})"

    def plan(self, times: Sequence[int], hides: Callable[[int], bool]) -> CopyPlan:
        """What is copied.

        Args:
            times: of all frames that are shown, rising, in units of the time base.
            hides: whether anything is hidden in the frame of a number.

        Raises:
            NotCopiedError: nothing is.
        """
        if self._refusal is not None:
            raise NotCopiedError(self._refusal)
        if sorted(packet.pts for packet in self._packets if packet.is_shown) != list(times):
            raise NotCopiedError("does not have one packet for each frame")
        pictures = tuple(self._pictures[number] for number in sorted(self._used))
        numbers = {picture.sequence for picture in pictures}
        sequences = tuple(self._sequences[number] for number in sorted(numbers))
        self._check(sequences, pictures)
        stretches = plan_stretches(closed_groups(self._packets), hides)
        if not any(stretch.is_copied for stretch in stretches):
            raise NotCopiedError("has no closed group of pictures in which nothing is hidden")
        reordered = max(frames_reordered(self._packets), *(each.reordered or 0 for each in sequences))
        if reordered and len({each.order for each in sequences}) > 1:
            raise NotCopiedError("consists of parts of different kinds")
        decoded = decoding_times(self._packets, times, reordered)
        taken = {number for _, number in self._sets}
        free = next((number for number in range(MAX_ENCODER_ID, -1, -1) if number not in taken), None)
        if free is None:
            raise NotCopiedError("leaves no number for the parameters of other parts")
        first = sequences[0]
        return CopyPlan(
            stretches,
            times,
            decoded,
            self._length_bytes,
            sequences,
            pictures,
            PROFILE_NAMES[first.profile],
            first.level,
            free,
            reordered,
            delay_allowed(decoded, times, min(reordered, MOST_REORDERED)),
        )

    def _note(self, content: bytes, pts: int | None, dts: int | None, is_shown: bool) -> None:
        length = self._length_bytes
        units = units_of_sample(content, length) if length else units_of_stream(content)
        kinds = [type_of(unit) for unit in units]
        if not ALLOWED.issuperset(kinds):
            raise ValueError(f"units of type {min(set(kinds) - ALLOWED)}")
        if pts is None:
            raise ValueError("a packet without a time")
        self._take_sets([unit for unit in units if type_of(unit) in (SEQUENCE, PICTURE)])
        slices = [unit for unit in units if type_of(unit) in (SLICE, IDR_SLICE)]
        if not slices:
            raise ValueError("a packet without a picture")
        used = {picture_set_of(unit) for unit in slices}
        unknown = used - self._pictures.keys()
        if unknown:
            raise ValueError("parameters that are not there")
        self._used |= used
        starts = {type_of(unit) == IDR_SLICE for unit in slices}
        if len(starts) > 1 and not any(self._sequences[self._pictures[n].sequence].has_fields for n in used):
            raise ValueError("pictures that begin anew in part")
        self._packets.append(Packet(pts, dts, type_of(slices[0]) == IDR_SLICE, is_shown))

    def _take_sets(self, units: Sequence[bytes]) -> None:
        for unit in sorted(units, key=type_of):
            if type_of(unit) == SEQUENCE:
                sequence = read_sequence(unit)
                number = sequence.number
                self._sequences[number] = sequence
            else:
                picture = read_picture(unit, list(self._sequences.values()))
                number = picture.number
                self._pictures[number] = picture
            if self._sets.setdefault((type_of(unit), number), unit) != unit:
                raise ValueError("parameters that change")

    def _check(self, sequences: Sequence[SequenceSet], pictures: Sequence[PictureSet]) -> None:
        """
        Raises:
            NotCopiedError: the stream has something that is not seen, or that no encoder makes.
        """
        if any(each.hides_pixels for each in sequences):
            raise NotCopiedError("has pixels that are decoded but not shown")
        if any(each.has_second_pictures for each in pictures):
            raise NotCopiedError("may have second pictures for damaged ones")
        if any(each.has_gaps for each in sequences):
            raise NotCopiedError("may have gaps between its frames")
        kinds = {
            (s.profile, s.level, s.chroma_format, s.bit_depth, s.width, s.height, s.reference_frames) for s in sequences
        }
        if len(kinds) > 1:
            raise NotCopiedError("consists of parts of different kinds")
        if sequences[0].profile not in PROFILE_NAMES:
            raise NotCopiedError(f"has the profile {sequences[0].profile}, which nothing here encodes")
