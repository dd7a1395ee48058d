"""BMP files keep pixels, density, alpha, the fourth byte, and their colour space, or are refused."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import noise, save
from files.samples import PROFILE, alpha_of, rewrite, rewrite_frames
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.decode import decode_picture
from anonymizer.files.inspect import inspect_file
from anonymizer.files.read import read_picture

BGRA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
MASKS = [BGRA, (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF000000, 0xFF0000, 0xFF00, 0xFF)]


def bmp_file(
    pixels: npt.NDArray[np.unsignedinteger[Any]],
    header: int = 108,
    masks: tuple[int, int, int, int] | None = BGRA,
    compression: int = 3,
    is_top_first: bool = False,
    profile: bytes = b"",
    space: bytes = b"BGRs",
) -> bytes:
    """A file of unsigned values of 16 or 32 bits (H, W), or of bytes (H, W, 3 or 4) in the order of the file."""
    height, width = pixels.shape[:2]
    bits = 8 * pixels.itemsize * (pixels.shape[2] if pixels.ndim == 3 else 1)
    rows = np.ascontiguousarray(pixels if is_top_first else pixels[::-1]).reshape(height, -1).view(np.uint8)
    rows = np.pad(rows, [(0, 0), (0, -rows.shape[1] % 4)])

    def number(value: int, size: int = 4) -> bytes:
        return (value % (1 << 8 * size)).to_bytes(size, "little")

    told = number(header) + number(width) + number(-height if is_top_first else height) + number(1, 2) + number(bits, 2)
    told += number(compression) + number(rows.nbytes) + number(2835) + number(3000) + bytes(8)
    told += b"".join(map(number, masks or (0, 0, 0, 0))) + space.ljust(4, b"\0") + bytes(36) + number(1 << 16) * 3
    told += number(4) + number(header + rows.nbytes) + number(len(profile)) + bytes(4)
    told = told[:header]
    return (
        b"BM"
        + number(14 + header + rows.nbytes + len(profile))
        + bytes(4)
        + number(14 + header)
        + told
        + (rows.tobytes() + profile)
    )


@given(
    header=st.sampled_from([56, 108, 124]),
    masks=st.sampled_from(MASKS),
    is_top_first=st.booleans(),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    change=st.booleans(),
)
def test_alpha_is_kept(
    tmp_path_factory: pytest.TempPathFactory,
    header: int,
    masks: tuple[int, int, int, int],
    is_top_first: bool,
    size: tuple[int, int],
    change: bool,
) -> None:
    pixels = noise(*size, 4)
    shifts = [(mask & -mask).bit_length() - 1 for mask in masks]
    values = np.zeros(size, np.uint32)
    for channel, shift in enumerate(shifts):
        values |= pixels[:, :, channel].astype(np.uint32) << shift
    path = tmp_path_factory.mktemp("bmp") / "a.bmp"
    path.write_bytes(bmp_file(values, header, masks, is_top_first=is_top_first))
    picture = read_picture(path)
    assert (picture.pixels == pixels[:, :, :3]).all()
    assert (alpha_of(picture) == pixels[:, :, 3]).all()
    new = rewrite(path, np.full(size, change))
    after = read_picture(new)
    assert (after.pixels == (~pixels if change else pixels)[:, :, :3]).all()
    assert (alpha_of(after) == pixels[:, :, 3]).all()
    content = new.read_bytes()
    assert (content[14], content[30], content[38:46]) == (108, 3, path.read_bytes()[38:46])
    assert inspect_file(content, "BMP") == []


@pytest.mark.parametrize("colours", [(0x7C00, 0x3E0, 0x1F)])
@pytest.mark.parametrize("width", [7, 8])
def test_alpha_of_16_bits_is_kept(tmp_path: Path, colours: tuple[int, int, int], width: int) -> None:
    values = noise(9, 2 * width, 1)[:, :, 0].copy().view(np.uint16)
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp_file(values, masks=(*colours, 0x8000)))
    picture = read_picture(path)
    assert (alpha_of(picture) == np.where(values & 0x8000, 255, 0)).all()
    after = read_picture(rewrite(path))
    assert (alpha_of(after) == alpha_of(picture)).all()
    assert (after.pixels == picture.pixels).all()


@pytest.mark.parametrize("header", [40, 108])
@pytest.mark.parametrize("is_top_first", [False, True])
def test_a_fourth_byte_that_varies_is_a_band(tmp_path: Path, header: int, is_top_first: bool) -> None:
    pixels = noise(9, 7, 4)
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp_file(pixels, header, None, 0, is_top_first))
    (frame,) = read_picture(path).frames
    assert frame.further == 1
    assert (frame.pixels == pixels[:, :, [2, 1, 0, 3]]).all()
    new, (redacted,) = rewrite_frames(path, np.s_[2:4, 2:4])
    (after,) = read_picture(new).frames
    assert after.further == 1
    assert (after.pixels == redacted.pixels).all()
    pixels[:, :, 3] = 255
    path.write_bytes(bmp_file(pixels, header, None, 0, is_top_first))
    assert read_picture(path).frames[0].further == 0


@pytest.mark.parametrize(
    ("dtype", "masks", "compression"),
    [
        (np.uint16, (0xF00, 0xF0, 0xF, 0xF000), 3),
        (np.uint32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000), 3),
        (np.uint32, BGRA, 6),
    ],
)
def test_alpha_of_other_kinds_is_refused(dtype: type, masks: tuple[int, int, int, int], compression: int) -> None:
    with pytest.raises(PictureError, match="alpha channel of a kind that is not handled"):
        decode_picture(bmp_file(np.zeros((9, 8), dtype), masks=masks, compression=compression))


@pytest.mark.parametrize("has_alpha", [False, True])
def test_colours_are_shown_right(tmp_path: Path, has_alpha: bool) -> None:
    pixels, masks, compression = (noise(9, 8, 4), BGRA, 3) if has_alpha else (noise(9, 8, 3), None, 0)
    path = tmp_path / "a.bmp"
    path.write_bytes(bmp_file(pixels, 124, masks, compression, profile=PROFILE + b"behind", space=b"DEBM"))
    assert [issue.kind for issue in inspect_file(path.read_bytes(), "BMP")] == ["trailing"]
    content = rewrite(path).read_bytes()
    assert content[14] == 124
    assert content[70:74] == b"DEBM"
    assert content.endswith(PROFILE)
    assert (decode_picture(content).pixels == pixels[:, :, 2::-1]).all()
    assert inspect_file(content, "BMP") == []
    path.write_bytes(bmp_file(pixels, 108, masks, compression, space=bytes(4)))
    assert rewrite(path).read_bytes()[70:122] == path.read_bytes()[70:122]
    path.write_bytes(bmp_file(pixels, 124, masks, compression, profile=b"C:\\Users\\somebody", space=b"KNIL"))
    assert b"somebody" not in rewrite(path).read_bytes()


@pytest.mark.parametrize("dpi", [(96, 96), (300, 150)])
def test_the_density_stays(tmp_path: Path, dpi: tuple[int, int]) -> None:
    path = save(tmp_path / "a.bmp", noise(20, 30), dpi=dpi)
    with Image.open(rewrite(path)) as image:
        assert image.info["dpi"] == pytest.approx(dpi, abs=0.1)


def test_only_what_was_changed_differs(tmp_path: Path) -> None:
    path = save(tmp_path / "a.bmp", noise(20, 31))
    changed = np.zeros((20, 31), bool)
    changed[5:9, 5:9] = True
    before, after = read_picture(path), read_picture(rewrite(path, changed))
    assert ((before.pixels != after.pixels).any(axis=2) == changed).all()


def test_bytes_that_do_not_belong_to_the_picture(tmp_path: Path) -> None:
    content = save(tmp_path / "a.bmp", noise(9, 8)).read_bytes()
    unknown_size = content[:34] + bytes(4) + content[38:]
    for plain in (content, unknown_size):
        assert inspect_file(plain, "BMP") == []
        assert inspect_file(plain + bytes(2), "BMP") == []
        (issue,) = inspect_file(plain + b"behind", "BMP")
        assert issue.text == "6 bytes behind the end of the picture"
        assert decode_picture(plain + b"behind").left_out == ("6 bytes that do not belong to the picture are left out",)
    moved = content[:10] + (54 + 6).to_bytes(4, "little") + content[14:54] + b"hidden" + content[54:]
    (issue,) = inspect_file(moved, "BMP")
    assert issue.text == "6 bytes that nothing in the file refers to"


@pytest.mark.parametrize("header", [108, 124])
def test_imagemagick_reads_our_files(tmp_path: Path, header: int) -> None:
    if shutil.which("convert") is None:
        pytest.skip("ImageMagick is not installed")
    path, shown = tmp_path / "a.bmp", tmp_path / "a.png"
    path.write_bytes(bmp_file(noise(9, 8, 4), header, profile=PROFILE, space=b"DEBM"))
    new = rewrite(path)
    said = subprocess.run(["convert", new, shown], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
    assert said.stdout == "" or "profile" in said.stdout
    with Image.open(shown) as image:
        assert (np.asarray(image.convert("RGBA")) == noise(9, 8, 4)[:, :, [2, 1, 0, 3]]).all()
