"""HEIC files need a package that may not be there."""

from pathlib import Path

import numpy as np
import pytest
from fakes import noise, save, smooth
from files.samples import rewrite, saved
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import heic
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.heif_items import read_items
from anonymizer.files.inspect import inspect_file
from anonymizer.files.read import read_picture


def test_heic_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic, "can_read_heic", lambda: False)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    with pytest.raises(PictureError, match="pip install pillow-heif"):
        read_picture(tmp_path / "a.heic")


def test_other_files_do_not_ask_for_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise AssertionError

    monkeypatch.setattr(heic, "can_read_heic", fail)
    assert heic.can_open(b"\x89PNG\r\n\x1a\n") == ("HEIF" in Image.OPEN)


def test_pixels_stay_about_the_same(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    assert heic.can_read_heic()
    path = save(tmp_path / "a.heic", smooth(64, 48))
    before = read_picture(path)
    after = read_picture(rewrite(path))
    assert before.encoding.format == after.encoding.format == "HEIF"
    assert after.pixels.shape == before.pixels.shape == (64, 48, 3)
    assert abs(after.pixels.astype(int) - before.pixels).mean() < 3


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("mode", ["L;16", "LA;16", "RGB;16", "RGBA;16"])
def test_deep_pictures_become_8_bits(tmp_path: Path, bits: int, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    assert heic.can_read_heic()
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    channels = len(mode) - 3
    whole = np.dstack([smooth(64, 48), np.full((64, 48), 255, np.uint8)])
    pixels = whole[:, :, [0, 3] if channels == 2 else slice(channels)]
    path = tmp_path / "a.heic"
    with open(path, "wb") as file:
        deep = np.ascontiguousarray(pixels.astype(np.uint16) * 257)
        pillow_heif.encode(mode, (48, 64), deep.tobytes(), file, quality=90)
    picture = read_picture(path)
    assert picture.left_out == (f"{bits} bits per channel became 8",)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (64, 48, 1 if mode == "L;16" else 3)
    assert np.abs(picture.pixels.astype(int)[:, :, 0] - pixels[:, :, 0]).mean() < 3
    assert read_picture(rewrite(path)).pixels.shape == picture.pixels.shape


def test_pictures_too_large_for_one_are_written_in_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif")
    assert heic.can_read_heic()
    monkeypatch.setattr(heic, "_MAX_UNTILED", 200 * 300 - 1)
    monkeypatch.setattr(heic, "_TILE", 128)
    path = save(tmp_path / "a.heic", smooth(200, 300))
    new = rewrite(path)
    items = read_items(new.read_bytes())
    assert items.by_number[items.primary].kind == b"grid"
    assert np.abs(read_picture(new).pixels.astype(int) - read_picture(path).pixels).mean() < 3
    assert inspect_file(new.read_bytes(), "HEIF") == []


def test_such_pictures_with_alpha_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif")
    assert heic.can_read_heic()
    path = save(tmp_path / "a.heic", noise(200, 300, 4))
    monkeypatch.setattr(heic, "_MAX_UNTILED", 200 * 300 - 1)
    with pytest.raises(PictureError, match="with transparency and more than 59,999 pixels, which cannot be written"):
        read_picture(path)


def test_what_the_encoder_cannot_do_is_an_error_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif")
    picture = decode_picture(saved("HEIF"))

    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(PictureError, match="cannot be encoded as a HEIC file: no"):
        encode_picture(picture, picture.frames, [np.zeros(picture.pixels.shape[:2], bool)], "strip")
