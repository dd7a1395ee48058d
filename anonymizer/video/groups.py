"""Which parts of a film are copied and which are encoded anew: plans over lists of packets, without any file.

A film is cut into closed groups of pictures: each begins with a frame at which decoders forget all earlier ones (IDR),
and is shown after all that lies before it and before all that follows. Such a group is copied as a whole if nothing is
hidden in any of its frames; otherwise it is encoded as a whole, since what is stored for one of its frames may show
what was hidden in another.

Packets and frames have the same numbers here: packets in the order in which they are stored, frames in that in which
they are shown, both without what is not shown. As each packet holds one frame, a group has the same numbers of both.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import le
from typing import NamedTuple, overload


class Packet(NamedTuple):
    """What a plan needs to know of a packet of a film."""

    pts: int
    """When its frame is shown, in units of the time base."""
    dts: int | None
    """When it is decoded; None: not known."""
    is_start: bool
    """Whether decoders forget all earlier frames at it (IDR)."""
    is_shown: bool
    """Whether the file says that its frame is shown."""


class PacketTable(Sequence[Packet]):
    """Packets that take little memory: a film of hours has a million."""

    def __init__(self, packets: Iterable[Packet] = ()) -> None:
        self._pts = array("q")
        self._dts = array("q")
        self._flags = bytearray()
        for packet in packets:
            self.append(packet)

    def append(self, packet: Packet) -> None:
        self._pts.append(packet.pts)
        self._dts.append(0 if packet.dts is None else packet.dts)
        self._flags.append(packet.is_start | packet.is_shown << 1 | (packet.dts is not None) << 2)

    def __len__(self) -> int:
        return len(self._flags)

    @overload
    def __getitem__(self, index: int) -> Packet: ...
    @overload
    def __getitem__(self, index: slice) -> PacketTable: ...
    def __getitem__(self, index: int | slice) -> Packet | PacketTable:
        if isinstance(index, slice):
            return PacketTable(self[number] for number in range(len(self))[index])
        flags = self._flags[index]
        dts = self._dts[index] if flags & 4 else None
        return Packet(self._pts[index], dts, bool(flags & 1), bool(flags & 2))


class Stretch(NamedTuple):
    """Some frames in a row, and the packets of the same numbers."""

    first: int
    end: int
    is_copied: bool


def closed_groups(packets: Sequence[Packet]) -> list[Stretch]:
    """The groups of a film, each with whether it may be copied if nothing is hidden in it.

    One that does not begin with a start, or holds frames that are not shown, at which nobody looked, may not.

    Args:
        packets: all of them, in the order in which they are stored.
    """
    if not packets:
        return []
    latest_before = array("q", accumulate((packet.pts for packet in packets), max))
    earliest_from = array("q", accumulate((packet.pts for packet in reversed(packets)), min))[::-1]
    firsts = [0] + [
        number
        for number in range(1, len(packets))
        if packets[number].is_start and latest_before[number - 1] < earliest_from[number] == packets[number].pts
    ]
    shown_before = array("q", accumulate((packet.is_shown for packet in packets), initial=0))
    groups = []
    for first, end in zip(firsts, [*firsts[1:], len(packets)], strict=True):
        is_whole = shown_before[end] - shown_before[first] == end - first
        groups.append(Stretch(shown_before[first], shown_before[end], packets[first].is_start and is_whole))
    return [group for group in groups if group.end > group.first]


def plan_stretches(groups: Iterable[Stretch], hides: Callable[[int], bool]) -> list[Stretch]:
    """What is copied and what is encoded, in as few stretches as possible.

    Args:
        groups: see `closed_groups`.
        hides: whether anything is hidden in the frame of a number.
    """
    stretches: list[Stretch] = []
    for first, end, may_be_copied in groups:
        is_copied = may_be_copied and not any(hides(number) for number in range(first, end))
        if stretches and stretches[-1].is_copied == is_copied:
            first = stretches.pop().first
        stretches.append(Stretch(first, end, is_copied))
    return stretches


def frames_reordered(packets: Sequence[Packet]) -> int:
    """How many frames at most are stored before one that is shown before them: max_num_reorder_frames of H.264."""
    most = 0
    stored: list[int] = []
    for packet in packets:
        most = max(most, len(stored) - bisect_right(stored, packet.pts))
        insort(stored, packet.pts)
    return most


def decoding_times(packets: Sequence[Packet], times: Sequence[int], reordered: int) -> Sequence[int]:
    """When each shown packet is decoded: as the file says it, if that can be; otherwise as late as possible.

    Args:
        times: of the frames, rising.
        reordered: see `frames_reordered`.
    """
    said = array("q", (packet.dts for packet in packets if packet.is_shown and packet.dts is not None))
    is_rising = all(one < other for one, other in pairwise(said))
    if len(said) == len(times) and is_rising and all(map(le, said, times)):
        return said
    step = min((later - time for time, later in pairwise(times)), default=1)
    early = [times[0] - step * number for number in range(reordered, 0, -1)]
    return array("q", [*early, *times][: len(times)])


def delay_allowed(decoded: Sequence[int], times: Sequence[int], most: int) -> int:
    """How many frames an encoder may reorder, up to a number, so that none is shown before it is decoded.

    Args:
        decoded: when each packet is decoded.
        times: of the frames, rising.
    """
    for delay in range(most, 0, -1):
        if all(decoded[n] <= times[max(0, n - delay)] for n in range(len(times))):
            return delay
    return 0


@dataclass(frozen=True)
class Spans:
    """Numbers of frames in sorted stretches, to ask which are in them."""

    stretches: Sequence[tuple[int, int]]
    """First number of each, and the one behind its last."""

    @classmethod
    def copied(cls, stretches: Iterable[Stretch]) -> Spans:
        return cls([(first, end) for first, end, is_copied in stretches if is_copied])

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        index = bisect_left(self.stretches, (number + 1,)) - 1
        return index >= 0 and number < self.stretches[index][1]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.stretches)

    @property
    def frames(self) -> int:
        """How many there are in all."""
        return sum(end - first for first, end in self.stretches)
