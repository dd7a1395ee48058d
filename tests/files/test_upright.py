"""The 8 orientations in all carriers of all formats: what is found, what is written, and what other programs show."""

from __future__ import annotations

import io
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import face
from files.orientation_samples import CARRIERS, COUNTING, Carrier, sample, xmp_packet
from files.samples import saved
from files.tiff_samples import page, tiff_file
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, PngImagePlugin

from anonymizer.detect.frames import ModelFinder, find_in_frame, load_finder
from anonymizer.files import heic, png
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.iso_boxes import write_box
from anonymizer.files.jpeg_segments import write_segment
from anonymizer.files.metadata import ORIENTATION, Policy
from anonymizer.files.orientation import turn_back, turn_between, turn_box_back, turn_upright
from anonymizer.files.picture import Picture
from anonymizer.formats import Format
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels8

POLICIES: tuple[Policy, ...] = ("strip", "safe", "keep")
ORIENTATIONS = range(1, 9)
CASES = [(file_format, carrier) for file_format, carriers in CARRIERS.items() for carrier in carriers]
NOT_TURNED_BY_SOME = ("PNG", "WEBP")
"""Formats that ImageMagick 6 shows as they are stored, whatever their EXIF data say."""
GRAY = 128
ORIGINALS = Path(__file__).parents[2] / "images" / "originals"


@pytest.fixture(autouse=True)
def _codecs() -> None:
    heic.can_read_heic()


def skip_without_heic(file_format: str) -> None:
    if file_format == "HEIF" and "HEIF" not in Image.SAVE:
        pytest.skip("needs pillow-heif")


def scene() -> Pixels8:
    """A red bar above a green one, that reaches further to the right."""
    picture = np.full((64, 96, 3), 40, np.uint8)
    picture[8:16, 16:56] = 255, 0, 0
    picture[16:40, 16:40] = 0, 255, 0
    return picture


def coloured(picture: Pixels8) -> npt.NDArray[np.bool_]:
    return np.asarray(np.ptp(picture, axis=2) > 100)


def box_of(where: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """left, top, right, bottom"""
    places = np.argwhere(where)
    (top, left), (bottom, right) = places.min(0), places.max(0) + 1
    return int(left), int(top), int(right), int(bottom)


class UprightDetector:
    """Finds the bars of the scene only if they are upright."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels8) -> list[Detection]:
        red, green = (coloured(picture) & (picture[:, :, channel] > 128) for channel in (0, 1))
        _, top, right, _ = box_of(red)
        _, middle, inner, _ = box_of(green)
        is_upright = top < middle - 4 and right > inner + 4
        return [face(*box_of(red | green))] if is_upright else []


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes()


def packed(data: bytes) -> bytes:
    """The data of a chunk, with its text compressed."""
    keyword, _, text = data.partition(b"\0")
    return keyword + b"\0\0" + zlib.compress(text)


def found_in(picture: Picture) -> list[Detection]:
    return list(find_in_frame(picture.frames[0], [UprightDetector()], DetectSettings()).detections)


def are_alike(one: Pixels8, other: Pixels8) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(float) - other).mean()) < 6


def redacted(picture: Picture, policy: Policy) -> tuple[bytes, Pixels8]:
    """The file without what is found in the picture, and its upright pixels."""
    (frame,) = picture.frames
    hidden = np.zeros(frame.pixels.shape[:2], bool)
    for one in found_in(picture):
        left, top, right, bottom = map(int, one.box.xyxy)
        hidden[top:bottom, left:right] = True
    pixels = frame.pixels.copy()
    pixels[hidden] = GRAY
    return encode_picture(picture, [replace(frame, pixels=pixels)], [hidden], policy).content, pixels.astype(np.uint8)


def shown_by_pillow(content: bytes) -> Pixels8:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@pytest.mark.parametrize(("file_format", "carrier"), CASES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_one_carrier_states(file_format: Format, carrier: Carrier, orientation: int) -> None:
    """Whichever carrier is right, the object is found, at its place in the picture that viewers show."""
    skip_without_heic(file_format)
    stored = turn_back(scene(), orientation)
    picture = decode_picture(sample(file_format, stored, **{carrier: orientation}))
    upright = scene() if carrier == COUNTING[file_format] else stored
    assert are_alike(picture.pixels.astype(np.uint8), upright)
    (found,) = found_in(picture)
    assert np.abs(np.subtract(found.box.xyxy, box_of(coloured(upright)))).max() <= 2
    for policy in POLICIES:
        content, pixels = redacted(picture, policy)
        assert are_alike(shown_by_pillow(content), pixels)
        assert not coloured(shown_by_pillow(content))[4:-4, 4:-4].any()


@pytest.fixture(scope="module")
def finder() -> ModelFinder:
    return load_finder(DetectSettings(kinds="face"))


@pytest.mark.slow
@pytest.mark.parametrize(("file_format", "carrier"), CASES)
def test_the_bundled_model_finds_faces_in_each_way(file_format: Format, carrier: Carrier, finder: ModelFinder) -> None:
    skip_without_heic(file_format)
    with Image.open(ORIGINALS / "astronaut.png") as image:
        photo = np.asarray(image.convert("RGB"))[:260, 100:400]
    (expected,) = finder.find(decode_picture(sample("PNG", photo)))[0].detections
    for orientation in ORIENTATIONS:
        stored = turn_back(photo, orientation)
        picture = decode_picture(sample(file_format, stored, **{carrier: orientation}))
        (found,) = finder.find(picture)[0].detections
        place = found.box
        if carrier != COUNTING[file_format]:  # then the picture is shown as it is stored
            back = turn_between(orientation, 1)
            place = turn_box_back(found.box, back, (stored.shape[0], stored.shape[1]))
        assert place.iou(expected.box) > 0.7, orientation


@pytest.mark.parametrize("file_format", CARRIERS)
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), policy=st.sampled_from(POLICIES))
def test_carriers_that_contradict_each_other(file_format: Format, data: st.DataObject, policy: Policy) -> None:
    """One counts, the others are looked at, and in the output all agree."""
    skip_without_heic(file_format)
    orientations = st.one_of(st.none(), st.integers(1, 8))
    stated = {carrier: data.draw(orientations, label=carrier) for carrier in CARRIERS[file_format]}
    stored = turn_back(scene(), data.draw(st.sampled_from(ORIENTATIONS), label="the picture itself"))
    picture = decode_picture(sample(file_format, stored, **stated))
    counts = stated[COUNTING[file_format]] or 1
    assert are_alike(picture.pixels.astype(np.uint8), turn_upright(stored, counts))

    others = {one for one in stated.values() if one} - {counts} | ({1} if file_format in NOT_TURNED_BY_SOME else set())
    ways = [turn_upright(picture.pixels.astype(np.uint8), turn) for turn in picture.frames[0].other_turns]
    assert len(ways) == len(others - {counts})
    assert all(any(are_alike(way, turn_upright(stored, one)) for way in ways) for one in others - {counts})

    content, pixels = redacted(picture, policy)
    assert are_alike(shown_by_pillow(content), pixels)
    written = decode_picture(content)
    assert set(written.encoding.other_orientations) <= ({1} if file_format in NOT_TURNED_BY_SOME else set())
    assert set(written.frames[0].other_turns) == set() or file_format in NOT_TURNED_BY_SOME
    with Image.open(io.BytesIO(content)) as image:
        has_tag = ORIENTATION in Image.Image.getexif(image) and image.info.get("exif") is not None
    assert not has_tag or counts != 1 or stated["exif"]
    assert (b"a title" in content) == (policy == "keep" and stated["xmp"] is not None)


EXIF_6 = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"


def in_digits(name: bytes, content: bytes) -> bytes:
    return b"Raw profile type %s\0\n%s\n%8d\n" % (name, name, len(content)) + content.hex().encode() + b"\n"


def png_with(*chunks: tuple[bytes, bytes], bits: int = 8) -> bytes:
    pixels = scene() if bits == 8 else scene().astype(np.uint16) * 257
    header, *others = png.encode_still(pixels)
    return png.join_chunks([header, *chunks, *others])


def jpeg_with(*segments: bytes) -> bytes:
    content = sample("JPEG", scene())
    return content[:2] + b"".join(write_segment(0xE1, one) for one in segments) + content[2:]


def gif_with_xmp() -> bytes:
    block = b"\x21\xff\x0bXMP DataXMP" + xmp_packet(6) + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    content = saved("GIF", "P")
    return content[:-1] + block + content[-1:]


def jpeg2000_with(content: bytes) -> bytes:
    return saved("JPEG2000", irreversible=False) + write_box(b"uuid", content)


XMP_IN_JPEG, XMP_IN_JPEG2000 = b"http://ns.adobe.com/xap/1.0/\0", bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
RARE: dict[str, tuple[bytes, int, set[int]]] = {
    "PNG, EXIF in text": (png_with((b"tEXt", in_digits(b"exif", EXIF_6))), 6, {1}),
    "PNG, EXIF in packed text": (png_with((b"zTXt", packed(in_digits(b"APP1", EXIF_6)))), 6, {1}),
    "PNG, eXIf before text": (png_with((b"tEXt", in_digits(b"exif", EXIF_6)), (b"eXIf", exif_of(3))), 3, {1, 6}),
    "PNG, XMP in digits": (png_with((b"tEXt", in_digits(b"xmp", xmp_packet(6)))), 1, {6}),
    "PNG, XMP in tEXt": (png_with((b"tEXt", b"XML:com.adobe.xmp\0" + xmp_packet(6))), 1, {6}),
    "PNG, XMP in zTXt": (png_with((b"zTXt", packed(b"XML:com.adobe.xmp\0" + xmp_packet(6)))), 1, {6}),
    "PNG of 16 bits": (png_with((b"tEXt", b"XML:com.adobe.xmp\0" + xmp_packet(6)), bits=16), 1, {6}),
    "PNG, damaged digits": (png_with((b"tEXt", b"Raw profile type exif\0\nexif\n  9\nnothing")), 1, set()),
    "JPEG, EXIF twice": (jpeg_with(EXIF_6, exif_of(3)), 6, {3}),
    "JPEG, XMP twice": (jpeg_with(XMP_IN_JPEG + xmp_packet(3), XMP_IN_JPEG + xmp_packet(6)), 1, {3, 6}),
    "JPEG, damaged XMP": (jpeg_with(XMP_IN_JPEG + xmp_packet(6)[:-9]), 1, {6}),
    "JPEG, XMP in UTF-16": (jpeg_with(XMP_IN_JPEG + xmp_packet(6).decode().encode("utf-16")), 1, {6}),
    "GIF": (gif_with_xmp(), 1, {6}),
    "JPEG 2000, XMP": (jpeg2000_with(XMP_IN_JPEG2000 + xmp_packet(6)), 1, {6}),
    "JPEG 2000, EXIF": (jpeg2000_with(b"JpgTiffExif->JP2" + EXIF_6[6:]), 1, {6}),
}
"""A file, the orientation that counts, and the others that it states."""


@pytest.mark.parametrize("name", RARE)
@pytest.mark.parametrize("policy", POLICIES)
def test_rare_carriers(name: str, policy: Policy) -> None:
    content, counts, others = RARE[name]
    picture = decode_picture(content)
    assert (picture.encoding.orientation, set(picture.encoding.other_orientations)) == (counts, others)
    assert len(picture.frames[0].other_turns) == len(others)
    (frame,) = picture.frames
    changed = np.zeros(frame.pixels.shape[:2], bool)
    written = decode_picture(encode_picture(picture, [frame], [changed], policy).content)
    assert written.encoding.orientation == counts
    assert set(written.encoding.other_orientations) <= ({1} if name.startswith("PNG") else set())


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_all_frames_of_an_animation_are_in_doubt(file_format: Format) -> None:
    options: dict[str, Any] = {"xmp": xmp_packet(6)}
    if file_format == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_itxt("XML:com.adobe.xmp", xmp_packet(6).decode())
        options = {"pnginfo": told}
    picture = decode_picture(saved(file_format, frames=3, **options))
    assert [frame.other_turns for frame in picture.frames] == [(6,)] * 3


def test_each_page_has_its_own_orientation() -> None:
    pages = [page(scene(), tags={274: tag, 700: xmp_packet(stated)}) for tag, stated in ((6, 6), (1, 3), (3, 6))]
    picture = decode_picture(tiff_file(*pages))
    assert [frame.other_turns for frame in picture.frames] == [(), (3,), (8,)]


def imagemagick() -> list[str]:
    """How to call it: `convert` may be another program."""
    for name in ("magick", "convert"):
        tool = shutil.which(name)
        if tool and "ImageMagick" in _run([tool, "-version"]):
            return [tool]
    pytest.skip("needs ImageMagick")


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout


def shown_by_imagemagick(tool: Sequence[str], contents: Sequence[bytes], folder: Path) -> list[Pixels8]:
    paths = [folder / f"{number:03}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    _run([*tool, *map(str, paths), "-auto-orient", "-depth", "8", f"PNG24:{folder / 'shown-%03d.png'}"])
    shown = []
    for number in range(len(contents)):
        with Image.open(folder / f"shown-{number:03}.png") as image:
            shown.append(np.asarray(image.convert("RGB")))
    return shown


@pytest.mark.parametrize(("file_format", "carrier"), CASES)
def test_imagemagick_shows_the_same(file_format: Format, carrier: Carrier, tmp_path: Path) -> None:
    """It turns outputs as it turns sources, and as this program does."""
    skip_without_heic(file_format)
    tool = imagemagick()
    if file_format in ("AVIF", "HEIF") and f"{file_format[:3]}" not in _run([*tool, "-list", "format"]):
        pytest.skip(f"needs ImageMagick with {file_format}")
    sources = [sample(file_format, turn_back(scene(), one), **{carrier: one}) for one in ORIENTATIONS]
    pictures = [decode_picture(source) for source in sources]
    outputs = [redacted(picture, policy) for policy in POLICIES for picture in pictures]
    shown = shown_by_imagemagick(tool, [*sources, *(content for content, _ in outputs)], tmp_path)
    of_sources, of_outputs = shown[: len(sources)], shown[len(sources) :]
    for number, (seen, (_, pixels)) in enumerate(zip(of_outputs, outputs, strict=True)):
        picture, seen_before = pictures[number % len(pictures)], of_sources[number % len(pictures)]
        back = picture.encoding.orientation
        is_turned = are_alike(seen_before, picture.pixels.astype(np.uint8))
        assert is_turned or (file_format in NOT_TURNED_BY_SOME and back != 1)
        assert are_alike(seen, pixels if is_turned else turn_back(pixels, back))
