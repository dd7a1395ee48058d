"""Of all that a file says about its orientation, one counts; the rest is told, so that it is looked at too."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.files.carriers import UPRIGHT, Stated, stated_by

ORIENTATIONS = st.integers(1, 8)


def exif_of(value: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def xmp_of(value: object) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:t="http://ns.adobe.com/tiff/1.0/" t:Orientation="{value}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def test_files_without_carriers_are_upright() -> None:
    assert stated_by() == UPRIGHT == Stated(1, ())


@given(st.lists(ORIENTATIONS, max_size=2), st.lists(ORIENTATIONS, max_size=2))
def test_the_first_exif_data_count(exifs: list[int], packets: list[int]) -> None:
    found = stated_by([exif_of(one) for one in exifs], [xmp_of(one) for one in packets])
    assert found.orientation == (exifs or [1])[0]
    assert set(found.others) == {*exifs, *packets} - {found.orientation}


@given(ORIENTATIONS, ORIENTATIONS, ORIENTATIONS)
def test_boxes_count_before_exif_data(box: int, exif: int, further: int) -> None:
    found = stated_by([exif_of(exif)], counts=box, further=[further])
    assert found == Stated(box, tuple(sorted({exif, further} - {box})))


BYTE, ASCII, SHORT, LONG, FRACTION, UNDEFINED, SIGNED = 1, 2, 3, 4, 5, 7, 8


@pytest.mark.parametrize(
    ("kind", "count", "value", "stated"),
    [
        (SHORT, 1, b"\6\0", Stated(6)),
        (SHORT, 1, b"\0\0", UPRIGHT),
        (SHORT, 1, b"\x09\0", UPRIGHT),
        (SHORT, 1, b"\xff\xff", UPRIGHT),
        (SHORT, 2, b"\6\0\3\0", Stated(6, (1,))),
        (LONG, 1, b"\6\0\0\0", Stated(6, (1,))),
        (SIGNED, 1, b"\6\0", Stated(6, (1,))),
        (FRACTION, 1, b"\x1a\0\0\0", Stated(6, (1,))),
        (BYTE, 1, b"\6", Stated(1, (6,))),
        (UNDEFINED, 1, b"\6", Stated(1, (6,))),
        (UNDEFINED, 2, b"6\0", Stated(1, (6,))),
        (ASCII, 2, b"6\0", Stated(1, (6,))),
        (ASCII, 3, b"66\0", UPRIGHT),
        (ASCII, 3, b"up\0", UPRIGHT),
    ],
)
def test_tags_of_other_kinds_are_in_doubt(kind: int, count: int, value: bytes, stated: Stated) -> None:
    """Programs differ: browsers want one short number, ImageMagick accepts all that look like one."""
    entry = struct.pack("<HHHI", 1, 0x112, kind, count) + value.ljust(4, b"\0") + bytes(4)
    assert stated_by([b"Exif\0\0II*\0\x08\0\0\0" + entry + struct.pack("<II", 6, 1)]) == stated


@given(ORIENTATIONS)
def test_exif_data_without_the_tag_state_nothing(box: int) -> None:
    exif = Image.Exif()
    exif[0x010F] = "make"
    assert stated_by([exif.tobytes(), exif_of(0)], counts=box) == Stated(box)
    assert stated_by([exif.tobytes(), exif_of(box)]).orientation == 1


@pytest.mark.parametrize("content", [b"", b"Exif\0\0", b"II*\0\xff\xff\xff\xff", b"no EXIF data at all"])
def test_damaged_exif_data_turn_nothing(content: bytes) -> None:
    assert stated_by([content, exif_of(6)]) == Stated(1, (6,))
