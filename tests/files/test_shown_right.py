"""What shows a picture right survives in every format that has it: the cells of the table in README.md.

Orientations are tested by format, and so are the properties of AVIF and HEIC (`test_heif_display`).
"""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from fakes import noise, noise16
from files.samples import jpeg_file, saved
from PIL import Image, ImageCms, TiffImagePlugin, TiffTags

from anonymizer.files import heic, png
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.heif_display import Display, with_display
from anonymizer.files.jpeg_segments import write_segment
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Frame
from anonymizer.types import Pixels

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WITH_EXIF = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"]
CHANGES = pytest.mark.parametrize("is_redacted", [False, True])
EVERY_POLICY = pytest.mark.parametrize("policy", ["strip", "safe", "keep"])


@pytest.fixture(autouse=True)
def _codecs() -> None:
    heic.can_read_heic()


def rewritten(content: bytes, is_redacted: bool, policy: Policy = "strip") -> bytes:
    picture = decode_picture(content)
    frames, changed = [], []
    for frame in picture.frames:
        pixels, mask = frame.pixels.copy(), np.zeros(frame.pixels.shape[:2], bool)
        mask[3:9, 3:9] = is_redacted
        pixels[mask] = ~pixels[mask]
        frames.append(Frame(pixels, frame.alpha))
        changed.append(mask)
    return encode_picture(picture, frames, changed, policy).content


def skip_without_heic(file_format: str) -> None:
    if file_format == "HEIF" and "HEIF" not in Image.SAVE:
        pytest.skip("needs pillow-heif")


def adobe_rgb() -> Image.Exif:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 300.0, 2
    exif.get_ifd(0x8769).update({0xA001: 0xFFFF, 0xA005: {1: "R03", 2: b"0100"}})
    return exif


def with_adobe_rgb(file_format: str) -> bytes:
    if file_format != "TIFF":
        return saved(file_format, exif=adobe_rgb())
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x8769], tags.tagtype[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03", 2: b"0100"}}, TiffTags.LONG
    return saved(file_format, tiffinfo=tags, dpi=(300, 300))


@CHANGES
@EVERY_POLICY
@pytest.mark.parametrize("file_format", [*WITH_EXIF, "JPEG progressive"])
def test_colour_profiles(file_format: str, is_redacted: bool, policy: Policy) -> None:
    skip_without_heic(file_format)
    name, _, further = file_format.partition(" ")
    content = saved(name, icc_profile=PROFILE, progressive=bool(further))
    with Image.open(io.BytesIO(rewritten(content, is_redacted, policy))) as image:
        assert image.info["icc_profile"] == PROFILE


@CHANGES
@EVERY_POLICY
@pytest.mark.parametrize("file_format", WITH_EXIF)
def test_adobe_rgb_and_density_in_exif_data(file_format: str, is_redacted: bool, policy: Policy) -> None:
    skip_without_heic(file_format)
    content = with_adobe_rgb(file_format)
    with Image.open(io.BytesIO(rewritten(content, is_redacted, policy))) as image:
        exif = image.getexif()
        assert exif.get_ifd(0xA005).get(1) == "R03"
        assert exif.get_ifd(0x8769)[0xA001] == 0xFFFF
        assert (exif[0x011A], exif[0x011B]) == (300, 300)


@CHANGES
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_densities_that_the_format_has_itself(file_format: str, is_redacted: bool) -> None:
    content = saved(file_format, dpi=(300, 150))
    with Image.open(io.BytesIO(rewritten(content, is_redacted))) as image:
        assert [round(float(one)) for one in image.info["dpi"]] == [300, 150]


@CHANGES
def test_the_shape_of_pixels_in_gif_files(is_redacted: bool) -> None:
    content = bytearray(saved("GIF", "P"))
    content[12] = 17
    assert rewritten(bytes(content), is_redacted)[12] == 17


@CHANGES
def test_the_shape_of_pixels_in_jpeg_files(is_redacted: bool) -> None:
    content = jpeg_file(noise(24, 24))
    start = content.index(b"JFIF\0") + 7
    source = content[:start] + b"\0\0\2\0\1" + content[start + 5 :]
    new = rewritten(source, is_redacted)
    start = new.index(b"JFIF\0") + 7
    assert new[start : start + 5] == b"\0\0\2\0\1"


CHUNKS = {
    b"cICP": bytes([9, 16, 0, 1]),
    b"mDCV": struct.pack(">8H2I", 35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 10_000_000, 1),
    b"cLLI": struct.pack(">II", 10_000_000, 4_000_000),
    b"gAMA": struct.pack(">I", 55_556),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
    b"pHYs": struct.pack(">IIB", 2, 1, 0),
    b"sRGB": b"\0",
}


@CHANGES
@EVERY_POLICY
@pytest.mark.parametrize("kind", CHUNKS)
@pytest.mark.parametrize("pixels", [noise(20, 30), noise16(20, 30)], ids=["8 bits", "16 bits"])
def test_chunks_of_png_files(kind: bytes, pixels: Pixels, is_redacted: bool, policy: Policy) -> None:
    header, *others = png.encode_still(pixels)
    source = png.join_chunks([header, (kind, CHUNKS[kind]), *others])
    kinds = [(one, data) for one, data in png.read_chunks(rewritten(source, is_redacted, policy))]
    assert (kind, CHUNKS[kind]) in kinds
    assert kinds.index((kind, CHUNKS[kind])) < [one for one, _ in kinds].index(b"IDAT")


@pytest.mark.parametrize("file_format", WITH_EXIF)
def test_a_second_tool_sees_adobe_rgb(tmp_path: Path, file_format: str) -> None:
    skip_without_heic(file_format)
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("needs exiftool")
    path = tmp_path / "a"
    path.write_bytes(rewritten(with_adobe_rgb(file_format), is_redacted=True))
    command = [tool, "-s3", "-InteropIndex", "-ColorSpace", "-warning", "-error", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.splitlines()
    assert told == ["R03 - DCF option file (Adobe RGB)", "Uncalibrated"]


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
def test_a_second_tool_sees_the_colours_of_avif_and_heic(tmp_path: Path, file_format: str) -> None:
    skip_without_heic(file_format)
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("needs exiftool")
    path = tmp_path / "a"
    source = with_display(saved(file_format), Display((9, 16), [(b"clli", bytes.fromhex("03e80190"))]))
    path.write_bytes(rewritten(source, is_redacted=True))
    command = [tool, "-n", "-s3", "-ColorPrimaries", "-TransferCharacteristics", "-warning", "-error", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.split()
    assert told == ["9", "16"]


def test_exif_data_of_jpeg_files_without_jfif() -> None:
    content = jpeg_file(noise(24, 24))
    exif = write_segment(0xE1, b"Exif\0\0" + adobe_rgb().tobytes().removeprefix(b"Exif\0\0"))
    source = content[:2] + exif + content[2:].replace(b"JFIF", b"junk", 1)
    with Image.open(io.BytesIO(rewritten(source, is_redacted=True))) as image:
        assert image.getexif().get_ifd(0xA005).get(1) == "R03"
        assert image.info["dpi"] == (300, 300)
