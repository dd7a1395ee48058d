"""HEIC files need a package that may not be there."""

from pathlib import Path

import pytest
from fakes import save, smooth
from files.samples import rewrite
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import heic
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
