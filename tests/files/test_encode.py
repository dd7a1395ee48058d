"""What the writers of several formats have in common."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fakes import load, noise, save, smooth
from files.samples import PROFILE, SAMPLINGS, jpeg_file, rewrite
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from anonymizer.files import gif, heic, jpeg_segments
from anonymizer.files.encode import encode_picture, encode_png, may_differ
from anonymizer.files.inspect import FileIssue, inspect_file
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_stored_layout_and_orientation_are_kept(tmp_path: Path, orientation: int, extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"a.{extension}", smooth(16, 32), exif=exif)
    new = rewrite(path)
    assert np.abs(load(new).astype(int) - load(path)).max() <= 6
    with Image.open(new) as image:
        assert image.getexif().get(0x0112, 1) == orientation


def profile(tail: bytes) -> bytes:
    return PROFILE + tail


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif", "gif"])
@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("tail", [b"", b"another picture", b"x" * 200_000])
def test_profiles_end_where_they_say(tmp_path: Path, extension: str, change: bool, tail: bytes) -> None:
    options = {"lossless": True} if extension == "webp" else {}
    path = save(tmp_path / f"a.{extension}", smooth(20, 30), **options)
    if extension == "gif":
        content = path.read_bytes()
        path.write_bytes(content[:-1] + gif.write_extension(0xFF, b"ICCRGBG1012", profile(tail)) + content[-1:])
    else:
        save(path, smooth(20, 30), icc_profile=profile(tail), **options)
    new = rewrite(path, np.full((20, 30), change))
    with Image.open(new) as image:
        if extension == "gif":
            assert PROFILE[128:228] in new.read_bytes()
            assert tail[:10] not in new.read_bytes() or not tail
        else:
            assert image.info["icc_profile"] == profile(b"")


@given(
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    orientation=st.integers(1, 8),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
@settings(max_examples=100, deadline=None)
def test_pixels_differ_only_where_they_may(
    tmp_path_factory: pytest.TempPathFactory,
    sampling: str,
    height: int,
    width: int,
    orientation: int,
    box: tuple[float, float, float, float],
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = jpeg_file(noise(height, width)[:, :, : 1 if sampling == "gray" else 3], sampling)
    path = tmp_path_factory.mktemp("jpeg") / "a.jpg"
    path.write_bytes(content[:2] + jpeg_segments.write_segment(0xE1, exif.tobytes()) + content[2:])
    before = read_picture(path)
    shown_height, shown_width = before.pixels.shape[:2]
    changed = np.zeros((shown_height, shown_width), bool)
    (top, bottom), (left, right) = sorted(box[:2]), sorted(box[2:])
    rows = slice(int(top * shown_height), int(bottom * shown_height) + 1)
    changed[rows, int(left * shown_width) : int(right * shown_width) + 1] = True
    after = read_picture(rewrite(path, changed))
    differs = (before.pixels != after.pixels).any(axis=2)
    assert not (differs & ~may_differ(before, before.frames[0], changed)).any()


def test_other_formats_differ_only_where_they_were_changed(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "a.png", noise(20, 20)))
    changed = np.zeros((20, 20), bool)
    changed[5, 5] = True
    assert may_differ(picture, picture.frames[0], changed) is changed


@pytest.mark.parametrize("extension", ["bmp", "tif", "webp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_are_written_exactly(tmp_path: Path, extension: str, channels: int) -> None:
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


@pytest.mark.parametrize("extension", ["webp", "avif", "jp2", "heic"])
def test_lossy_files_say_that_they_were_encoded_anew(tmp_path: Path, extension: str) -> None:
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


@pytest.mark.parametrize("file_format", ["TIFF", "JPEG"])
def test_cmyk(tmp_path: Path, file_format: str) -> None:
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
def test_palettes_that_become_rgb_are_told(tmp_path: Path, extension: str, is_told: bool) -> None:
    path = tmp_path / f"a.{extension}"
    Image.fromarray(smooth(20, 30)).quantize(16).save(path)
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.ones((20, 30), bool)], "strip")
    assert encoded.left_out == (("the palette is left out: the colours are written as RGB",) if is_told else ())


@pytest.mark.parametrize("extension", ["tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_look_the_same_in_every_orientation(tmp_path: Path, extension: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if extension == "webp" else {}
    path = save(tmp_path / f"a.{extension}", noise(20, 30), exif=exif, **options)
    assert (read_picture(rewrite(path)).pixels == read_picture(path).pixels).all()


def test_drawings() -> None:
    pixels = noise(20, 30)
    assert (np.asarray(Image.open(BytesIO(encode_png(pixels)))) == pixels).all()


@pytest.mark.parametrize("policy", ["safe", "keep"])
def test_nothing_is_kept_of_metadata_beyond_the_budget(tmp_path: Path, policy: Policy) -> None:
    info = PngImagePlugin.PngInfo()
    exif = Image.Exif()
    exif[0x0112], exif[0x0110], exif[0x010E] = 6, "a camera", "Two people stand at the bridge."
    path = save(tmp_path / "a.png", smooth(20, 30), exif=exif)
    assert b"Two people" in rewrite(path, policy="keep").read_bytes()
    for number in range(20):
        info.add_text("Comment", f"{number}" + "/9jQxR7aLk0Zp3"[number % 7 :] * 3)
    path = save(tmp_path / "a.png", smooth(20, 30), exif=exif, pnginfo=info)
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.zeros((30, 20), bool)], policy)
    assert (b"a camera" in encoded.content) == (policy == "safe")
    assert any("a picture in pieces" in note for note in encoded.left_out) == (policy == "keep")
    assert all(text not in encoded.content for text in (b"Two people", b"tEXt"))
    with Image.open(BytesIO(encoded.content)) as image:
        assert image.getexif()[0x0112] == 6


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif"])
def test_dropped_parts_of_profiles_are_told(tmp_path: Path, extension: str) -> None:
    for stored, note in (
        (PROFILE, ()),
        (PROFILE + b"more", ("parts of the colour profile that do not describe colours are left out",)),
        (b"nothing", ("a damaged colour profile is left out",)),
    ):
        path = save(tmp_path / f"a.{extension}", smooth(20, 30), icc_profile=stored)
        picture = read_picture(path)
        encoded = encode_picture(picture, picture.frames, [np.zeros((20, 30), bool)], "strip")
        assert encoded.left_out == note


def test_dropped_tables_of_jpeg_files_are_told(tmp_path: Path) -> None:
    plain = jpeg_file(smooth(20, 20))
    (tmp_path / "a.jpg").write_bytes(plain[:2] + jpeg_segments.write_segment(0xDB, b"\3" + b"data" * 16) + plain[2:])
    picture = read_picture(tmp_path / "a.jpg")
    for change in (False, True):
        encoded = encode_picture(picture, picture.frames, [np.full((20, 20), change)], "strip")
        assert encoded.left_out == ("tables that no scan uses are left out",)
        assert b"data" not in encoded.content
    assert inspect_file(picture.content, "JPEG") == [FileIssue("preview", "tables that no scan uses")]
