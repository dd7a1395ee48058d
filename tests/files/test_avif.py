"""AVIF files keep their orientation and their chroma sampling, and are not taken for animations."""

from pathlib import Path

import numpy as np
import pytest
from fakes import noise, save, smooth
from files.samples import rewrite
from PIL import Image, features

from anonymizer.errors import PictureError
from anonymizer.files import avif
from anonymizer.files.read import read_picture

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_avif(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.avif", smooth(32, 64), exif=exif.tobytes(), quality=90)
    before, after = read_picture(path), read_picture(rewrite(path))
    assert after.pixels.shape == before.pixels.shape
    assert np.abs(after.pixels.astype(int) - before.pixels).mean() < 3


def sampling_in(path: Path) -> int:
    """The bits of the configuration record that say whether colours are halved."""
    content = path.read_bytes()
    return content[content.index(b"av1C") + 6] >> 2 & 0b11


@pytest.mark.parametrize(("sampling", "bits"), [("4:2:0", 0b11), ("4:2:2", 0b10), ("4:4:4", 0b00)])
def test_the_chroma_sampling_stays(tmp_path: Path, sampling: str, bits: int) -> None:
    path = save(tmp_path / "a.avif", smooth(64, 64), subsampling=sampling)
    assert sampling_in(path) == bits
    assert sampling_in(rewrite(path)) == bits


def test_animations_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    first, second = (Image.fromarray(noise(32, 32, seed=seed)) for seed in range(2))
    first.save(path, save_all=True, append_images=[second])
    with pytest.raises(PictureError, match="animated AVIF"):
        read_picture(path)


def test_without_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(PictureError, match="build of Pillow cannot read"):
        avif.can_open(b"\0\0\0\x18ftypavif\0\0\0\0")
    assert avif.can_open(b"\x89PNG\r\n\x1a\n")
