import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import load, noise, noise16, save, smooth
from files.samples import PROFILE, alpha_of, rewrite, rewrite_frames, save_frames
from files.tiff_samples import DEFLATE, RAW, Value, page, tiff_file
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.metadata import Policy
from anonymizer.files.orientation import turn_upright
from anonymizer.files.read import read_picture
from anonymizer.files.tiff_structure import TiffFile


def test_pages_of_different_kinds(tmp_path: Path) -> None:
    """Each page has a size, a depth and colours of its own."""
    pages = [Image.fromarray(noise(9, 11)), Image.fromarray(noise16(20, 30, 1).squeeze()), Image.new("1", (5, 5), 1)]
    path = save_frames(tmp_path / "a.tif", pages)
    new, redacted = rewrite_frames(path, np.s_[1:4, 1:4])
    after = read_picture(new)
    assert [frame.pixels.dtype for frame in after.frames] == [np.uint8, np.uint16, np.uint8]
    for expected, frame in zip(redacted, after.frames, strict=True):
        assert (frame.pixels == expected.pixels).all()


def test_previews_in_pages_of_their_own_are_left_out(tmp_path: Path) -> None:
    preview = Image.fromarray(noise(9, 9))
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    path = save_frames(tmp_path / "a.tif", [Image.fromarray(noise(20, 20)), preview])
    picture = read_picture(path)
    assert len(picture.frames) == 1
    assert picture.left_out == ("1 previews in pages of their own are left out",)
    with Image.open(rewrite_frames(path)[0]) as image:
        assert image.n_frames == 1


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits"])
def test_gray_tiff_of_16_bits(tmp_path: Path, compression: Any) -> None:
    pixels = noise16(20, 30, 1)
    path = save(tmp_path / "a.tif", pixels, compression=compression)
    assert (read_picture(path).pixels == pixels).all()
    assert (load(rewrite(path)) == pixels.squeeze()).all()


@pytest.mark.parametrize("tags", [{262: 0}, {258: 12}])
def test_gray_tiff_of_odd_kinds_is_refused(tmp_path: Path, tags: dict[int, Any]) -> None:
    path = save(tmp_path / "a.tif", noise16(20, 30, 1), compression=None)
    content = bytearray(path.read_bytes())
    for tag, value in tags.items():
        content[content.index(tag.to_bytes(2, "little") + b"\3\0\1\0\0\0") + 8] = value
    path.write_bytes(content)
    with pytest.raises(PictureError, match="gray TIFF file of a kind"):
        read_picture(path)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("orientation", [1, 6])
def test_tiff_in_colours_of_16_bits(tmp_path: Path, channels: int, orientation: int) -> None:
    pixels = noise16(20, 30, channels)
    order = [2, 1, 0, 3][:channels]
    path = tmp_path / "a.tif"
    path.write_bytes(cv2.imencode(".tif", pixels[:, :, order])[1].tobytes())
    if orientation != 1:
        path.write_bytes(with_tiff_orientation(path.read_bytes(), orientation))
    picture = read_picture(path)
    stored = turn_upright(pixels, orientation)
    assert picture.pixels.dtype == np.uint16
    assert (picture.pixels == stored[:, :, :3]).all()
    changed = np.zeros(picture.pixels.shape[:2], bool)
    changed[5:9, 5:9] = True
    after = read_picture(rewrite(path, changed))
    assert (after.pixels == picture.pixels)[~changed].all()
    assert (after.pixels == ~picture.pixels)[changed].all()
    assert channels == 3 or (alpha_of(after) == stored[:, :, 3]).all()


def with_tiff_orientation(content: bytes, orientation: int) -> bytes:
    """A little-endian TIFF file of one page with its tag of the kind of page turned into an orientation."""
    start = int.from_bytes(content[4:8], "little")
    entries = [
        content[at : at + 12]
        for at in range(start + 2, start + 2 + 12 * int.from_bytes(content[start : start + 2], "little"), 12)
    ]
    entry = (0x0112).to_bytes(2, "little") + b"\3\0\1\0\0\0" + orientation.to_bytes(2, "little") + b"\0\0"
    entries = sorted([*entries, entry], key=lambda e: int.from_bytes(e[:2], "little"))
    directory = len(entries).to_bytes(2, "little") + b"".join(entries) + b"\0" * 4
    return content[:4] + len(content).to_bytes(4, "little") + content[8:] + directory


@given(
    kind=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "gray 16", "RGB 16", "RGBA 16"]),
    compression=st.sampled_from([1, 5, 8]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_tiff_pixels_of_all_depths_away_from_the_mask_are_identical(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    compression: Any,
    height: int,
    width: int,
    box: tuple[float, float, float, float],
) -> None:
    path = tmp_path_factory.mktemp("tiff") / "a.tif"
    if kind.endswith("16"):
        pixels = noise16(height, width, {"gray 16": 1, "RGB 16": 3, "RGBA 16": 4}[kind])
        path.write_bytes(cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes())
    else:
        name = {1: None, 5: "tiff_lzw", 8: "tiff_adobe_deflate"}[compression]
        Image.fromarray(noise(height, width, 4)).convert(kind).save(path, compression=name)
    before = read_picture(path)
    changed = np.zeros((height, width), bool)
    (top, bottom), (left, right) = sorted(box[:2]), sorted(box[2:])
    changed[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = True
    after = read_picture(rewrite(path, changed))
    assert after.pixels.dtype == before.pixels.dtype
    assert (after.pixels == before.pixels)[~changed].all()
    assert (after.pixels == ~before.pixels)[changed].all()
    assert (after.alpha is None) == (before.alpha is None)
    assert after.alpha is None or (after.alpha == before.alpha).all()


@pytest.mark.parametrize("change", [False, True])
def test_bilevel_tiff(tmp_path: Path, change: bool) -> None:
    stored = noise(20, 30, 1).squeeze() > 127
    Image.fromarray(stored).save(tmp_path / "a.tif", compression="group4")
    changed = np.full((20, 30), change)
    new = rewrite(tmp_path / "a.tif", changed)
    assert (read_picture(new).pixels[:, :, 0] == 255 * (stored ^ change)).all()
    with Image.open(new) as image:
        assert image.mode == ("L" if change else "1")


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_metadata_of_tiff(tmp_path: Path, policy: Policy) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x010E], exif[0x0110] = "somebody", "a description", "a camera"
    exif.get_ifd(0x8769).update({0xA434: "a lens", 0xA431: "serial 1234"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 7.0)})
    exif[700], exif[33723], exif[34377] = (
        b"an XMP caption",
        b"\x1c\x02\x78\0\x0fan IPTC caption",
        b"8BIM with a thumbnail",
    )
    exif[37724], exif[65000] = b"layers of the picture" * 500, b"a raw thumbnail" * 500
    path = save(tmp_path / "a.tif", smooth(20, 30), exif=exif.tobytes(), icc_profile=PROFILE, dpi=(72, 300))
    assert b"serial 1234" in path.read_bytes()
    new = rewrite(path, policy=policy)
    content = new.read_bytes()
    for secret in (b"a camera", b"a lens"):
        assert (secret in content) == (policy != "strip"), secret
    for secret in (b"somebody", b"a description", b"serial 1234", b"an XMP caption", b"an IPTC caption"):
        assert (secret in content) == (policy == "keep"), secret
    for secret in (b"thumbnail", b"layers"):
        assert secret in path.read_bytes()
        assert secret not in content
    with Image.open(new) as image:
        assert bool(image.getexif().get_ifd(0x8825)) == (policy == "keep")
        assert image.info["icc_profile"] == PROFILE
        assert image.info["dpi"] == (72, 300)


NAMESPACES = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def xmp(orientation: int, is_element: bool) -> bytes:
    told = b"%d" % orientation
    inner = b"><tiff:Orientation>%s</tiff:Orientation></rdf:Description>" % told
    description = inner if is_element else b' tiff:Orientation="%s" dc:x="6"/>' % told
    return NAMESPACES + description + b"</rdf:RDF></x:xmpmeta>"


@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
@pytest.mark.parametrize("in_xmp", [1, 6])
@pytest.mark.parametrize("is_element", [False, True])
@pytest.mark.parametrize("policy", ["strip", "keep"])
def test_all_that_tells_an_orientation_agrees(
    tmp_path: Path, orientation: int | None, in_xmp: int, is_element: bool, policy: Policy
) -> None:
    """Pages are turned by their tag alone, as viewers do; in the output nothing turns them."""
    pixels = noise(20, 30)
    tags: dict[int, Value] = {700: xmp(in_xmp, is_element), **({274: orientation} if orientation else {})}
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_file(page(pixels, tags=tags)))
    upright = turn_upright(pixels, orientation or 1)
    assert (read_picture(path).pixels == upright).all()
    new = rewrite(path, policy=policy)
    assert (read_picture(new).pixels == upright).all()
    with Image.open(new) as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert image.size == upright.shape[1::-1]
    assert (xmp(1, is_element) in new.read_bytes()) == (policy == "keep")


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("unit", [1, 2, 3])
def test_density_is_kept(tmp_path: Path, policy: Policy, orientation: int, unit: int) -> None:
    path = tmp_path / "a.tif"
    exif = Image.Exif()
    exif[0x0112], exif[282], exif[283], exif[296] = orientation, 72.5, 300, unit
    Image.fromarray(noise(20, 30)).save(path, exif=exif)
    with Image.open(rewrite(path, policy=policy)) as image:
        tags = image.tag_v2
        expected = (72.5, 300, unit) if orientation == 1 else (300, 72.5, unit)
        assert (tags[282], tags[283], tags[296]) == expected


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_colours_are_shown_right(tmp_path: Path, policy: Policy) -> None:
    """Each page keeps its own profile and primaries, and no other page's."""
    first, second = Image.fromarray(noise(20, 30)), Image.fromarray(noise(20, 30))
    white, primaries = (0.3127, 0.329), (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    first.encoderinfo = {"icc_profile": PROFILE, "tiffinfo": {318: white, 319: primaries}}
    second.encoderinfo = {"dpi": (72, 72)}
    path = tmp_path / "a.tif"
    first.save(path, save_all=True, append_images=[second], icc_profile=PROFILE, tiffinfo={318: white, 319: primaries})
    with Image.open(path) as image:
        image.seek(1)
        has_profile = 34675 in image.tag_v2
    with Image.open(rewrite_frames(path, policy=policy)[0]) as image:
        tags = dict(image.tag_v2)
        assert tags[34675] == PROFILE
        assert np.allclose(np.array(tags[318], float), white)
        assert np.allclose(np.array(tags[319], float), primaries)
        image.seek(1)
        assert (34675 in image.tag_v2) == has_profile


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("with_exif", [False, True])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "near infrared"])
def test_other_programs_read_our_files(
    tmp_path: Path, policy: Policy, compression: str | None, with_exif: bool, mode: str
) -> None:
    path = tmp_path / "a.tif"
    if mode == "near infrared":
        tags: dict[int, Value] = {270: b"described\0"} if with_exif else {}
        kind = DEFLATE if compression else RAW
        path.write_bytes(tiff_file(page(noise(20, 30, 4), extra=(0,), tags=tags, compression=kind)))
    else:
        exif = Image.Exif()
        if with_exif:
            exif[0x010F], exif[0x0112] = "make", 6
            exif.get_ifd(0x8769).update({0xA434: "a lens", 0x9003: "2001:02:03 04:05:06", 0xA002: 30, 0xA003: 20})
            exif.get_ifd(0x8825).update({0: b"\2\3\0\0", 1: "N", 2: (48.0, 8.0, 7.0)})
        Image.fromarray(noise(20, 30, 4)).convert(mode).save(path, compression=compression, exif=exif)
    new = rewrite(path, policy=policy)
    with Image.open(new) as image:
        tags_of_page = image.tag_v2
        assert (317 in tags_of_page) == (compression is not None and mode != "1")
        for pointer in (0x8769, 0x8825):
            assert (pointer in tags_of_page) == bool(image.getexif().get_ifd(pointer))
        inner = image.getexif().get_ifd(0x8769)
        assert (inner.get(0xA002, image.width), inner.get(0xA003, image.height)) == image.size
    assert TiffFile(new.read_bytes()).unreferred() == 0
    told = run_tool("tiffinfo", "-D", str(new))
    assert "Warning" not in told
    assert "Error" not in told
    said = run_tool("exiftool", "-validate", "-warning", "-a", "-s", "-s", "-s", str(new)).splitlines()
    is_known = re.compile(r"\[minor\]|Invalid value for IFD0 tag 0x0(103|106|115) ").match  # what baseline TIFF lacks
    assert [line for line in said[1:] if not is_known(line)] == []


def run_tool(*command: str) -> str:
    """What a program says of a file; the test is skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
