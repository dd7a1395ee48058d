"""Colours that no pixel shows become black, and what looks like data in them is found."""

import io
from pathlib import Path

import numpy as np
import pytest
from fakes import smooth
from files.samples import jpeg_file, rewrite
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.files import png
from anonymizer.files.codecs import codec_of
from anonymizer.files.encode import encode_picture
from anonymizer.files.palettes import (
    COLOURS,
    PALETTE_ISSUE,
    as_colours,
    may_hold_data,
    used_by,
    without_unused,
)
from anonymizer.files.read import read_picture
from anonymizer.formats import Format

FACE = jpeg_file(smooth(40, 40), quality=30)[: 3 * 254]
"""The beginning of a picture."""


def palette_file(file_format: Format, data: bytes) -> bytes:
    """A file that shows the first and the last colour of its palette, with `data` in the others."""
    image = Image.new("P", (8, 8))
    image.putpalette(b"\1\2\3" + data[: 3 * 254].ljust(3 * 254, b"\0") + b"\4\5\6")
    image.putpixel((0, 0), 255)
    buffer = io.BytesIO()
    image.save(buffer, file_format, optimize=False)
    return buffer.getvalue()


def issues(content: bytes, file_format: Format) -> list[str]:
    return codec_of(file_format).embedded_data(content).hidden_content


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP"])
def test_nothing_is_left_in_unused_colours(tmp_path: Path, file_format: Format) -> None:
    content = palette_file(file_format, FACE)
    assert FACE[9:60] in content or file_format == "BMP"  # there with a fourth byte for each colour
    assert issues(content, file_format) == [PALETTE_ISSUE]
    path = tmp_path / f"a.{file_format.lower()}"
    path.write_bytes(content)
    new = rewrite(path)
    assert FACE[9:60] not in new.read_bytes()
    assert issues(new.read_bytes(), file_format) == []
    assert (read_picture(new).pixels == read_picture(path).pixels).all()
    assert read_picture(new).pixels[0, 0].tolist() == [4, 5, 6]


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP"])
@pytest.mark.parametrize("data", [b"", bytes(one for level in range(254) for one in (level, level, level))])
def test_ordinary_unused_colours_are_no_issue(file_format: Format, data: bytes) -> None:
    assert issues(palette_file(file_format, data), file_format) == []


def test_palettes_of_pictures_without_are_not_kept(tmp_path: Path) -> None:
    """A palette in an RGB file is a mere suggestion, which no viewer needs."""
    path = tmp_path / "a.png"
    Image.fromarray(smooth(20, 30)).save(path)
    header, *others = png.read_chunks(path.read_bytes())
    path.write_bytes(png.join_chunks([header, (b"PLTE", FACE), *others]))
    assert issues(path.read_bytes(), "PNG") == [PALETTE_ISSUE]
    new = rewrite(path)
    assert b"PLTE" not in new.read_bytes()
    assert (read_picture(new).pixels == smooth(20, 30)).all()


@pytest.mark.parametrize("data", [bytes(range(24, 96)), bytes(3 * 200), FACE[::-1]])
@pytest.mark.parametrize("mode", ["RGB", "L", "LA"])
def test_palettes_that_no_pixel_needs_are_told(tmp_path: Path, mode: str, data: bytes) -> None:
    """However regular their colours are: none is kept."""
    path = tmp_path / "a.png"
    Image.fromarray(smooth(20, 30)).convert(mode).save(path)
    header, *others = png.read_chunks(path.read_bytes())
    assert issues(png.join_chunks([header, *others]), "PNG") == []
    assert issues(png.join_chunks([header, (b"PLTE", data), *others]), "PNG") == [PALETTE_ISSUE]


@pytest.mark.parametrize(("kind", "size"), [(b"PLTE", 2 * 3 * COLOURS), (b"tRNS", 2 * COLOURS)])
def test_more_than_all_colours_is_told(kind: bytes, size: int) -> None:
    header, *others = png.read_chunks(palette_file("PNG", b""))
    chunk = (kind, bytes(size // 2) + FACE[: size // 2])
    content = png.join_chunks([header, *[one for one in others[:-2] if one[0] != kind], chunk, *others[-2:]])
    assert PALETTE_ISSUE in png.read_metadata(content).hidden_content


def test_a_picture_that_has_a_palette_itself_looks_like_data(tmp_path: Path) -> None:
    """Of a GIF file, turned around and cut, one half is regular."""
    path = tmp_path / "a.gif"
    Image.fromarray(smooth(16, 20)).quantize(256).save(path, optimize=False)
    pixels = np.random.default_rng(0).bytes(300)
    turned = (path.read_bytes()[:800] + pixels)[::-1]
    nothing = np.zeros(COLOURS, bool)
    assert may_hold_data(as_colours(turned[: 3 * 254]), nothing)
    assert not may_hold_data(as_colours(turned[300 : 300 + 3 * 150]), nothing)


def test_transparency_of_unused_colours_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    header, *others = png.read_chunks(palette_file("PNG", b""))
    alphas = b"\x80" + FACE[:254] + b"\x40"
    others.insert(1, (b"tRNS", alphas))
    path.write_bytes(png.join_chunks([header, *others]))
    assert issues(path.read_bytes(), "PNG") == [PALETTE_ISSUE]
    new = rewrite(path)
    assert dict(png.read_chunks(new.read_bytes()))[b"tRNS"] == b"\x80" + b"\xff" * 254 + b"\x40"
    assert (np.asarray(Image.open(new).convert("RGBA")) == np.asarray(Image.open(path).convert("RGBA"))).all()


def test_a_second_palette_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    header, *others = png.read_chunks(palette_file("PNG", b""))
    path.write_bytes(png.join_chunks([header, (b"PLTE", FACE), *others]))
    assert FACE[9:60] not in rewrite(path).read_bytes()


@pytest.mark.parametrize("extension", ["gif", "png"])
def test_colours_of_all_frames_are_kept(tmp_path: Path, extension: str) -> None:
    first = Image.fromarray(smooth(20, 30)).quantize(64)
    frames = [Image.fromarray(np.roll(smooth(20, 30), 3 * at, 1)).quantize(palette=first) for at in range(4)]
    path = tmp_path / f"a.{extension}"
    frames[0].save(path, save_all=True, append_images=frames[1:], optimize=False)
    picture = read_picture(path)
    unchanged = [np.zeros(frame.pixels.shape[:2], bool) for frame in picture.frames]
    (tmp_path / "b").write_bytes(encode_picture(picture, picture.frames, unchanged, "strip").content)
    for before, after in zip(picture.frames, read_picture(tmp_path / "b").frames, strict=True):
        assert (before.pixels == after.pixels).all()


@given(st.binary(min_size=3, max_size=3 * COLOURS), st.sets(st.integers(0, COLOURS - 1)))
def test_used_colours_stay(data: bytes, numbers: set[int]) -> None:
    colours, used = as_colours(data), used_by(np.array(sorted(numbers), np.uint8))
    assert set(np.flatnonzero(used)) == numbers
    new = without_unused(colours, used)
    assert new.shape == colours.shape
    for number in range(len(colours)):
        assert (new[number] == (colours[number] if number in numbers else 0)).all()
    assert not may_hold_data(new, used)


@given(st.integers(0, 1000), st.integers(120, 768))
def test_chance_and_text_look_like_data(seed: int, size: int) -> None:
    chance = np.random.default_rng(seed).bytes(size)
    nothing = np.zeros(COLOURS, bool)
    assert may_hold_data(as_colours(chance), nothing)
    assert may_hold_data(as_colours(chance.hex().encode()), nothing)
    assert may_hold_data(as_colours(chance, 1), nothing) or size < COLOURS
