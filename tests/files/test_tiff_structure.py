"""Nothing larger is left out, and every byte of a file is known: here, in the report and by the gate."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from fakes import noise
from files.samples import jpeg_file, rewrite
from files.tiff_samples import DEFLATE, RAW, Order, Page, page, tiff_file
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import PictureError
from anonymizer.files.decode import decode_picture
from anonymizer.files.inspect import inspect_file
from anonymizer.files.tiff_structure import TiffFile

SMALL, LARGE = noise(20, 30), noise(60, 50)


def below(depth: int, one: Page) -> Page:
    """A page under so many small pages."""
    for _ in range(depth):
        one = page(SMALL, inner=[one])
    return one


@given(
    depth=st.integers(1, 3),
    order=st.sampled_from(["little", "big"]),
    compression=st.sampled_from([RAW, DEFLATE]),
    is_reduced=st.booleans(),
    number=st.integers(0, 2),
)
def test_larger_pictures_in_sub_directories_are_refused(
    depth: int, order: Order, compression: int, is_reduced: bool, number: int
) -> None:
    hidden = page(LARGE, compression=compression, order=order, tags={254: int(is_reduced)})
    pages = [page(SMALL, order=order) for _ in range(number)]
    with pytest.raises(PictureError, match="holds a larger picture, 50 x 60, in a sub-directory"):
        decode_picture(tiff_file(*pages, below(depth, hidden), order=order))


def test_larger_pictures_below_previews_are_refused() -> None:
    preview = page(noise(8, 8), tags={254: 1}, inner=[page(LARGE)])
    with pytest.raises(PictureError, match="larger picture, 50 x 60"):
        decode_picture(tiff_file(page(SMALL), preview))
    assert len(decode_picture(tiff_file(page(noise(70, 70)), preview)).frames) == 1


@pytest.mark.parametrize("is_inner", [False, True])
def test_larger_jpeg_pictures_are_refused(is_inner: bool) -> None:
    jpeg = Page({254: 1}, jpeg=jpeg_file(LARGE))
    first = page(SMALL, inner=[jpeg]) if is_inner else page(SMALL)
    if not is_inner:
        first.jpeg = jpeg.jpeg
    with pytest.raises(PictureError, match="larger picture, 50 x 60"):
        decode_picture(tiff_file(first))


def test_smaller_pictures_in_sub_directories_are_left_out() -> None:
    content = tiff_file(page(LARGE, inner=[page(SMALL), page(noise(8, 8), tags={254: 1})]))
    picture = decode_picture(content)
    assert picture.pixels.shape == LARGE.shape
    assert picture.left_out == ("2 smaller pictures in sub-directories are left out",)
    assert "a directory of further pictures" in [issue.text for issue in inspect_file(content, "TIFF")]


def test_what_says_that_it_is_reduced_but_is_larger_is_a_page() -> None:
    frames = decode_picture(tiff_file(page(SMALL), page(LARGE, tags={254: 1}))).frames
    assert [frame.pixels.shape for frame in frames] == [SMALL.shape, LARGE.shape]
    frames = decode_picture(tiff_file(page(SMALL, tags={254: 1}), page(LARGE, tags={254: 1}))).frames
    assert [frame.pixels.shape for frame in frames] == [SMALL.shape, LARGE.shape]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (tiff_file(page(SMALL, tags={50706: b"\1\4\0\0"})), "DNG"),
        (tiff_file(page(SMALL, inner=[page(noise(9, 9, 1), photometric=32803)])), "samples of a sensor"),
        (tiff_file(page(SMALL), page(noise(9, 9, 1), photometric=34892)), "samples of a sensor"),
        (tiff_file(page(SMALL, inner=[page(noise(9, 9, 1), tags={259: 34713})])), "samples of a sensor"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(30), "CR2"),
        (b"II*\0\x10\0\0\0IIIICwaR" + bytes(30), "IIQ"),
        (b"IIU\0" + bytes(30), "RW2"),
        (b"IIRO\x08" + bytes(30), "ORF"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(30), "RAF"),
        (b"\0\0\0\x18ftypcrx " + bytes(30), "CR3"),
    ],
)
def test_raw_files_are_refused(content: bytes, name: str) -> None:
    with pytest.raises(PictureError, match=rf"is a raw file \({name}\)"):
        decode_picture(content)


PLAIN = tiff_file(page(LARGE, compression=DEFLATE, rows=16), page(SMALL))


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (PLAIN, 0),
        (PLAIN + bytes(500), 0),
        (PLAIN + b"behind", 6),
        (PLAIN + jpeg_file(SMALL), len(jpeg_file(SMALL))),
        (tiff_file(page(SMALL), order="big", is_big=True), 0),
    ],
)
def test_bytes_that_nothing_refers_to(content: bytes, number: int) -> None:
    assert TiffFile(content).unreferred() == number


def hidden_between(hidden: bytes) -> bytes:
    """A file in which bytes lie between two strips."""
    content = bytearray(tiff_file(page(LARGE, rows=30)))
    (directory,) = TiffFile(bytes(content)).chain
    first, second = directory.data_parts
    at = directory.entries[273].at + 4
    assert first[1] <= second[0]
    content[at : at + 4] = len(content).to_bytes(4, "little")  # the second strip moves to the end
    return bytes(content + content[slice(*second)]).replace(bytes(content[slice(*second)]), hidden, 1)


def hidden_in_strip(compression: int, hidden: bytes) -> bytes:
    one = page(SMALL, compression=compression)
    one.parts = [*one.parts[:-1], one.parts[-1] + hidden]
    return tiff_file(one)


def hidden_in_tile(hidden: bytes) -> bytes:
    one = page(LARGE, tile=(32, 32), is_planar=True)
    one.parts = [one.parts[0] + hidden, *one.parts[1:]]
    return tiff_file(one)


def hidden_in_stream(hidden: bytes) -> bytes:
    """Behind the pixels, but compressed with them."""
    one = page(SMALL, compression=DEFLATE)
    one.parts = [zlib.compress(zlib.decompress(one.parts[0]) + hidden, 0)]
    return tiff_file(one)


def hidden_in_further_strips(hidden: bytes) -> bytes:
    one = page(SMALL, rows=10)
    one.parts = [*one.parts, hidden]
    return tiff_file(one)


HIDDEN = jpeg_file(SMALL)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN + HIDDEN,
        hidden_between(HIDDEN.ljust(4500, b"\0")),
        hidden_in_strip(RAW, HIDDEN),
        hidden_in_strip(DEFLATE, HIDDEN),
        hidden_in_further_strips(HIDDEN),
        hidden_in_tile(HIDDEN),
        hidden_in_stream(HIDDEN),
    ],
)
def test_hidden_bytes_are_told_and_left_out(tmp_path: Path, content: bytes) -> None:
    assert HIDDEN in content
    assert [(issue.kind, "nothing in the file refers to" in issue.text) for issue in inspect_file(content, "TIFF")] == [
        ("trailing", True)
    ]
    (note,) = decode_picture(content).left_out
    assert note.endswith("bytes that no page refers to are left out")
    (tmp_path / "a.tif").write_bytes(content)
    new = rewrite(tmp_path / "a.tif").read_bytes() if len(decode_picture(content).frames) == 1 else b""
    assert HIDDEN not in new


@given(st.binary(max_size=300), st.integers(0, 20), st.booleans())
def test_any_structure_is_read(data: bytes, at: int, is_big: bool) -> None:
    """Damaged files end as a picture or as a PictureError."""
    content = bytearray(tiff_file(page(SMALL, inner=[page(noise(5, 5))]), is_big=is_big))
    start = len(content) - 60 + at
    content[start : start + len(data)] = data
    for damaged in (bytes(content), bytes(content[:start])):
        found = TiffFile(damaged)
        found.unreferred()
        found.larger_picture()
        try:
            decode_picture(damaged)
        except PictureError:
            continue
        inspect_file(damaged, "TIFF")


def test_directories_in_a_loop() -> None:
    content = bytearray(tiff_file(page(SMALL, tags={330: 8})))
    (directory,) = TiffFile(bytes(content)).chain
    at = directory.entries[330].at
    content[at : at + 4] = directory.part[0].to_bytes(4, "little")
    content[directory.part[1] - 4 : directory.part[1]] = directory.part[0].to_bytes(4, "little")
    assert len(list(TiffFile(bytes(content)).all_directories())) == 1
    assert np.array_equal(decode_picture(bytes(content)).pixels, SMALL)


def test_directories_that_lie_too_deep() -> None:
    with pytest.raises(PictureError, match="too deep"):
        decode_picture(tiff_file(below(200, page(LARGE))))
