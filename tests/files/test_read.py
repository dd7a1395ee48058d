import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import noise, save, smooth
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings


def test_the_content_tells_the_format(tmp_path: Path) -> None:
    save(tmp_path / "a.png", smooth(9, 11))
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.encoding.format == "PNG"
    assert picture.remarks == ("is a PNG file with the extension of another format",)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def sixteen_bit_png(path: Path) -> None:
    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(12) for _ in range(2)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def png_with_a_leading_chunk(path: Path) -> None:
    sixteen_bit_png(path)
    content = path.read_bytes()
    path.write_bytes(content[:8] + chunk(b"tEXt", b"a\0b") + content[8:])


def truncated_16_bit_png(path: Path) -> None:
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 16, 2, 0, 0, 0)) + chunk(b"IEND", b"")
    )


def huge_png(path: Path) -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def truncated_jpeg(path: Path) -> None:
    save(path, noise(50, 50))
    path.write_bytes(path.read_bytes()[:1500])


def truncated_png(path: Path) -> None:
    Image.fromarray(noise(50, 50)).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:1500])


def two_pages(path: Path, file_format: str) -> None:
    pages = [Image.fromarray(noise(9, 9, seed=seed)) for seed in range(2)]
    pages[0].save(path, file_format, save_all=True, append_images=pages[1:])


def jpeg_with_a_missing_table(path: Path) -> None:
    content = bytearray(save(path, smooth(20, 20)).read_bytes())
    content[content.index(b"\xff\xc0") + 12] = 3
    path.write_bytes(content)


def jpeg_with_a_zero_in_a_table(path: Path) -> None:
    content = bytearray(save(path, smooth(20, 20)).read_bytes())
    content[content.index(b"\xff\xdb") + 20] = 0
    path.write_bytes(content)


def jpeg_of_12_bits(path: Path) -> None:
    content = bytearray(save(path, smooth(20, 20)).read_bytes())
    content[content.index(b"\xff\xc0") + 4] = 12
    path.write_bytes(content)


def float_tiff(path: Path) -> None:
    path.write_bytes(cv2.imencode(".tif", np.ones((9, 9, 3), np.float32))[1].tobytes())


BAD = {
    "is a JPEG file of 12 bits per channel, which is not handled": jpeg_of_12_bits,
    "TIFF file": float_tiff,
    "is damaged: broken data stream": jpeg_with_a_missing_table,
    "a quantisation table is missing": jpeg_with_a_zero_in_a_table,
    "is empty": lambda path: path.write_bytes(b""),
    "is no picture in JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF, HEIC, JPEG 2000 format": lambda path: path.write_bytes(
        b"these are no pixels"
    ),
    "cannot be opened: No such file": lambda path: path.symlink_to("nowhere"),
    "cannot be opened: Too many levels of symbolic links": lambda path: path.symlink_to(path.name),
    "is not a regular file": os.mkfifo,
    "is damaged: cannot load this image": truncated_16_bit_png,
    "does not begin with its header": png_with_a_leading_chunk,
    "has 100000 x 100000 pixels, more than --max-pixels": huge_png,
    "is damaged: image file is truncated": truncated_jpeg,
    "is damaged: ": truncated_png,
    "is an animated AVIF file": lambda path: two_pages(path, "AVIF"),
    "is a TIFF file in F colours": lambda path: Image.new("F", (9, 9)).save(path, "TIFF"),
}


def test_the_limit_of_pixels(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", noise(9, 11))
    assert read_picture(path, ReadSettings(max_pixels=99)).pixels.shape == (9, 11, 3)
    with pytest.raises(PictureError, match="has 11 x 9 pixels"):
        read_picture(path, ReadSettings(max_pixels=98))


@pytest.mark.parametrize("make", [truncated_jpeg, truncated_png])
def test_truncated_files_are_read_on_demand(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg", ReadSettings(allow_truncated=True))
    assert picture.pixels.shape == (50, 50, 3)
    assert picture.pixels[:5].std() > 20
    with pytest.raises(PictureError, match="is damaged"):
        read_picture(tmp_path / "a.jpg")


@pytest.mark.parametrize(("message", "make"), BAD.items(), ids=BAD)
def test_bad_files_fail_with_a_reason_and_without_their_path(
    tmp_path: Path, message: str, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "a.jpg")
    with pytest.raises(PictureError, match=message) as caught:
        read_picture(tmp_path / "a.jpg")
    assert str(tmp_path) not in str(caught.value)
