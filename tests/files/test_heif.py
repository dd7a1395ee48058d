"""AVIF and HEIC files."""

from pathlib import Path

import pytest
from fakes import save, smooth
from files.samples import rewrite
from PIL import Image, ImageCms

from anonymizer.files import heic
from anonymizer.files.metadata import Policy


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
