"""What lies in EXIF data beside their tags is told by the gate, and named by what leaves it out."""

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.files.exif_rest import ExifLayout, content_of
from anonymizer.files.metadata import BESIDE_TAGS, MAX_UNKNOWN, bytes_beside_tags, kept_exif

EXIF, MAKE, COMMENT = 0x8769, 0x010F, 0x9286
FEW = 40  # bytes of chance, in which no picture fits


def chance(size: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(size)


def directory(entries: Sequence[tuple[int, int, int, bytes]], order: str = "<", following: int = 0) -> bytes:
    """Entries of tag, type, number of values, and value or where it lies."""
    rows = b"".join(struct.pack(f"{order}HHI", *one[:3]) + one[3].ljust(4, b"\0") for one in entries)
    return struct.pack(f"{order}H", len(entries)) + rows + struct.pack(f"{order}I", following)


def exif(body: bytes, order: str = "<") -> bytes:
    """EXIF data whose first directory is at the beginning of the body."""
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8) + body


def at(place: int, order: str = "<") -> bytes:
    return struct.pack(f"{order}I", place)


def names(content: bytes) -> tuple[str, ...]:
    return kept_exif(content, 1, "keep").left_out


def ordinary() -> bytes:
    tags = Image.Exif()
    tags.update({MAKE: "a camera of some make", 0x0112: 6, 0x0132: "2001:02:03 04:05:06"})
    tags.get_ifd(EXIF).update({0xA434: "a lens of some length", 0x829A: 0.01, 0xA005: {1: "R98", 2: b"0100"}})
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 7.0)})
    return tags.tobytes()


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_all_of_ordinary_exif_data_is_in_tags(prefix: bytes) -> None:
    content = ordinary().removeprefix(b"Exif\0\0")
    assert bytes_beside_tags(prefix + content) == 0
    assert names(prefix + content) == ()
    assert bytes_beside_tags(prefix + content + b"\0" * 10_000) == 0
    assert bytes_beside_tags(prefix + content + b"\xff" * 10_000) == 0
    assert bytes_beside_tags(prefix + content + chance(FEW)) == 0


@given(st.integers(MAX_UNKNOWN + 20, 3000), st.integers(0, 1000), st.sampled_from("<>"), st.sampled_from([2, 4, 7]))
def test_a_value_that_reaches_beyond_the_end(size: int, seed: int, order: str, kind: int) -> None:
    """As in EXIF data that are larger than a segment of a JPEG file."""
    data = chance(size, seed)
    row = (COMMENT, kind, 2 * size, at(8 + 2 + 12 + 4, order))
    content = exif(directory([row], order) + data, order)
    assert bytes_beside_tags(content) > MAX_UNKNOWN
    assert BESIDE_TAGS in names(content)


@pytest.mark.parametrize(
    "rows",
    [
        [],  # behind the tags
        [(0xFE01, 99, 300, at(26))],  # of an unknown type
        [(0xFE01, 7, 0x4000_0000, at(26))],
        [(0xFE01, 7, 300, at(38)), (0xFE01, 7, 4, b"abcd")],  # twice
        [(0x0111, 7, 300, at(26))],  # of a tag that points to pixels in TIFF files
        [(0x8649, 7, 300, at(26))],  # Photoshop's resources
    ],
)
def test_bytes_that_no_tag_holds(rows: list[tuple[int, int, int, bytes]]) -> None:
    content = exif(directory(rows) + chance(300))
    assert bytes_beside_tags(content) > 250
    assert names(content)[-1] == BESIDE_TAGS
    assert kept_exif(content, 1, "strip").left_out == ()


def test_a_third_directory() -> None:
    """Viewers know two: of the picture, and of its thumbnail."""
    value = directory([(MAKE, 2, 300, at(26 + 6 + 18))])
    content = exif(directory([(MAKE, 2, 4, b"abc\0")], following=26) + directory([], following=32) + value)
    assert bytes_beside_tags(content + chance(300)) > 250


def test_directories_of_unknown_values() -> None:
    rows = [
        (0xFE00 + number, 99, *struct.unpack("<I", chance(4, number)), chance(4, number + 50)) for number in range(40)
    ]
    assert bytes_beside_tags(exif(directory(rows))) > 250


def test_thumbnails_do_not_count_twice() -> None:
    rows = [(0x0201, 4, 1, at(8 + 6 + 30)), (0x0202, 4, 1, at(500))]
    content = exif(directory([], following=14) + directory(rows) + chance(500))
    assert bytes_beside_tags(content) == 0
    assert bytes_beside_tags(content + chance(100)) > MAX_UNKNOWN


@given(st.binary(max_size=300))
def test_damaged_data_never_fail(data: bytes) -> None:
    for content in (data, b"II*\0\x08\0\0\0" + data, b"MM\0*\0\0\0\x08" + data):
        assert bytes_beside_tags(content) >= 0
        layout = ExifLayout(content)
        layout.take_picture(layout.take(layout.first, range(0x10000)), range(0x10000))
        assert len(layout.rest) <= len(content)


def test_padding_holds_nothing() -> None:
    assert content_of(b"") == 0
    assert content_of(b"\0" * 1000) < MAX_UNKNOWN
    assert content_of(chance(1000)) >= 1000
