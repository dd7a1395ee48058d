"""Tests of anonymizer.video.groups: nothing hidden is ever in what is copied."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.video.groups import (
    Packet,
    PacketTable,
    Spans,
    Stretch,
    closed_groups,
    decoding_times,
    delay_allowed,
    frames_reordered,
    plan_stretches,
)


def packets_of(order: list[list[int]], hidden: frozenset[int] = frozenset()) -> list[Packet]:
    """Groups of frame numbers in the order in which they are stored; each group begins with a start."""
    numbers = [(number, index == 0) for group in order for index, number in enumerate(group)]
    return [
        Packet(number * 10, (place - 2) * 10, is_start, number not in hidden)
        for place, (number, is_start) in enumerate(numbers)
    ]


@st.composite
def streams(draw: st.DrawFn) -> list[Packet]:
    """Streams in which every group is closed."""
    sizes = draw(st.lists(st.integers(1, 8), min_size=1, max_size=8))
    seed = draw(st.integers(0, 1 << 30))
    order, first = [], 0
    shuffle = random.Random(seed).shuffle
    for size in sizes:
        rest = list(range(first + 1, first + size))
        shuffle(rest)
        order.append([first, *rest])
        first += size
    hidden = draw(st.sets(st.integers(0, first - 1), max_size=3)) if draw(st.booleans()) else set()
    packets = packets_of(order, hidden=frozenset(hidden) if len(hidden) < first else frozenset())
    lies = draw(st.sets(st.integers(0, len(packets) - 1), max_size=3))
    return [p._replace(is_start=not p.is_start) if n in lies else p for n, p in enumerate(packets)]


@given(streams(), st.sets(st.integers(0, 60)))
def test_nothing_hidden_is_copied(packets: list[Packet], hidden: set[int]) -> None:
    groups = closed_groups(packets)
    stretches = plan_stretches(groups, hidden.__contains__)
    copied = Spans.copied(stretches)
    assert not any(number in copied for number in hidden)
    # Each frame belongs to one stretch, and neighbours differ.
    shown = sum(packet.is_shown for packet in packets)
    assert [n for first, end, _ in stretches for n in range(first, end)] == list(range(shown))
    assert all(one.is_copied != other.is_copied for one, other in pairwise(stretches))
    # The packets of what is copied show these frames and no others, and begin with a start.
    by_number = [packet for packet in packets if packet.is_shown]
    times = sorted(packet.pts for packet in by_number)
    for first, end in copied:
        assert sorted(packet.pts for packet in by_number[first:end]) == times[first:end]
        assert by_number[first].is_start
    # Whatever a copied packet may refer to is copied too: what lies between it and the start before it.
    shown_before = [sum(packet.is_shown for packet in packets[:n]) for n in range(len(packets))]
    is_copied = [packet.is_shown and shown_before[n] in copied for n, packet in enumerate(packets)]
    for number in range(len(packets)):
        if is_copied[number]:
            assert all(is_copied[max(n for n in range(number + 1) if packets[n].is_start) : number + 1])


@given(streams())
def test_all_is_copied_where_nothing_is_hidden_and_all_is_told(packets: list[Packet]) -> None:
    if packets[0].is_start and all(packet.is_shown for packet in packets):
        assert plan_stretches(closed_groups(packets), lambda number: False) == [Stretch(0, len(packets), True)]


def test_open_groups_are_not_cut() -> None:
    """Frames that are stored after a key frame and shown before it may refer to what lies before it."""
    packets = packets_of([[0, 2, 1], [5, 3, 4], [6, 7]])
    assert closed_groups(packets) == [(0, 6, True), (6, 8, True)]


def test_key_frames_that_do_not_begin_anew_do_not_count() -> None:
    packets = [Packet(n, n, n == 4, True) for n in range(8)]
    assert closed_groups(packets) == [(0, 4, False), (4, 8, True)]
    assert plan_stretches(closed_groups(packets), lambda number: False) == [(0, 4, False), (4, 8, True)]


def test_groups_with_frames_that_are_not_shown() -> None:
    """Edit lists leave them out: nobody looked at them."""
    packets = packets_of([[0, 1, 2], [3, 4], [5]], hidden=frozenset([0, 1, 5]))
    assert closed_groups(packets) == [(0, 1, False), (1, 3, True)]
    assert closed_groups([]) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [([[0, 1, 2], [3]], 0), ([[0, 2, 1, 4, 3]], 1), ([[0, 4, 2, 1, 3]], 2), ([[0, 3, 2, 1], [4, 6, 5]], 2)],
)
def test_how_many_frames_are_reordered(order: list[list[int]], expected: int) -> None:
    assert frames_reordered(packets_of(order)) == expected


@given(streams(), st.booleans())
def test_no_frame_is_decoded_after_it_is_shown(packets: list[Packet], is_said: bool) -> None:
    if not is_said:
        packets = [packet._replace(dts=None) for packet in packets]
    shown = [packet for packet in packets if packet.is_shown]
    times = sorted(packet.pts for packet in shown)
    decoded = decoding_times(packets, times, frames_reordered(packets))
    assert len(decoded) == len(times)
    assert all(one < other for one, other in pairwise(decoded))
    # An encoder may store the frames in the order in which they are shown, and where said, in that of the source.
    assert all(early <= late for early, late in zip(decoded, times, strict=True))
    if not is_said:
        assert all(early <= packet.pts for early, packet in zip(decoded, shown, strict=True))
    delay = delay_allowed(decoded, times, 2)
    assert all(decoded[n] <= times[max(0, n - delay)] for n in range(len(times)))


def test_times_of_decoding_that_cannot_be_are_replaced() -> None:
    packets = [Packet(pts, dts, False, True) for pts, dts in ((0, 0), (30, 1), (10, 1), (20, 3))]
    assert list(decoding_times(packets, [0, 10, 20, 30], 1)) == [-10, 0, 10, 20]
    late = [Packet(pts, pts + 5, False, True) for pts in (0, 10, 20)]
    assert list(decoding_times(late, [0, 10, 20], 0)) == [0, 10, 20]


@given(streams())
def test_tables_hold_packets(packets: list[Packet]) -> None:
    table = PacketTable(packets)
    assert list(table) == packets
    assert list(table[1:3]) == packets[1:3]
    assert table[-1] == packets[-1]
    assert closed_groups(table) == closed_groups(packets)


def test_spans() -> None:
    spans = Spans([(2, 5), (7, 8)])
    assert [number for number in range(10) if number in spans] == [2, 3, 4, 7]
    assert spans.frames == 4
    assert "2" not in spans
