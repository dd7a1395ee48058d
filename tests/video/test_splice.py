"""Tests of anonymizer.video.splice: what goes together. Whole films are tested with `writer`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import pytest
from av.codec.context import Flags
from video.film_samples import moving_pictures
from video.frames import frame_of
from video.test_h264 import sets_of, stream_of

from anonymizer.errors import PictureError
from anonymizer.video.groups import Stretch
from anonymizer.video.h264 import (
    IDR_SLICE,
    PICTURE,
    SEQUENCE,
    SLICE,
    Configuration,
    read_sequence,
    to_stream,
    type_of,
    units_of_sample,
    units_of_stream,
)
from anonymizer.video.packets import CopyPlan
from anonymizer.video.splice import Splice

SIZE = (160, 96)
BASE = Fraction(1, 25)
STREAM = stream_of({"bf": "0"}, SIZE)
COPIED = [unit for unit in STREAM if type_of(unit) in (SLICE, IDR_SLICE)]
"""Three frames: a closed group."""


def encoder(options: dict[str, str] | None = None) -> Any:
    context: Any = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = *SIZE, "yuv420p"
    context.time_base, context.framerate = BASE, Fraction(25)
    context.flags |= Flags.global_header
    parameters = {"preset": "ultrafast", "x264-params": "sps-id=31", "profile": "baseline", "level": "10"}
    context.options = parameters | (options or {})
    context.open()
    return context


def plan(**changes: Any) -> CopyPlan:
    sequences, pictures = sets_of(STREAM)
    stretches = [Stretch(0, 3, True), Stretch(3, 5, False), Stretch(5, 8, True)]
    times, decoded = list(range(8)), list(range(8))
    level = sequences[0].level
    usual = CopyPlan(
        stretches, times, decoded, 0, tuple(sequences), tuple(pictures), "baseline", level, 31, reordered=0, delay=0
    )
    return replace(usual, **changes)


def splice(is_stream: bool = False, options: dict[str, str] | None = None, **changes: Any) -> Splice:
    return Splice(plan(**changes), encoder(options), lambda: encoder(options), BASE, 8, is_stream)


def copied(number: int) -> bytes:
    """The slice of a packet in the source: groups begin at 0, at 3, which is encoded, and at 5."""
    return COPIED[(number if number < 3 else number + 1) % 3]


def source_packet(number: int) -> Any:
    packet: Any = av.Packet(to_stream([b"\x06\x05\x01x\x80", copied(number)]))
    packet.pts = packet.dts = number
    packet.time_base = BASE
    return packet


def pieces(made: Splice) -> list[Any]:
    """The packets of frames 0 to 7, of which 3 and 4 are encoded after the packets behind them have come."""
    found = [packet for number in (0, 1, 2) for packet in made.copy(source_packet(number))]
    for number in range(3, 8):
        found += made.copy(source_packet(number))
    for number, pixels in enumerate(moving_pictures(2, SIZE), start=3):
        found += made.encode(frame_of(pixels), number)
    made.finish()
    return found


def test_packets_come_in_their_order() -> None:
    made = splice()
    found = pieces(made)
    assert [(packet.pts, packet.dts, packet.is_keyframe) for packet in found] == [
        (number, number, number in (0, 3, 5)) for number in range(8)
    ]
    units = [units_of_sample(bytes(packet), 4) for packet in found]
    assert [each for number in (0, 1, 2, 5, 6, 7) for each in units[number]] == [
        copied(number) for number in (0, 1, 2, 5, 6, 7)
    ]
    assert {type_of(unit) for each in units for unit in each} == {SLICE, IDR_SLICE}


def test_both_parts_say_the_same_of_buffers() -> None:
    configuration = Configuration.of(splice(reordered=1).extradata)
    sequences = [read_sequence(unit) for unit in configuration.sets if type_of(unit) == SEQUENCE]
    assert [each.number for each in sequences] == [0, 31]
    assert {(each.reordered, each.held) for each in sequences} == {(1, 1)}
    assert [type_of(unit) for unit in configuration.sets] == [SEQUENCE, SEQUENCE, PICTURE, PICTURE]


def test_streams_have_their_parameters_in_each_start() -> None:
    units = [units_of_stream(bytes(packet)) for packet in pieces(splice(is_stream=True))]
    kinds = [[type_of(unit) for unit in each] for each in units]
    assert [each[:2] == [SEQUENCE, PICTURE] for each in kinds] == [number in (0, 3, 5) for number in range(8)]
    numbers = [read_sequence(each[0]).number for each in units if type_of(each[0]) == SEQUENCE]
    assert numbers == [0, 31, 0]


@pytest.mark.parametrize(
    "options", [{"profile": "high", "x264-params": "sps-id=31:8x8dct=1"}, {"level": "40"}, {"flags": "+ilme+ildct"}]
)
def test_encoders_that_do_not_go_with_the_source(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="does not keep to the parameters"):
        splice(options={"preset": "veryfast", "bf": "0", **options})


def test_more_frames_than_a_level_holds() -> None:
    with pytest.raises(ValueError, match="than the level allows"):
        splice(reordered=17)


def test_frames_that_are_missing() -> None:
    made = splice()
    list(made.copy(source_packet(0)))
    with pytest.raises(PictureError, match="of which 1 could be put together"):
        made.finish()


def test_packets_that_the_first_way_did_not_meet() -> None:
    made = splice()
    for number in range(8):
        list(made.copy(source_packet(number)))
    with pytest.raises(PictureError, match="has changed"):
        made.copy(source_packet(8))


def test_an_order_that_does_not_go_with_the_rest() -> None:
    made = splice(decoded=[0, 1, 2, 4, 5, 6, 7, 8])
    with pytest.raises(PictureError, match="order that does not go with the rest"):
        pieces(made)


def test_encoders_whose_parameters_change() -> None:
    stretches = [Stretch(0, 1, False), Stretch(1, 4, True), Stretch(4, 8, False)]
    made = Splice(plan(stretches=stretches), encoder(), lambda: encoder({"coder": "0", "refs": "2"}), BASE, 8, False)
    picture = frame_of(next(iter(moving_pictures(1, SIZE))))
    list(made.encode(picture, 0))
    with pytest.raises(PictureError, match="parameters that change"):
        list(made.encode(picture, 4))
