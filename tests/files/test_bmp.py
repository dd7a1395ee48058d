"""BMP files: every pixel and the density stay."""

from pathlib import Path

import numpy as np
import pytest
from fakes import noise, save
from files.samples import rewrite
from PIL import Image

from anonymizer.files.bmp import embedded_data
from anonymizer.files.read import read_picture


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


@pytest.mark.parametrize(("behind", "number"), [(b"", 0), (b"more", 4)])
def test_bytes_behind_the_pixels_are_counted(tmp_path: Path, behind: bytes, number: int) -> None:
    content = save(tmp_path / "a.bmp", noise(20, 30)).read_bytes()
    assert embedded_data(content + behind).bytes_behind == number
    without_size = content[:34] + bytes(4) + content[38:]
    assert embedded_data(without_size + behind).bytes_behind == 0
