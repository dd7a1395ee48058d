"""PNG files of all depths, still and animated: what is read, what is kept and what is left out."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import load, noise, noise16, save, smooth
from files.samples import PROFILE, alpha_of, moving, png_file, rewrite, rewrite_frames, save_frames
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from anonymizer.errors import PictureError
from anonymizer.files import png
from anonymizer.files.encode import encode_picture
from anonymizer.files.orientation import turn_back
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings


def test_rgb_png(tmp_path: Path) -> None:
    pixels = noise(9, 11)
    picture = read_picture(save(tmp_path / "a.png", pixels))
    assert (picture.pixels == pixels).all()
    assert picture.alpha is None
    assert picture.encoding.format == "PNG"


def test_gray_png(tmp_path: Path) -> None:
    pixels = noise(9, 11, 1)
    picture = read_picture(save(tmp_path / "a.png", pixels))
    assert picture.pixels.shape == (9, 11, 1)
    assert (picture.pixels == pixels).all()


@pytest.mark.parametrize(("channels", "colours"), [(2, 1), (4, 3)])
def test_alpha_is_kept_apart(tmp_path: Path, channels: int, colours: int) -> None:
    pixels = noise(9, 11, channels)
    picture = read_picture(save(tmp_path / "a.png", pixels))
    assert (picture.pixels == pixels[:, :, :colours]).all()
    assert (alpha_of(picture) == pixels[:, :, -1]).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_per_channel(tmp_path: Path, channels: int) -> None:
    pixels = noise16(9, 11, channels)
    stored = (
        pixels if channels == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_RGBA2BGRA)
    )
    cv2.imwrite(str(tmp_path / "a.png"), stored)
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.dtype == np.uint16
    assert (picture.pixels == pixels[:, :, :3]).all()
    assert (picture.alpha is None) if channels < 4 else (alpha_of(picture) == pixels[:, :, 3]).all()


def test_palette_with_and_without_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(smooth(9, 11)).quantize(16)
    image.save(tmp_path / "opaque.png")
    image.save(tmp_path / "transparent.png", transparency=3)
    expected = np.asarray(image.convert("RGB"))
    opaque, transparent = (read_picture(tmp_path / f"{name}.png") for name in ("opaque", "transparent"))
    assert (opaque.pixels == expected).all()
    assert opaque.alpha is None
    assert (transparent.pixels == expected).all()
    assert (alpha_of(transparent) == np.where(np.asarray(image) == 3, 0, 255)).all()


def test_one_bit_png(tmp_path: Path) -> None:
    Image.fromarray(noise(9, 11, 1).squeeze() > 127).save(tmp_path / "a.png")
    assert set(np.unique(read_picture(tmp_path / "a.png").pixels)) == {0, 255}


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_png_without_a_change_keeps_its_picture_data_byte_for_byte(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(noise(20, 30, 4)).convert(mode)
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "a.png", pnginfo=_text(), exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes() + b"hidden behind the end")
    assert rewrite(tmp_path / "a.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("change", [False, True])
def test_16_bit_png_pixels_are_written_exactly(tmp_path: Path, channels: int, orientation: int, change: bool) -> None:
    pixels = noise16(13, 17, channels)
    path = tmp_path / "a.png"
    path.write_bytes(png_file(pixels, orientation))
    where = np.zeros((13, 17) if orientation == 1 else (17, 13), bool)
    where[2:5, 3:6] = change
    before, after = read_picture(path), read_picture(rewrite(path, where))
    assert after.pixels.dtype == np.uint16
    assert after.encoding == before.encoding
    assert (before.pixels == after.pixels)[~where].all()
    assert not change or (before.pixels[where] == 65535 - after.pixels[where]).all()
    colours = pixels[:, :, :1] if channels < 3 else pixels[:, :, :3]
    assert (turn_back(before.pixels, orientation) == colours).all()
    if channels in (2, 4):
        assert (alpha_of(after) == alpha_of(before)).all()
        assert (turn_back(alpha_of(before), orientation) == pixels[:, :, -1]).all()


def test_png_data_behind_the_compressed_picture_are_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", smooth(20, 30))
    chunks = [
        (kind, data + b"another picture" if kind == b"IDAT" else data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    path.write_bytes(png.join_chunks(chunks))
    assert b"another picture" in path.read_bytes()
    assert b"another picture" not in rewrite(path).read_bytes()
    assert (load(rewrite(path)) == load(path)).all()


def test_png_with_a_damaged_stream_is_compressed_anew(tmp_path: Path) -> None:
    """Its checksum is wrong, which is passed over when truncated files are allowed."""
    path = save(tmp_path / "a.png", smooth(20, 30))
    chunks = [
        (kind, data[:-4] + b"\0\0\0\0" if kind == b"IDAT" else data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    path.write_bytes(png.join_chunks(chunks))
    picture = read_picture(path, ReadSettings(allow_truncated=True))
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.zeros((20, 30), bool)], "strip")
    assert (np.asarray(Image.open(io.BytesIO(encoded.content))) == picture.pixels).all()


def test_png_rows_that_the_header_does_not_announce_are_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", noise(20, 30))
    (_, header), *others = png.read_chunks(path.read_bytes())
    path.write_bytes(png.join_chunks([(b"IHDR", header[:4] + (10).to_bytes(4, "big") + header[8:]), *others]))
    data = b"".join(data for kind, data in png.read_chunks(rewrite(path).read_bytes()) if kind == b"IDAT")
    assert len(zlib.decompress(data)) == 10 * (1 + 3 * 30)


def test_png_keeps_colours_and_density(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", smooth(20, 30), dpi=(72, 300), icc_profile=PROFILE)
    chunks = list(png.read_chunks(path.read_bytes()))
    path.write_bytes(png.join_chunks([chunks[0], (b"gAMA", (45455).to_bytes(4, "big")), *chunks[1:]]))
    for new in (rewrite(path), rewrite(path, np.eye(20, 30, dtype=bool))):
        kinds = dict(png.read_chunks(new.read_bytes()))
        assert {b"gAMA", b"iCCP", b"pHYs"} < set(kinds)
        assert zlib.decompress(kinds[b"iCCP"].split(b"\0\0", 1)[1]) == PROFILE


def _text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody")
    return info


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_pixels_and_alpha_are_written_exactly(tmp_path: Path, channels: int) -> None:
    pixels = noise(9, 11, channels)
    assert (load(rewrite(save(tmp_path / "a.png", pixels))) == pixels.squeeze()).all()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("palette", [False, True])
@given(box=st.tuples(*[st.floats(0, 1)] * 4), orientation=st.integers(1, 8), height=st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_png_pixels_of_all_depths_away_from_the_mask_are_identical(
    tmp_path_factory: pytest.TempPathFactory,
    bits: int,
    palette: bool,
    box: tuple[float, float, float, float],
    orientation: int,
    height: int,
) -> None:
    """Written by hand: Pillow knows not all depths."""
    width = 13
    indices = np.random.default_rng(height).integers(0, 2**bits, (height, width), dtype=np.uint8)
    rows = np.unpackbits(indices[:, :, np.newaxis], axis=2)[:, :, 8 - bits :].reshape(height, -1)
    packed = np.insert(np.packbits(rows, axis=1), 0, 0, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, bits, 3 if palette else 0, 0, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    chunks = [(b"IHDR", header), (b"eXIf", exif.tobytes()[6:])]
    chunks += [(b"PLTE", noise(2**bits, 1).tobytes())] if palette else []
    path = tmp_path_factory.mktemp("png") / "a.png"
    path.write_bytes(png.join_chunks([*chunks, (b"IDAT", zlib.compress(packed)), (b"IEND", b"")]))
    before = read_picture(path)
    shape = before.pixels.shape[:2]
    changed = np.zeros(shape, bool)
    (top, bottom), (left, right) = sorted(box[:2]), sorted(box[2:])
    changed[int(top * shape[0]) : int(bottom * shape[0]), int(left * shape[1]) : int(right * shape[1])] = True
    after = read_picture(rewrite(path, changed))
    assert (after.pixels == before.pixels)[~changed].all()
    assert (after.pixels == ~before.pixels)[changed].all()


def test_hidden_frames_of_an_animated_png_are_left_out(tmp_path: Path) -> None:
    """The header announces fewer frames than there are."""
    path = save_frames(tmp_path / "a.png", moving()[:3])
    chunks = [
        (kind, (2).to_bytes(4, "big") + data[4:]) if kind == b"acTL" else (kind, data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    path.write_bytes(png.join_chunks(chunks))
    new = rewrite_frames(path)[0].read_bytes()
    assert sum(kind == b"fcTL" for kind, _ in png.read_chunks(new)) == 2


def test_the_first_picture_of_a_png_may_be_no_frame(tmp_path: Path) -> None:
    frames = moving()[:3]
    path = save_frames(tmp_path / "a.png", frames, default_image=True, duration=[100, 200])
    new, redacted = rewrite_frames(path, np.s_[3:12, 8:20])
    kinds = [kind for kind, _ in png.read_chunks(new.read_bytes())]
    assert kinds.index(b"IDAT") < kinds.index(b"fcTL")
    assert len(read_picture(new).frames) == 3
    for expected, frame in zip(redacted, read_picture(new).frames, strict=True):
        assert (frame.pixels == expected.pixels).all()


def test_animated_png_of_16_bits_is_refused(tmp_path: Path) -> None:
    header, *others = png.encode_still(noise16(9, 9))
    control = png.FRAME_CONTROL.pack(0, 9, 9, 0, 0, 1, 1, 0, 0)
    second = png.FRAME_CONTROL.pack(1, 9, 9, 0, 0, 1, 1, 0, 0)
    data = b"".join(data for kind, data in others if kind == b"IDAT")
    chunks = [header, (b"acTL", (2).to_bytes(4, "big") + bytes(4)), (b"fcTL", control), (b"IDAT", data)]
    chunks += [(b"fcTL", second), (b"fdAT", (2).to_bytes(4, "big") + data), (b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(png.join_chunks(chunks))
    with pytest.raises(PictureError, match="animated PNG file of 16 bits"):
        read_picture(tmp_path / "a.png")


def test_png_file_has_an_orientation() -> None:
    with Image.open(io.BytesIO(png_file(noise(3, 3), 6))) as image:
        assert image.getexif()[0x0112] == 6


@pytest.mark.parametrize(
    ("kind", "size", "sound"),
    [
        (b"cHRM", 32, struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"mDCV", 24, struct.pack(">8H2I", 35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 10_000_000, 1)),
    ],
)
def test_chunks_for_colours_hold_colours(tmp_path: Path, kind: bytes, size: int, sound: bytes) -> None:
    plain = save(tmp_path / "a.png", smooth(9, 11)).read_bytes()
    header, *others = png.read_chunks(plain)
    for data, is_kept in ((sound, True), (b"D4AAAAIFAEAQCAIBAEAAAAAAGFHZTRWQ"[:size], False)):
        content = png.join_chunks([header, (kind, data), *others])
        (tmp_path / "a.png").write_bytes(content)
        assert (data in rewrite(tmp_path / "a.png").read_bytes()) == is_kept
        assert bool(png.embedded_data(content).texts) != is_kept
