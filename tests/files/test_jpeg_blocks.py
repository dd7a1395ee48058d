"""Blocks outside the mask keep their coefficients; those under it are encoded anew."""

import errno
import os
import re
import tempfile
from pathlib import Path

import cv2
import jpeglib
import numpy as np
import pytest
from fakes import load, noise, save, smooth
from files.samples import SAMPLINGS, coefficients, jpeg_file, rewrite
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonymizer.files import global_state, jpeg_segments
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.orientation import turn_back
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory")
def test_progressive_files_need_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryDirectory", fail)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", fail)
    picture = decode_picture(jpeg_file(smooth(40, 48), progressive=True))
    encoded = encode_picture(picture, picture.frames, [np.zeros((40, 48), bool)], "strip")
    assert encoded.fidelity == "lossless"


def test_without_any_place_for_files_progressive_ones_are_encoded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(global_state, "has_memory_files", lambda: False)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", fail)
    picture = decode_picture(jpeg_file(smooth(40, 48), progressive=True))
    encoded = encode_picture(picture, picture.frames, [np.zeros((40, 48), bool)], "strip")
    assert encoded.fidelity == "reencoded"


@pytest.mark.slow
@given(
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    orientation=st.integers(1, 8),
    progressive=st.booleans(),
    restart=st.sampled_from([0, 2]),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
@settings(max_examples=200, deadline=None)
def test_jpeg_coefficients_away_from_the_mask_are_identical(
    tmp_path_factory: pytest.TempPathFactory,
    sampling: str,
    height: int,
    width: int,
    orientation: int,
    progressive: bool,
    restart: int,
    box: tuple[float, float, float, float],
) -> None:
    pixels = smooth(height, width)[:, :, : 1 if sampling == "gray" else 3]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = jpeg_file(pixels, sampling, progressive=progressive, restart=restart)
    path = tmp_path_factory.mktemp("jpeg") / "a.jpg"
    path.write_bytes(content[:2] + jpeg_segments.write_segment(0xE1, exif.tobytes()) + content[2:])

    changed = np.zeros((height, width), bool)  # as stored
    (top, bottom), (left, right) = sorted(box[:2]), sorted(box[2:])
    changed[int(top * height) : int(bottom * height) + 1, int(left * width) : int(right * width) + 1] = True
    upright = np.ascontiguousarray(turn_back(changed, {6: 8, 8: 6}.get(orientation, orientation)))
    before, after = coefficients(path), coefficients(rewrite(path, upright))
    horizontal, vertical = divmod(SAMPLINGS.get(sampling, 0x110000) >> 16, 16)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert old.shape == new.shape
        block_height, block_width = (8, 8) if number == 0 else (8 * vertical, 8 * horizontal)  # in pixels
        for row, column in np.argwhere((old != new).any(axis=(2, 3))):
            rows = slice(row * block_height, (row + 1) * block_height)
            assert changed[rows, column * block_width : (column + 1) * block_width].any()


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_blocks_under_the_mask_are_replaced(tmp_path: Path, sampling: str, progressive: bool) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_file(smooth(100, 120), sampling, quality=95, progressive=progressive))
    changed = np.zeros((100, 120), bool)
    changed[20:80, 30:90] = True
    old, new = load(path).astype(int), load(rewrite(path, changed)).astype(int)
    assert np.abs(255 - old - new)[30:70, 40:80].max() <= 12
    far = np.ones((100, 120), bool)
    far[2:98, 0 if sampling == "4:1:1" else 10 : 110] = False  # the blocks, and where decoders smooth colours
    assert (old == new)[far].all()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("number", range(4))
def test_damaged_tables(tmp_path: Path, progressive: bool, number: int) -> None:
    """Data that cannot be checked are not kept."""
    content = jpeg_file(smooth(40, 40), progressive=progressive)
    tables = [match.start() for match in re.finditer(rb"\xff\xc4", content)]
    table = tables[number % len(tables)]
    path = tmp_path / "a.jpg"
    path.write_bytes(content[: table + 2] + b"\0\2" + content[table + 4 :])
    picture = read_picture(path, ReadSettings(allow_truncated=True))
    encoded = encode_picture(picture, picture.frames, [np.zeros((40, 40), bool)], "strip")
    path.write_bytes(encoded.content)
    assert read_picture(path, ReadSettings(allow_truncated=True)).pixels.shape == (40, 40, 3)


def test_arithmetic_coding(tmp_path: Path) -> None:
    """The coefficients stay; they are written in Huffman codes."""
    (tmp_path / "plain.jpg").write_bytes(jpeg_file(smooth(80, 80)))
    source = jpeglib.read_dct(str(tmp_path / "plain.jpg"))
    source.load()
    with jpeglib.version("9e"):
        source.write_dct(str(tmp_path / "a.jpg"), flags=["+ARITH_CODE"])
    assert b"\xff\xc9" in (tmp_path / "a.jpg").read_bytes()
    changed = np.zeros((80, 80), bool)
    changed[:8, :8] = True
    new = rewrite(tmp_path / "a.jpg", changed)
    assert b"\xff\xc0" in new.read_bytes()
    for before, after in zip(coefficients(tmp_path / "plain.jpg"), coefficients(new), strict=True):
        assert not (before != after).any(axis=(2, 3))[1:, 1:].any()
    assert (coefficients(tmp_path / "plain.jpg")[0] != coefficients(new)[0])[0, 0].any()


def test_noisy_progressive_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    cv2.imwrite(str(path), noise(400, 400), [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, *sampling])
    assert np.abs(load(rewrite(path)).astype(int) - load(path)).max() <= 8


def test_gray_jpeg_with_a_table_of_another_number(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", smooth(20, 20)[:, :, :1], quality=60)
    content = path.read_bytes()
    tables, frame = content.index(b"\xff\xdb"), content.index(b"\xff\xc0")
    renumbered = bytearray(content)
    renumbered[tables + 4] = 1
    renumbered[frame + 12] = 1
    path.write_bytes(renumbered)
    assert read_picture(rewrite(path)).encoding == read_picture(path).encoding


def test_tables_follow_their_components(tmp_path: Path) -> None:
    """A file whose luminance uses table 1 and whose colours use table 0."""
    path = save(tmp_path / "a.jpg", smooth(40, 40), quality=60)
    content = bytearray(path.read_bytes())
    frame = content.index(b"\xff\xc0")
    for component, table in enumerate((1, 0, 0)):
        content[frame + 12 + 3 * component] = table
    expected = read_picture(path).encoding.quantization
    assert expected is not None
    path.write_bytes(content)
    assert read_picture(path).encoding.quantization == expected[::-1]
    assert read_picture(rewrite(path)).encoding.quantization == expected[::-1]


def test_huffman_codes_made_for_the_picture_stay_so(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", noise(200, 200), quality=80, optimize=True)
    plain = save(tmp_path / "b.jpg", noise(200, 200), quality=80)
    changed = np.zeros((200, 200), bool)
    changed[:8, :8] = True
    assert rewrite(path, changed).stat().st_size < 1.005 * path.stat().st_size < plain.stat().st_size
