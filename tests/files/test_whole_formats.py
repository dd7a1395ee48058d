"""BMP, TIFF, WebP, AVIF, HEIC and JPEG 2000: what is kept of pixels and metadata."""

import cv2
import numpy as np
import pytest
from fakes import load, noise, noise16, save, smooth
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from test_encode import rewrite

from anonymizer.errors import PictureError
from anonymizer.files import heic, iso_boxes, jpeg2000
from anonymizer.files.encode import encode_picture
from anonymizer.files.picture import Frame, turn_upright
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


@pytest.mark.parametrize("extension", ["webp", "avif", "jp2", "heic"])
def test_lossy_files_say_that_they_were_encoded_anew(tmp_path, extension):
    if extension == "heic":
        pytest.importorskip("pillow_heif")
        assert heic.can_read_heic()
    options = {"quality_mode": "rates", "quality_layers": [20], "irreversible": True} if extension == "jp2" else {}
    path = save(tmp_path / f"a.{extension}", smooth(64, 80), **(options or {"quality": 70}))
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.ones((64, 80), bool)], "strip")
    assert encoded.fidelity == "reencoded"
    assert len(encoded.content) < 2 * len(picture.content)
    (tmp_path / f"b.{extension}").write_bytes(encoded.content)
    after = read_picture(tmp_path / f"b.{extension}")
    assert np.abs(after.pixels.astype(int) - picture.pixels).mean() < 4
    assert after.encoding == picture.encoding


def test_lossy_webp_without_a_change_keeps_its_picture_data_byte_for_byte(tmp_path):
    plain = save(tmp_path / "plain.webp", noise(20, 30), quality=70)
    path = save(tmp_path / "a.webp", noise(20, 30), quality=70, xmp=b"somebody")
    path.write_bytes(path.read_bytes() + b"hidden behind the end")
    content = rewrite(path).read_bytes()
    assert content[-100:] == plain.read_bytes()[-100:]
    assert b"somebody" not in content
    assert (load(rewrite(path)) == load(plain)).all()


@pytest.mark.parametrize("pixels", [noise(20, 30), noise(20, 30, 1), noise(20, 30, 4), noise16(20, 30, 1)])
@pytest.mark.parametrize("extension", ["jp2", "j2k"])
def test_lossless_jpeg_2000(tmp_path, pixels, extension):
    path = save(tmp_path / f"a.{extension}", pixels, irreversible=False)
    changed = np.zeros((20, 30), bool)
    changed[5:9, 5:9] = True
    before, after = read_picture(path), read_picture(rewrite(path, changed))
    assert after.pixels.dtype == pixels.dtype
    assert (before.pixels == after.pixels)[~changed].all()
    assert (before.pixels != after.pixels)[changed].all()
    assert path.read_bytes()[:4] == rewrite(path).read_bytes()[:4]


def test_jpeg_2000_keeps_its_profile_and_nothing_else(tmp_path):
    path = save(tmp_path / "a.jp2", noise(20, 30), irreversible=False)
    content = path.read_bytes()
    profile = iso_boxes.write_box(b"colr", b"\2\0\0" + (140).to_bytes(4, "big") + b"p" * 136 + b"a tail")
    source = []
    for kind, data in iso_boxes.read_boxes(content):
        if kind == b"jp2h":
            data = b"".join(
                profile if k == b"colr" else iso_boxes.write_box(k, d) for k, d in iso_boxes.read_boxes(data)
            )
        source.append(iso_boxes.write_box(kind, data))
    path.write_bytes(b"".join(source) + iso_boxes.write_box(b"xml ", b"somebody"))
    new = rewrite(path).read_bytes()
    assert b"p" * 136 in new
    assert b"a tail" not in new
    assert b"somebody" not in new


def test_jpeg_2000_of_odd_depths_is_refused(tmp_path):
    path = save(tmp_path / "a.jp2", noise(20, 30), irreversible=False)
    content = bytearray(path.read_bytes())
    start = jpeg2000.find_codestream(bytes(content))
    content[start + 42] = 11
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"of a depth that is not handled|damaged"):
        read_picture(path)


def test_heic_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(heic, "can_read_heic", lambda: False)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    with pytest.raises(PictureError, match="pip install pillow-heif"):
        read_picture(tmp_path / "a.heic")


@pytest.mark.parametrize("extension", ["avif", "heic"])
@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_metadata_of_avif_and_heic(tmp_path, extension, policy):
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
def test_orientation_of_avif(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.avif", smooth(32, 64), exif=exif.tobytes(), quality=90)
    before, after = read_picture(path), read_picture(rewrite(path))
    assert after.pixels.shape == before.pixels.shape
    assert np.abs(after.pixels.astype(int) - before.pixels).mean() < 3


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("orientation", [1, 6])
def test_tiff_in_colours_of_16_bits(tmp_path, channels, orientation):
    pixels = noise16(20, 30, channels)
    order = [2, 1, 0, 3][:channels]
    path = tmp_path / "a.tif"
    path.write_bytes(cv2.imencode(".tif", pixels[:, :, order])[1].tobytes())
    if orientation != 1:
        path.write_bytes(with_tiff_orientation(path.read_bytes(), orientation))
    picture = read_picture(path)
    stored = turn_upright(pixels, orientation)
    assert picture.pixels.dtype == np.uint16
    assert (picture.pixels == stored[:, :, :3]).all()
    changed = np.zeros(picture.pixels.shape[:2], bool)
    changed[5:9, 5:9] = True
    after = read_picture(rewrite(path, changed))
    assert (after.pixels == picture.pixels)[~changed].all()
    assert (after.pixels == ~picture.pixels)[changed].all()
    assert channels == 3 or (after.alpha == stored[:, :, 3]).all()


def with_tiff_orientation(content: bytes, orientation: int) -> bytes:
    """A little-endian TIFF file of one page with its tag of the kind of page turned into an orientation."""
    start = int.from_bytes(content[4:8], "little")
    entries = [
        content[at : at + 12]
        for at in range(start + 2, start + 2 + 12 * int.from_bytes(content[start : start + 2], "little"), 12)
    ]
    entry = (0x0112).to_bytes(2, "little") + b"\3\0\1\0\0\0" + orientation.to_bytes(2, "little") + b"\0\0"
    entries = sorted([*entries, entry], key=lambda e: int.from_bytes(e[:2], "little"))
    directory = len(entries).to_bytes(2, "little") + b"".join(entries) + b"\0" * 4
    return content[:4] + len(content).to_bytes(4, "little") + content[8:] + directory


@given(
    kind=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "gray 16", "RGB 16", "RGBA 16"]),
    compression=st.sampled_from([1, 5, 8]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_tiff_pixels_of_all_depths_away_from_the_mask_are_identical(
    tmp_path_factory, kind, compression, height, width, box
):
    path = tmp_path_factory.mktemp("tiff") / "a.tif"
    if kind.endswith("16"):
        pixels = noise16(height, width, {"gray 16": 1, "RGB 16": 3, "RGBA 16": 4}[kind])
        path.write_bytes(cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes())
    else:
        name = {1: None, 5: "tiff_lzw", 8: "tiff_adobe_deflate"}[compression]
        Image.fromarray(noise(height, width, 4)).convert(kind).save(path, compression=name)
    before = read_picture(path)
    changed = np.zeros((height, width), bool)
    (top, bottom), (left, right) = sorted(box[:2]), sorted(box[2:])
    changed[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = True
    after = read_picture(rewrite(path, changed))
    assert after.pixels.dtype == before.pixels.dtype
    assert (after.pixels == before.pixels)[~changed].all()
    assert (after.pixels == ~before.pixels)[changed].all()
    assert (after.alpha is None) == (before.alpha is None)
    assert after.alpha is None or (after.alpha == before.alpha).all()


@pytest.mark.parametrize("file_format", ["TIFF", "JPEG"])
def test_cmyk(tmp_path, file_format):
    path = tmp_path / "a"
    image = Image.fromarray(smooth(40, 40)).convert("CMYK")
    image.save(path, file_format, **({"quality": 95} if file_format == "JPEG" else {}))
    picture = read_picture(path)
    assert np.abs(picture.pixels.astype(int) - np.asarray(image)).mean() < 2
    assert np.abs(picture.frames[0].view.astype(int) - smooth(40, 40)).mean() < 4
    changed = np.zeros((40, 40), bool)
    changed[5:9, 5:9] = True
    redacted = picture.pixels.copy()
    redacted[changed] = 255 - redacted[changed]
    encoded = encode_picture(picture, [Frame(redacted)], [changed], "strip")
    assert encoded.fidelity == ("lossless" if file_format == "TIFF" else "reencoded")
    (tmp_path / "b").write_bytes(encoded.content)
    after = read_picture(tmp_path / "b")
    limit = 0 if file_format == "TIFF" else 3
    assert np.abs(after.pixels.astype(int) - redacted).mean() <= limit


@pytest.mark.parametrize(("extension", "is_told"), [("png", True), ("bmp", True), ("tif", True), ("gif", False)])
def test_palettes_that_become_rgb_are_told(tmp_path, extension, is_told):
    path = tmp_path / f"a.{extension}"
    Image.fromarray(smooth(20, 30)).quantize(16).save(path)
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.ones((20, 30), bool)], "strip")
    assert encoded.left_out == (("the palette is left out: the colours are written as RGB",) if is_told else ())


@pytest.mark.parametrize("change", [False, True])
def test_bilevel_tiff(tmp_path, change):
    stored = noise(20, 30, 1).squeeze() > 127
    Image.fromarray(stored).save(tmp_path / "a.tif", compression="group4")
    changed = np.full((20, 30), change)
    new = rewrite(tmp_path / "a.tif", changed)
    assert (read_picture(new).pixels[:, :, 0] == 255 * (stored ^ change)).all()
    with Image.open(new) as image:
        assert image.mode == ("L" if change else "1")


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
def test_metadata_of_tiff(tmp_path, policy):
    exif = Image.Exif()
    exif[0x013B], exif[0x010E], exif[0x0110] = "somebody", "a description", "a camera"
    exif.get_ifd(0x8769).update({0xA434: "a lens", 0xA431: "serial 1234"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 7.0)})
    exif[700], exif[33723], exif[34377] = b"an XMP caption", b"an IPTC caption", b"8BIM with a thumbnail"
    exif[37724], exif[65000] = b"layers of the picture" * 500, b"a raw thumbnail" * 500
    path = save(tmp_path / "a.tif", smooth(20, 30), exif=exif.tobytes(), icc_profile=b"icc", dpi=(72, 300))
    assert b"serial 1234" in path.read_bytes()
    new = rewrite(path, policy=policy)
    content = new.read_bytes()
    for secret in (b"a camera", b"a lens"):
        assert (secret in content) == (policy != "strip"), secret
    for secret in (b"somebody", b"a description", b"serial 1234", b"an XMP caption", b"an IPTC caption"):
        assert (secret in content) == (policy == "keep"), secret
    for secret in (b"thumbnail", b"layers"):
        assert secret in path.read_bytes()
        assert secret not in content
    with Image.open(new) as image:
        assert bool(image.getexif().get_ifd(0x8825)) == (policy == "keep")
        assert image.info["icc_profile"] == b"icc"
        assert image.info["dpi"] == (72, 300)
