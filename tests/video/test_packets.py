"""Tests of anonymizer.video.packets: of which streams nothing is copied, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from video.test_h264 import APPLE, sets_of, stream_of

from anonymizer.video.h264 import IDR_SLICE, SLICE, configuration, to_sample, to_stream, type_of
from anonymizer.video.packets import CopyPlan, FilmPackets, NotCopiedError

STREAM = stream_of({"bf": "0"})
SETS, SLICES = STREAM[:2], [unit for unit in STREAM if type_of(unit) in (SLICE, IDR_SLICE)]
OTHER_SETS = stream_of({"bf": "0"}, (176, 96))[:2]


def hides_none(number: int) -> bool:
    return False


def notes(*packets: Sequence[bytes], sets: Sequence[bytes] = SETS) -> FilmPackets:
    found = FilmPackets(to_stream(sets))
    for number, units in enumerate(packets):
        found.note(to_stream(units), number, number, True)
    return found


def plan(found: FilmPackets, frames: int = 3, hides: Callable[[int], bool] = hides_none) -> CopyPlan:
    return found.plan(list(range(frames)), hides)


WHOLE = [[SLICES[0]], [SLICES[1]], [SLICES[2]]]


def test_a_stream_that_is_copied() -> None:
    found = plan(notes(*WHOLE))
    assert found.stretches == [(0, 3, True)]
    assert (found.length_bytes, found.profile, found.reordered, found.delay) == (0, "baseline", 0, 0)
    assert found.free_number not in (0,)
    assert list(found.decoded) == [0, 1, 2]


def test_packets_of_files_with_lengths() -> None:
    sequences, pictures = sets_of(SETS)
    found = FilmPackets(configuration(sequences, pictures))
    for number, unit in enumerate(SLICES):
        found.note(to_sample([*SETS, unit]), number, None, True)
    assert plan(found).length_bytes == 4


def test_groups_in_which_something_is_hidden() -> None:
    found = notes(*WHOLE, *WHOLE)
    assert plan(found, 6, lambda number: number == 4).stretches == [(0, 3, True), (3, 6, False)]
    with pytest.raises(NotCopiedError, match="no closed group"):
        plan(found, 6, lambda number: number in (2, 5))


@pytest.mark.parametrize(
    ("packets", "sets", "reason"),
    [
        ([[SLICES[0], b"\x74" + SLICES[1][1:]]], SETS, "units of type 20"),  # the view of the other eye
        ([[SLICES[0], b"\x13abc"]], SETS, "units of type 19"),  # alpha
        ([[SLICES[0]], [b"\x09\x10"]], SETS, "without a picture"),
        ([[*SETS, SLICES[0]], [*OTHER_SETS, SLICES[0]]], SETS, "parameters that change"),
        ([[SLICES[0]]], [], "parameters that are not there"),
        ([[SLICES[0], SLICES[1]]], SETS, "begin anew in part"),
        ([[SLICES[0]]], [SETS[0] + b"secret\x80", SETS[1]], "holds more"),
        ([[SLICES[0]]], [b"\x67\x58" + SETS[0][2:], SETS[1]], "unknown profile"),
        ([[b"\x65"]], SETS, "not understood"),
    ],
)
def test_what_is_not_understood_is_not_copied(packets: list[list[bytes]], sets: list[bytes], reason: str) -> None:
    with pytest.raises(NotCopiedError, match=reason):
        plan(notes(*packets, sets=sets), len(packets))


def test_frames_and_packets_must_go_together() -> None:
    for frames in (2, 4):
        with pytest.raises(NotCopiedError, match="one packet for each frame"):
            plan(notes(*WHOLE), frames)
    found = notes(*WHOLE)
    found.note(to_stream([SLICES[0]]), None, 3, True)
    with pytest.raises(NotCopiedError, match="without a time"):
        plan(found, 4)


def test_key_frames_that_only_say_so() -> None:
    """What a file calls key frames may refer to earlier frames; what begins anew says its type of unit."""
    with pytest.raises(NotCopiedError, match="no closed group"):
        plan(notes([SLICES[1]], [SLICES[2]], [SLICES[1]]))
    assert plan(notes([SLICES[1]], *WHOLE), 4).stretches == [(0, 1, False), (1, 4, True)]


def test_streams_of_several_kinds() -> None:
    other = stream_of({"bf": "0", "x264-params": "sps-id=3"}, (176, 96))
    mixed = notes(*WHOLE, [*other[:2], next(unit for unit in other if type_of(unit) == IDR_SLICE)])
    with pytest.raises(NotCopiedError, match="different kinds"):
        plan(mixed, 4)


def test_numbers_of_parameters_are_free() -> None:
    third = stream_of({"bf": "0", "x264-params": "sps-id=31"})[:2]
    found = plan(notes([*third, SLICES[0]], *WHOLE[1:]))
    assert found.free_number == 30
    assert [each.number for each in found.sequences] == [0]  # what nothing uses is not written


def test_what_a_file_says_that_cannot_be_read() -> None:
    for extradata in (b"\x01", b"\x01\x64\x00\x1f\xff\xe1\x00\x05abc", to_stream([APPLE + b"\xff"])):
        found = FilmPackets(extradata)
        found.note(to_stream([SLICES[0]]), 0, 0, True)
        with pytest.raises(NotCopiedError, match="not understood"):
            plan(found, 1)
