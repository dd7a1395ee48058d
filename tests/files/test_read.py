import io
import os
import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import noise, noise16, save, smooth
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_encode import SAMPLINGS, jpeg_file

from anonymizer.errors import PictureError
from anonymizer.files import jpeg
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings


def test_rgb_png(tmp_path):
    pixels = noise(9, 11)
    picture = read_picture(save(tmp_path / "a.png", pixels))
    assert (picture.pixels == pixels).all()
    assert picture.alpha is None
    assert picture.encoding.format == "PNG"


def test_gray_png(tmp_path):
    pixels = noise(9, 11, 1)
    picture = read_picture(save(tmp_path / "a.png", pixels))
    assert picture.pixels.shape == (9, 11, 1)
    assert (picture.pixels == pixels).all()


@pytest.mark.parametrize(("channels", "colours"), [(2, 1), (4, 3)])
def test_alpha_is_kept_apart(tmp_path, channels, colours):
    pixels = noise(9, 11, channels)
    picture = read_picture(save(tmp_path / "a.png", pixels))
    assert (picture.pixels == pixels[:, :, :colours]).all()
    assert (picture.alpha == pixels[:, :, -1]).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_per_channel(tmp_path, channels):
    pixels = noise16(9, 11, channels)
    stored = (
        pixels if channels == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_RGBA2BGRA)
    )
    cv2.imwrite(str(tmp_path / "a.png"), stored)
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.dtype == np.uint16
    assert (picture.pixels == pixels[:, :, :3]).all()
    assert (picture.alpha is None) if channels < 4 else (picture.alpha == pixels[:, :, 3]).all()


def test_palette_with_and_without_transparency(tmp_path):
    image = Image.fromarray(smooth(9, 11)).quantize(16)
    image.save(tmp_path / "opaque.png")
    image.save(tmp_path / "transparent.png", transparency=3)
    expected = np.asarray(image.convert("RGB"))
    opaque, transparent = (read_picture(tmp_path / f"{name}.png") for name in ("opaque", "transparent"))
    assert (opaque.pixels == expected).all()
    assert opaque.alpha is None
    assert (transparent.pixels == expected).all()
    assert (transparent.alpha == np.where(np.asarray(image) == 3, 0, 255)).all()


def test_one_bit_png(tmp_path):
    Image.fromarray(noise(9, 11, 1).squeeze() > 127).save(tmp_path / "a.png")
    assert set(np.unique(read_picture(tmp_path / "a.png").pixels)) == {0, 255}


def test_jpeg_keeps_how_it_was_stored(tmp_path):
    path = save(
        tmp_path / "a.jpg",
        smooth(33, 50),
        quality=71,
        subsampling=1,
        progressive=True,
    )
    encoding = read_picture(path).encoding
    with Image.open(path) as image:
        assert encoding.quantization == [image.quantization[0], image.quantization[1]]
    assert (encoding.format, encoding.subsampling, encoding.progressive) == ("JPEG", 1, True)


def test_the_content_tells_the_format(tmp_path):
    save(tmp_path / "a.png", smooth(9, 11))
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.encoding.format == "PNG"
    assert picture.remarks == ("is a PNG file with the extension of another format",)


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_impossible_orientations_count_as_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = noise(9, 11)
    picture = read_picture(save(tmp_path / "a.png", pixels, exif=exif))
    assert (picture.pixels == pixels).all()


def test_damaged_metadata_does_not_stop(tmp_path):
    path = save(tmp_path / "a.jpg", smooth(9, 11), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_picture(path).encoding.orientation == 1


def test_orientation_in_xmp(tmp_path):
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    path = save(tmp_path / "a.jpg", smooth(8, 16), xmp=xmp.encode())
    picture = read_picture(path)
    assert picture.encoding.orientation == 6
    assert picture.pixels.shape == (16, 8, 3)


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
    "seems to be a JPEG file, but is damaged or of a kind that is not handled": jpeg_of_12_bits,
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


def test_the_limit_of_pixels(tmp_path):
    path = save(tmp_path / "a.png", noise(9, 11))
    assert read_picture(path, ReadSettings(max_pixels=99)).pixels.shape == (9, 11, 3)
    with pytest.raises(PictureError, match="has 11 x 9 pixels"):
        read_picture(path, ReadSettings(max_pixels=98))


@pytest.mark.parametrize("make", [truncated_jpeg, truncated_png])
def test_truncated_files_are_read_on_demand(tmp_path, make):
    make(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg", ReadSettings(allow_truncated=True))
    assert picture.pixels.shape == (50, 50, 3)
    assert picture.pixels[:5].std() > 20
    with pytest.raises(PictureError, match="is damaged"):
        read_picture(tmp_path / "a.jpg")


@pytest.mark.parametrize(("message", "make"), BAD.items(), ids=BAD)
def test_bad_files_fail_with_a_reason_and_without_their_path(tmp_path, message, make):
    make(tmp_path / "a.jpg")
    with pytest.raises(PictureError, match=message) as caught:
        read_picture(tmp_path / "a.jpg")
    assert str(tmp_path) not in str(caught.value)


def by_pillow(content):
    try:
        return np.asarray(Image.open(io.BytesIO(content)))
    except (OSError, SyntaxError, ValueError):
        return None


@given(
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    options=st.sampled_from([{}, {"restart": 2}, {"progressive": True}]),
    damage=st.sampled_from(["none", "flips", "cut", "cut and closed"]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=400, deadline=None)
def test_jpeg_is_decoded_as_by_pillow_or_left_to_it(sampling, height, width, options, damage, seed):
    """A damaged file must not pass as a sound one, whose missing part would look like a picture without faces."""
    channels = 1 if sampling == "gray" else 3
    content, choose = bytearray(jpeg_file(noise(height, width, channels), sampling, **options)), random.Random(seed)
    if damage == "flips":
        for _ in range(3):
            content[choose.randrange(2, len(content))] ^= 1 << choose.randrange(8)
    elif damage != "none":
        del content[choose.randrange(2, len(content)) :]
        content += b"\xff\xd9" if damage == "cut and closed" else b""
    pixels, expected = jpeg.decode_flawless(bytes(content), channels), by_pillow(bytes(content))
    if expected is not None and expected.ndim != (3 if channels == 3 else 2):
        return  # damaged into another kind
    if pixels is not None:
        assert expected is not None
        assert np.array_equal(pixels.reshape(expected.shape), expected)
    else:
        assert damage != "none"
