"""AVIF and HEIC files."""

from pathlib import Path

import numpy as np
import pytest
from fakes import save, smooth
from files.samples import rewrite
from PIL import Image, ImageCms

from anonymizer.errors import PictureError
from anonymizer.files import heic
from anonymizer.files.metadata import Policy
from anonymizer.files.read import read_picture


def test_heic_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic, "can_read_heic", lambda: False)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    with pytest.raises(PictureError, match="pip install pillow-heif"):
        read_picture(tmp_path / "a.heic")


@pytest.mark.parametrize("extension", ["avif", "heic"])
@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_metadata_of_avif_and_heic(tmp_path: Path, extension: str, policy: Policy) -> None:
    if extension == "heic":
        pytest.importorskip("pillow_heif")
        assert heic.can_read_heic()
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    exif.get_ifd(0x8769)[0xA434] = "a lens"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(tmp_path / f"a.{extension}", smooth(64, 64), exif=exif.tobytes(), xmp=b"a caption", icc_profile=profile)
    assert b"somebody" in path.read_bytes()
    content = rewrite(path, policy=policy).read_bytes()
    assert profile in content
    assert (b"a lens" in content) == (policy != "strip")
    assert (b"somebody" in content) == (policy == "keep")
    assert (b"a caption" in content) == (policy == "keep")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_avif(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.avif", smooth(32, 64), exif=exif.tobytes(), quality=90)
    before, after = read_picture(path), read_picture(rewrite(path))
    assert after.pixels.shape == before.pixels.shape
    assert np.abs(after.pixels.astype(int) - before.pixels).mean() < 3
