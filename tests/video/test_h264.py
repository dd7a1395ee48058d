"""Tests of anonymizer.video.h264: what is understood to the last bit, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.codec.context import Flags
from hypothesis import given
from hypothesis import strategies as st
from video.frames import frame_of

from anonymizer.video import h264
from anonymizer.video.h264 import (
    MESSAGE,
    PICTURE,
    SEQUENCE,
    Configuration,
    PictureSet,
    SequenceSet,
    configuration,
    kept_units,
    picture_set_of,
    read_picture,
    read_sequence,
    to_sample,
    to_stream,
    type_of,
    units_of_sample,
    units_of_stream,
)

APPLE = bytes.fromhex("2764001fac56c05005ba6a02020204")
"""As Apple's encoder writes it: 1280 x 720, nothing is said of how many frames are reordered."""
TRANSPORT = bytes.fromhex("67428016965406 01bd3506060640000003004000000661".replace(" ", ""))
"""Of a surveillance camera, 768 x 432."""
UNITS = st.lists(st.binary(min_size=1, max_size=30).map(lambda data: b"\x41" + h264._escaped(data) + b"\x80"))


def stream_of(
    options: dict[str, str] | None = None, size: tuple[int, int] = (160, 96), pixel_format: str = "yuv420p"
) -> list[bytes]:
    """The units that x264 writes for some frames, those with parameters first."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height = width, height = size
    context.pix_fmt = pixel_format
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.flags |= Flags.global_header
    context.options = {"preset": "ultrafast", **(options or {})}
    context.open()
    packets = []
    for number in range(3):
        frame = frame_of(np.full((height, width, 3), 60 + number, np.uint8), pixel_format)
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += context.encode(frame)
    packets += context.encode(None)
    return [*units_of_stream(context.extradata or b""), *(u for p in packets for u in units_of_stream(bytes(p)))]


def sets_of(units: list[bytes]) -> tuple[list[SequenceSet], list[PictureSet]]:
    sequences = [read_sequence(unit) for unit in units if type_of(unit) == SEQUENCE]
    return sequences, [read_picture(unit, sequences) for unit in units if type_of(unit) == PICTURE]


@given(UNITS)
def test_units_come_out_as_they_went_in(units: list[bytes]) -> None:
    assert units_of_stream(to_stream(units)) == units
    assert units_of_sample(to_sample(units), 4) == units


@given(st.binary(max_size=40).map(lambda data: data.replace(b"\x07", b"\0")))
def test_no_start_code_comes_up_by_chance(payload: bytes) -> None:
    escaped = h264._escaped(payload)
    assert h264._unescaped(escaped) == payload
    assert not any(code in escaped for code in (b"\0\0\0", b"\0\0\x01", b"\0\0\x02"))


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_by_one_error(data: bytes) -> None:
    for function in (Configuration.of, read_sequence, picture_set_of, units_of_stream):
        with suppress(ValueError, IndexError):
            function(data)
    with suppress(ValueError):
        units_of_sample(data, 4)
    list(kept_units([b"\x06" + data]))


@pytest.mark.parametrize(
    ("pixel_format", "options", "expected"),
    [
        ("yuv420p", {"profile": "baseline"}, (66, 1, 8)),
        ("yuv420p", {"profile": "main", "coder": "1"}, (77, 1, 8)),
        ("yuv420p", {"x264-params": "8x8dct=1"}, (100, 1, 8)),
        ("yuv420p", {"x264-params": "8x8dct=1:cqm=jvt"}, (100, 1, 8)),
        ("yuv420p10le", {}, (110, 1, 10)),
        ("yuv422p", {}, (122, 2, 8)),
        ("yuv444p", {"x264-params": "cqm=jvt"}, (244, 3, 8)),
        ("yuv420p", {"nal-hrd": "vbr", "maxrate": "100k", "bufsize": "100k"}, (66, 1, 8)),
    ],
)
def test_what_x264_writes(pixel_format: str, options: dict[str, str], expected: tuple[int, ...]) -> None:
    (sequence,), (picture,) = sets_of(stream_of(options, pixel_format=pixel_format))
    assert (sequence.profile, sequence.chroma_format, sequence.bit_depth) == expected
    assert (sequence.width, sequence.height, sequence.hides_pixels) == (160, 96, False)
    assert (picture.number, picture.sequence, picture.has_second_pictures) == (0, 0, False)
    assert sequence.reordered == 0
    new = sequence.with_buffers(2, 5)
    assert (new.reordered, new.held) == (2, 5)
    assert (new.width, new.height, new.profile, new.level) == (160, 96, sequence.profile, sequence.level)


def test_sizes_that_are_no_multiples_are_filled_up() -> None:
    (sequence,), _ = sets_of(stream_of(size=(150, 90)))
    assert (sequence.width, sequence.height, sequence.hides_pixels) == (160, 96, False)
    (fields,), _ = sets_of(stream_of({"preset": "veryfast", "flags": "+ilme+ildct"}, (150, 92)))
    assert (fields.height, fields.has_fields, fields.hides_pixels) == (96, True, False)


@pytest.mark.parametrize("crop", ["crop_right=16", "crop_left=2", "crop_bottom=16", "crop_top=2"])
def test_pixels_that_are_decoded_but_not_shown(crop: str) -> None:
    """Nobody looked at them; programs that cut films without loss make them."""
    filters = av.BitStreamFilterContext(f"h264_metadata={crop}", _any_stream())
    changed = [unit for packet in filters.filter(av.Packet(to_stream(stream_of()[:2]))) for unit in _units(packet)]
    (sequence,), _ = sets_of(changed)
    assert sequence.hides_pixels


def _any_stream() -> av.VideoStream:
    container = av.open("/dev/null", "w", format="h264")
    stream: av.VideoStream = container.add_stream("libx264", rate=25)
    return stream


def _units(packet: av.Packet[Any]) -> list[bytes]:
    return units_of_stream(bytes(packet))


def test_where_nothing_is_said_of_buffers_it_is_added() -> None:
    sequence = read_sequence(APPLE)
    assert (sequence.reordered, sequence.held, sequence.most_held) == (None, None, 5)
    assert (sequence.with_buffers(1, 5).reordered, sequence.with_buffers(1, 5).held) == (1, 5)
    assert read_sequence(TRANSPORT).with_buffers(0, 6).held == 6


def test_more_than_parameters_is_refused() -> None:
    sequence, picture = stream_of()[:2]
    for hidden in (b"\xff\xd8\xff\xe0", b"\x01", b"\x80"):
        with pytest.raises(ValueError, match="holds more"):
            read_sequence(sequence + hidden)
        with pytest.raises(ValueError, match=r"holds more|cut off"):
            read_picture(picture + b"\0\x01\x80" + hidden, [read_sequence(sequence)])


def test_parameters_of_another_sequence() -> None:
    _, picture = stream_of()[:2]
    with pytest.raises(ValueError, match="no sequence"):
        read_picture(picture, [])


def test_configurations_are_read_as_they_were_made() -> None:
    sequences, pictures = sets_of(stream_of())
    others = sets_of(stream_of({"x264-params": "sps-id=7"}))
    made = configuration([*sequences, *others[0]], [*pictures, *others[1]])
    read = Configuration.of(made)
    assert read.length_bytes == 4
    every = [each.unit for each in (*sequences, *others[0])] + [each.unit for each in (*pictures, *others[1])]
    assert read.sets == tuple(every)
    assert [picture.number for picture in others[1]] == [7]
    assert made[1:4] == sequences[0].unit[1:4]
    for end in range(7, len(made) - 4):
        with pytest.raises((ValueError, IndexError)):
            Configuration.of(made[:end])
    assert Configuration.of(None) == (0, ())


def test_of_a_packet_slices_and_messages_about_colours_are_kept() -> None:
    text = b"\x06" + bytes([5, 20]) + b"t" * 20 + b"\x80"  # user data
    light = b"\x06" + bytes([144, 4, 3, 232, 1, 144]) + b"\x80"
    both = b"\x06" + bytes([5, 3]) + b"abc" + bytes([144, 4, 3, 232, 1, 144]) + b"\x80"
    long = b"\x06" + bytes([144, 20]) + b"x" * 20 + b"\x80"
    cut = b"\x06" + bytes([144, 200]) + b"x" * 20 + b"\x80"
    units = stream_of()
    slices = [unit for unit in units if type_of(unit) in (1, 5)]
    assert any(type_of(unit) == MESSAGE for unit in units)  # x264's own
    kept = list(kept_units([*units, text, light, both, long, cut, b"\x09\x10", b"\x0c\xff"]))
    assert kept == [*slices, light, light]


def test_captions_are_kept_where_they_are_nothing_else() -> None:
    captions = b"\xb5\0\x31GA94\x03\xc1\xff\xfc\x94\x20\xff"
    for message, is_kept in [
        (captions, True),
        (captions + b"more", False),
        (captions[:8], False),
        (captions[:-1], False),
        (b"\xb5\0\x31DTG1" + captions[7:], False),
    ]:
        unit = b"\x06\x04" + bytes([len(message)]) + h264._escaped(message) + b"\x80"
        assert list(kept_units([unit], True)) == ([unit] if is_kept else [])
        assert list(kept_units([unit])) == []


def test_which_parameters_a_slice_uses() -> None:
    slices = [unit for unit in stream_of({"x264-params": "sps-id=9"}) if type_of(unit) in (1, 5)]
    assert {picture_set_of(unit) for unit in slices} == {9}
