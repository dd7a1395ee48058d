"""Compressed data are looked at unit by unit."""

from dataclasses import dataclass

import pytest
from files.heif_samples import coded
from files.samples import saved
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.files import heic
from anonymizer.files.heif_items import Item, data_of, read_items
from anonymizer.files.heif_streams import colours_of, data_beside_frame, with_colours

AV1 = coded().data


@dataclass(frozen=True)
class Case:
    extra: bytes
    found: bytes


@pytest.mark.parametrize(
    "case",
    [
        Case(b"", b""),
        Case(b"\x12\0", b""),  # a delimiter
        Case(b"\x7a\x03abc", b"abc"),  # padding
        Case(b"\x2a\x03abc", b"abc"),  # metadata
        Case(b"abc", b"bc"),  # a reserved unit without a size
        Case(b"\x32\x03abc", b"abc"),  # a second frame
        Case(b"\x7a\xff", b"\x7a\xff"),  # cut off
    ],
    ids=repr,
)
def test_units_beside_the_frame_of_av1(case: Case) -> None:
    item = Item(1, b"av01")
    assert b"".join(data_beside_frame(item, AV1 + case.extra)) == case.found


def test_units_beside_the_frame_of_hevc() -> None:
    if not heic.can_read_heic():
        pytest.skip("needs pillow-heif")
    content = saved("HEIF", size=(64, 64))
    items = read_items(content)
    item = items.by_number[items.primary]
    data = data_of(content, item)
    assert list(data_beside_frame(item, data)) == []
    message = bytes([39 << 1, 1]) + b"secret"
    assert list(data_beside_frame(item, data + len(message).to_bytes(4, "big") + message)) == [b"secret"]
    assert list(data_beside_frame(item, data + b"secret")) == [b"secret"]
    assert b"".join(data_beside_frame(item, data + data))  # a second frame


@given(data=st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_damaged_data_raise_no_error(data: bytes) -> None:
    for kind in (b"av01", b"hvc1"):
        list(data_beside_frame(Item(1, kind, properties=[(b"hvcC", bytes(23))]), data))
    with_colours(data, (9, 16))
    colours_of(data)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_colours_in_the_header_of_av1(mode: str) -> None:
    content = saved("AVIF", mode, size=(64, 96))
    items = read_items(content)
    data = data_of(content, items.by_number[items.primary])
    assert colours_of(data) == (1, 13)
    changed = with_colours(data, (9, 16))
    assert colours_of(changed) == (9, 16)
    assert len(changed) == len(data)
    assert with_colours(changed, (1, 13)) == data
