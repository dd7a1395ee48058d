"""Items are read from files of all kinds of writers; damaged ones raise one error."""

from contextlib import suppress

import pytest
from files.heif_samples import coded, grid, heif_file
from files.samples import saved
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.files import heic
from anonymizer.files.heif_items import StructureError, data_of, read_items


def test_items_of_a_file() -> None:
    content = heif_file(grid([2, 3]), coded(1, is_hidden=True), coded(2, is_hidden=True), coded(3))
    items = read_items(content)
    assert items.primary == 1
    assert [item.kind for item in items.by_number.values()] == [b"grid", b"av01", b"av01", b"av01"]
    assert items.closure([1]) == {1, 2, 3}
    assert data_of(content, items.by_number[4]) == coded(3).data
    assert (items.by_number[4].property_of(b"ispe") or b"")[4:] == (64).to_bytes(4, "big") * 2
    assert items.by_number[4].property_of(b"none") is None


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_items_of_encoders(file_format: str, mode: str) -> None:
    if file_format == "HEIF" and not heic.can_read_heic():
        pytest.skip("needs pillow-heif")
    content = saved(file_format, mode)
    items = read_items(content)
    assert data_of(content, items.by_number[items.primary])
    assert len(items.by_number) == (2 if mode == "RGBA" else 1)


def test_references_in_a_circle_end() -> None:
    items = read_items(heif_file(grid([2]), grid([1, 7])))
    assert items.closure([1]) == {1, 2}


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x08ftyp", b"\0\0\0\x0cmeta\0\0\0\0"])
def test_files_without_items(content: bytes) -> None:
    with pytest.raises(StructureError):
        read_items(content)


@given(position=st.integers(0, 600), value=st.integers(0, 255), cut=st.integers(0, 600))
@settings(max_examples=300, deadline=None)
def test_damaged_boxes_raise_one_error(position: int, value: int, cut: int) -> None:
    content = bytearray(heif_file(grid([2, 3]), coded(1), coded(2)))
    content[position] = value
    for damaged in (bytes(content), bytes(content[:cut])):
        with suppress(StructureError):
            read_items(damaged)
