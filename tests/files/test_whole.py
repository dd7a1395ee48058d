"""BMP, TIFF and WebP: every pixel outside the mask is kept, and no metadata but what the policy keeps."""

import numpy as np
import pytest
from fakes import load, noise, noise16, save, smooth
from PIL import Image
from test_encode import rewrite

from anonymizer.errors import PictureError
from anonymizer.files.encode import encode_picture
from anonymizer.files.read import read_picture


@pytest.mark.parametrize("extension", ["bmp", "tif", "webp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_are_written_exactly(tmp_path, extension, channels):
    options = {"lossless": True, "exact": True} if extension == "webp" else {}
    path = save(tmp_path / f"a.{extension}", noise(20, 30, channels), **options)
    changed = np.zeros((20, 30), bool)
    changed[5:9, 5:9] = True
    before, after = read_picture(path), read_picture(rewrite(path, changed))
    assert (before.pixels == after.pixels)[~changed].all()
    assert (before.pixels[changed] == ~after.pixels[changed]).all()
    assert after.encoding == before.encoding
    assert (after.alpha is None) == (before.alpha is None)
    assert after.alpha is None or (after.alpha == before.alpha).all()


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits"])
def test_gray_tiff_of_16_bits(tmp_path, compression):
    pixels = noise16(20, 30, 1)
    path = save(tmp_path / "a.tif", pixels, compression=compression)
    assert (read_picture(path).pixels == pixels).all()
    assert (load(rewrite(path)) == pixels.squeeze()).all()


@pytest.mark.parametrize("tags", [{262: 0}, {258: 12}])
def test_gray_tiff_of_odd_kinds_is_refused(tmp_path, tags):
    path = save(tmp_path / "a.tif", noise16(20, 30, 1), compression=None)
    content = bytearray(path.read_bytes())
    for tag, value in tags.items():
        content[content.index(tag.to_bytes(2, "little") + b"\3\0\1\0\0\0") + 8] = value
    path.write_bytes(content)
    with pytest.raises(PictureError, match="gray TIFF file of a kind"):
        read_picture(path)


def test_lossy_webp_says_that_it_was_encoded_anew(tmp_path):
    path = save(tmp_path / "a.webp", smooth(40, 40), quality=70)
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.pixels, None, np.zeros((40, 40), bool), "strip")
    assert encoded.fidelity == "reencoded"
    (tmp_path / "b.webp").write_bytes(encoded.content)
    assert np.abs(load(tmp_path / "b.webp").astype(int) - picture.pixels).mean() < 3


@pytest.mark.parametrize("extension", ["tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_look_the_same_in_every_orientation(tmp_path, extension, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if extension == "webp" else {}
    path = save(tmp_path / f"a.{extension}", noise(20, 30), exif=exif, **options)
    assert (read_picture(rewrite(path)).pixels == read_picture(path).pixels).all()


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_metadata_of_webp(tmp_path, policy):
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    exif.get_ifd(0x8769)[0xA434] = "a lens"
    path = save(tmp_path / "a.webp", smooth(20, 30), exif=exif, xmp=b"a caption", icc_profile=b"icc")
    content = rewrite(path, policy=policy).read_bytes()
    assert b"icc" in content
    assert (b"a lens" in content) == (policy != "strip")
    assert (b"somebody" in content) == (policy == "keep")
    assert (b"a caption" in content) == (policy == "keep")


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_metadata_of_tiff_is_never_kept(tmp_path, policy):
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    path = save(tmp_path / "a.tif", smooth(20, 30), exif=exif, icc_profile=b"icc")
    assert b"somebody" in path.read_bytes()
    content = rewrite(path, policy=policy).read_bytes()
    assert b"somebody" not in content
    assert b"icc" in content
