"""Pixels outside the mask are bit for bit those of the source, and nothing else of the source is left."""

import io
import re
import struct
import zlib
from pathlib import Path

import cv2
import jpeglib
import numpy as np
import pytest
from fakes import load, noise, noise16, save, smooth
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import gif, jpeg_segments, png
from anonymizer.files.encode import encode_picture, may_differ
from anonymizer.files.picture import Frame, turn_back
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings

SAMPLINGS = {"4:4:4": 0x111111, "4:2:2": 0x211111, "4:2:0": 0x221111, "4:4:0": 0x121111, "4:1:1": 0x411111}
"""As OpenCV numbers them: two digits per component, horizontal and vertical."""


def jpeg_file(pixels, sampling="4:2:0", quality=80, progressive=False, restart=0) -> bytes:
    """A JPEG file made by OpenCV, which knows all samplings. The pixels are RGB or gray."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    options += [cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    if pixels.shape[2] == 3:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLINGS[sampling]]
    return cv2.imencode(".jpg", pixels[:, :, ::-1], options)[1].tobytes()


def rewrite(path: Path, change=None, policy="strip") -> Path:
    """Reads a picture and writes it, changed in the boolean mask `change`, to a new file."""
    picture = read_picture(path)
    pixels, changed = picture.pixels.copy(), np.zeros(picture.pixels.shape[:2], bool)
    if change is not None:
        changed = change
        pixels[changed] = ~pixels[changed]
    target = path.with_name("new" + path.suffix)
    target.write_bytes(encode_picture(picture, [Frame(pixels, picture.alpha)], [changed], policy).content)
    return target


def png_file(pixels, orientation=1) -> bytes:
    """A PNG file of 8 or 16 bits, with an orientation."""
    header, *others = png.encode_still(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png.join_chunks([header, (b"eXIf", exif.tobytes()[6:]), *others])


def coefficients(path: Path) -> list[np.ndarray]:
    """(rows of blocks, columns of blocks, 8, 8) per component."""
    file = jpeglib.read_dct(str(path))
    file.load()
    return [component for component in (file.Y, file.Cb, file.Cr) if component is not None]


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
    tmp_path_factory, sampling, height, width, orientation, progressive, restart, box
):
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
def test_jpeg_blocks_under_the_mask_are_replaced(tmp_path, sampling, progressive):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_file(smooth(100, 120), sampling, quality=95, progressive=progressive))
    changed = np.zeros((100, 120), bool)
    changed[20:80, 30:90] = True
    old, new = load(path).astype(int), load(rewrite(path, changed)).astype(int)
    assert np.abs(255 - old - new)[30:70, 40:80].max() <= 12
    far = np.ones((100, 120), bool)
    far[2:98, 0 if sampling == "4:1:1" else 10 : 110] = False  # the blocks, and where decoders smooth colours
    assert (old == new)[far].all()


def test_jpeg_without_a_change_keeps_its_picture_data_byte_for_byte(tmp_path):
    path = tmp_path / "a.jpg"
    content = jpeg_file(noise(50, 70))
    path.write_bytes(
        content[:2] + jpeg_segments.write_segment(0xFE, b"somebody") + content[2:] + b"hidden behind the end"
    )
    assert rewrite(path).read_bytes() == content


def test_rgb_jpeg_is_encoded_anew_and_says_so(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(smooth(40, 40)).save(path, keep_rgb=True, quality=90)
    picture = read_picture(path)
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.ones((40, 40), bool)], "strip")
    assert encoded.fidelity == "reencoded"
    assert np.abs(np.asarray(Image.open(io.BytesIO(encoded.content))).astype(int) - picture.pixels).max() < 20


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr", "CMYK"])
def test_nothing_stays_hidden_between_scans(tmp_path, mode):
    """Progressive files are written anew even where nothing is found: who can tell what else their data hold?"""
    path = tmp_path / "a.jpg"
    options = {"keep_rgb": True} if mode == "RGB" else {}
    Image.fromarray(noise(120, 120)).convert(mode).save(path, progressive=True, **options)
    content = path.read_bytes()
    hidden = jpeg_file(smooth(30, 30))[2:].replace(b"\xff", b"\xff\0")
    path.write_bytes(content[:-2] + hidden + content[-2:])
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.zeros((120, 120), bool)], "strip")
    assert hidden[40:80] not in encoded.content
    assert encoded.fidelity == ("reencoded" if mode in ("RGB", "CMYK") else "lossless")
    before, after = (np.asarray(Image.open(io.BytesIO(data))).astype(int) for data in (content, encoded.content))
    assert np.abs(before - after).mean() <= (20 if encoded.fidelity == "reencoded" else 0)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("number", range(4))
def test_damaged_tables(tmp_path, progressive, number):
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


def test_rgb_jpeg_whose_components_are_numbered_like_ycbcr(tmp_path):
    """Only the Adobe segment tells its colours."""
    path = tmp_path / "a.jpg"
    Image.fromarray(smooth(40, 40)).save(path, keep_rgb=True, quality=95)
    content = path.read_bytes()
    frame, scan = content.index(b"\xff\xc0"), content.index(b"\xff\xda")
    renumbered = bytearray(content)
    for index in range(3):
        renumbered[frame + 10 + 3 * index] = renumbered[scan + 5 + 2 * index] = index + 1
    adobe = jpeg_segments.write_segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
    path.write_bytes(bytes(renumbered[:2]) + adobe + bytes(renumbered[2:]))
    picture = read_picture(path)
    changed = np.zeros((40, 40), bool)
    changed[:8, :8] = True
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [changed], "strip")
    assert encoded.fidelity == "reencoded"
    assert np.abs(np.asarray(Image.open(io.BytesIO(encoded.content))).astype(int) - picture.pixels).max() < 20


def test_arithmetic_coding(tmp_path):
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


def test_gray_jpeg_of_photoshop_stays_lossless(tmp_path):
    content = jpeg_file(smooth(40, 40)[:, :, :1])
    path = tmp_path / "a.jpg"
    path.write_bytes(
        content[:2] + jpeg_segments.write_segment(0xEE, b"Adobe\0\x64\0\0\0\0\0") + jpeg_segments.picture_data(content)
    )
    picture = read_picture(path)
    assert (
        encode_picture(picture, [Frame(picture.pixels, None)], [np.ones((40, 40), bool)], "strip").fidelity
        == "lossless"
    )


@pytest.mark.parametrize("marker", [0x02, 0xC8, 0xDE, 0xDF, 0xF0, 0xFD])
def test_segments_that_no_picture_needs_are_left_out(tmp_path, marker):
    content = jpeg_file(smooth(40, 40))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:2] + jpeg_segments.write_segment(marker, b"a hidden thumbnail") + content[2:])
    try:
        new = rewrite(path).read_bytes()
    except PictureError:
        return  # a decoder may refuse it
    assert b"a hidden thumbnail" not in new


@pytest.mark.parametrize("marker", [0xE1, 0xFE, 0xDC])
def test_segments_behind_a_scan_are_left_out(tmp_path, marker):
    content = jpeg_file(smooth(40, 40))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + jpeg_segments.write_segment(marker, b"\0\x28 a hidden thumbnail") + content[-2:])
    assert b"a hidden thumbnail" not in rewrite(path).read_bytes()
    assert (load(rewrite(path)) == load(path)).all()


def test_a_segment_that_reaches_beyond_the_end_hides_nothing(tmp_path):
    content = jpeg_file(smooth(40, 40))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + b"\xff\xe1\xff\xf0" + content[-2:] + b"a hidden picture" * 3000 + content)
    assert b"a hidden picture" not in rewrite(path).read_bytes()


def test_thumbnails_and_trailing_pictures_are_left_out(tmp_path):
    thumbnail = jpeg_file(noise(16, 16))
    content = jpeg_file(smooth(40, 40))
    jfif_with_thumbnail = b"JFIF\0\1\2\1\0\x48\0\x48\2\2" + bytes(range(100, 112))
    segments = [(0xE0, jfif_with_thumbnail), (0xE0, b"JFXX\0\x10" + thumbnail), (0xE1, b"Exif\0\0" + thumbnail)]
    segments += [(0xED, b"Photoshop 3.0\0" + thumbnail), (0xE2, b"MPF\0" + thumbnail), (0xE2, b"ICC_PROFILE\0\1\1icc")]
    body = jpeg_segments.picture_data(content)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8" + b"".join(jpeg_segments.write_segment(*s) for s in segments) + body + content)
    for new in (rewrite(path).read_bytes(), rewrite(path, np.eye(40, dtype=bool)).read_bytes()):
        assert new.count(b"\xff\xd8") == 1
        assert new.endswith(b"\xff\xd9")
        assert bytes(range(100, 112)) not in new
        assert b"ICC_PROFILE\0\1\1icc" in new
        assert new[2:20] == b"\xff\xe0\0\x10JFIF\0\1\2\1\0\x48\0\x48\0\0"


def test_end_markers_in_tables_between_scans_do_not_end_the_picture():
    """The length of a table may look like the marker of the end."""
    scan = b"\xff\xda\0\2" + b"data" + b"\xff\xdb\0\6\xff\xd9xx" + b"\xff\xda\0\2" + b"more" + b"\xff\xd9"
    assert jpeg_segments.picture_data(b"\xff\xd8" + scan + b"trailing") == scan


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_png_without_a_change_keeps_its_picture_data_byte_for_byte(tmp_path, mode):
    image = Image.fromarray(noise(20, 30, 4)).convert(mode)
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "a.png", pnginfo=_text(), exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes() + b"hidden behind the end")
    assert rewrite(tmp_path / "a.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("change", [False, True])
def test_16_bit_png_pixels_are_written_exactly(tmp_path, channels, orientation, change):
    pixels = noise16(13, 17, channels)
    path = tmp_path / "a.png"
    path.write_bytes(png_file(pixels, orientation))
    where = np.zeros((13, 17) if orientation == 1 else (17, 13), bool)
    where[2:5, 3:6] = change
    before, after = read_picture(path), read_picture(rewrite(path, where))
    assert after.pixels.dtype == np.uint16
    assert after.encoding == before.encoding
    assert (before.pixels == after.pixels)[~where].all()
    assert not change or (before.pixels[where] == 65535 - after.pixels[where]).all()
    colours = pixels[:, :, :1] if channels < 3 else pixels[:, :, :3]
    assert (turn_back(before.pixels, orientation) == colours).all()
    if channels in (2, 4):
        assert (after.alpha == before.alpha).all()
        assert (turn_back(before.alpha, orientation) == pixels[:, :, -1]).all()


def test_png_data_behind_the_compressed_picture_are_left_out(tmp_path):
    path = save(tmp_path / "a.png", smooth(20, 30))
    chunks = [
        (kind, data + b"another picture" if kind == b"IDAT" else data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    path.write_bytes(png.join_chunks(chunks))
    assert b"another picture" in path.read_bytes()
    assert b"another picture" not in rewrite(path).read_bytes()
    assert (load(rewrite(path)) == load(path)).all()


def test_png_with_a_damaged_stream_is_compressed_anew(tmp_path):
    """Its checksum is wrong, which is passed over when truncated files are allowed."""
    path = save(tmp_path / "a.png", smooth(20, 30))
    chunks = [
        (kind, data[:-4] + b"\0\0\0\0" if kind == b"IDAT" else data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    path.write_bytes(png.join_chunks(chunks))
    picture = read_picture(path, ReadSettings(allow_truncated=True))
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.zeros((20, 30), bool)], "strip")
    assert (np.asarray(Image.open(io.BytesIO(encoded.content))) == picture.pixels).all()


def test_png_rows_that_the_header_does_not_announce_are_left_out(tmp_path):
    path = save(tmp_path / "a.png", noise(20, 30))
    (_, header), *others = png.read_chunks(path.read_bytes())
    path.write_bytes(png.join_chunks([(b"IHDR", header[:4] + (10).to_bytes(4, "big") + header[8:]), *others]))
    data = b"".join(data for kind, data in png.read_chunks(rewrite(path).read_bytes()) if kind == b"IDAT")
    assert len(zlib.decompress(data)) == 10 * (1 + 3 * 30)


def test_png_keeps_colours_and_density(tmp_path):
    path = save(tmp_path / "a.png", smooth(20, 30), dpi=(72, 300), icc_profile=b"icc")
    chunks = list(png.read_chunks(path.read_bytes()))
    path.write_bytes(png.join_chunks([chunks[0], (b"gAMA", (45455).to_bytes(4, "big")), *chunks[1:]]))
    for new in (rewrite(path), rewrite(path, np.eye(20, 30, dtype=bool))):
        kinds = dict(png.read_chunks(new.read_bytes()))
        assert {b"gAMA", b"iCCP", b"pHYs"} < set(kinds)
        assert zlib.decompress(kinds[b"iCCP"].split(b"\0\0", 1)[1]) == b"icc"


def _text():
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody")
    return info


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_pixels_and_alpha_are_written_exactly(tmp_path, channels):
    pixels = noise(9, 11, channels)
    assert (load(rewrite(save(tmp_path / "a.png", pixels))) == pixels.squeeze()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_stored_layout_and_orientation_are_kept(tmp_path, orientation, extension):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"a.{extension}", smooth(16, 32), exif=exif)
    new = rewrite(path)
    assert np.abs(load(new).astype(int) - load(path)).max() <= 6
    with Image.open(new) as image:
        assert image.getexif().get(0x0112, 1) == orientation


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [40, 95])
def test_jpeg_tables_sampling_density_and_profile_are_kept(tmp_path, subsampling, quality):
    path = save(
        tmp_path / "a.jpg", smooth(40, 40), quality=quality, subsampling=subsampling, dpi=(72, 72), icc_profile=b"icc"
    )
    old, new = read_picture(path).encoding, read_picture(rewrite(path)).encoding
    assert new == old


def test_gray_jpeg_stays_gray(tmp_path):
    with Image.open(rewrite(save(tmp_path / "a.jpg", smooth(20, 20)[:, :, :1]))) as image:
        assert image.mode == "L"


def test_no_other_metadata_is_written(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker of the camera"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    path = save(tmp_path / "a.jpg", smooth(20, 20), exif=exif, comment=b"a name", xmp=b"<x>somebody</x>")
    assert b"somebody" in path.read_bytes()
    content = rewrite(path).read_bytes()
    for secret in (b"maker", b"a name", b"somebody"):
        assert secret not in content
    with Image.open(rewrite(path)) as image:
        assert dict(image.getexif()) == {0x0112: 6}


def test_noisy_progressive_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    cv2.imwrite(str(path), noise(400, 400), [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, *sampling])
    assert np.abs(load(rewrite(path)).astype(int) - load(path)).max() <= 8


def test_gray_jpeg_with_a_table_of_another_number(tmp_path):
    path = save(tmp_path / "a.jpg", smooth(20, 20)[:, :, :1], quality=60)
    content = path.read_bytes()
    tables, frame = content.index(b"\xff\xdb"), content.index(b"\xff\xc0")
    renumbered = bytearray(content)
    renumbered[tables + 4] = 1
    renumbered[frame + 12] = 1
    path.write_bytes(renumbered)
    assert read_picture(rewrite(path)).encoding == read_picture(path).encoding


def test_tables_follow_their_components(tmp_path):
    """A file whose luminance uses table 1 and whose colours use table 0."""
    path = save(tmp_path / "a.jpg", smooth(40, 40), quality=60)
    content = bytearray(path.read_bytes())
    frame = content.index(b"\xff\xc0")
    for component, table in enumerate((1, 0, 0)):
        content[frame + 12 + 3 * component] = table
    expected = read_picture(path).encoding.quantization
    path.write_bytes(content)
    assert read_picture(path).encoding.quantization == expected[::-1]
    assert read_picture(rewrite(path)).encoding.quantization == expected[::-1]


def crafted(path: Path, progressive: bool) -> Path:
    """A picture whose header announces a third of its height: the data of the rest are still there."""
    content = jpeg_file(noise(96, 64), progressive=progressive)
    frame = content.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    path.write_bytes(content[: frame + 5] + (32).to_bytes(2, "big") + content[frame + 7 :])
    return path


def test_data_of_rows_that_the_header_does_not_announce_are_left_out(tmp_path):
    path = crafted(tmp_path / "a.jpg", progressive=False)
    picture = read_picture(path)
    assert picture.pixels.shape == (32, 64, 3)
    new = rewrite(path)
    assert new.stat().st_size < 0.5 * path.stat().st_size
    assert (load(new) == load(path)).all()


@pytest.mark.parametrize("surplus", [16, 5000])
@pytest.mark.parametrize("restart", [0, 2])
def test_data_behind_the_last_block_are_left_out(tmp_path, surplus, restart):
    content = jpeg_file(smooth(40, 40), restart=restart)
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + b"hidden" * (surplus // 6 + 1) + content[-2:])
    new = rewrite(path)
    assert b"hidden" not in new.read_bytes()
    assert (load(new) == load(path)).all()


def test_data_behind_the_last_block_of_a_scan_are_left_out(tmp_path):
    content = jpeg_file(smooth(40, 40), progressive=True)
    scan = next(
        at for at, marker in jpeg_segments.markers_behind(content, jpeg_segments.first_scan(content)) if marker != 0xD9
    )
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:scan] + b"hidden" * 2000 + content[scan:])
    new = rewrite(path)
    assert b"hidden" not in new.read_bytes()
    assert (load(new) == load(path)).all()


def profile(tail: bytes) -> bytes:
    return (140).to_bytes(4, "big") + b"p" * 136 + tail


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif", "gif"])
@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("tail", [b"", b"another picture", b"x" * 200_000])
def test_profiles_end_where_they_say(tmp_path, extension, change, tail):
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
            assert b"p" * 100 in new.read_bytes()
            assert tail[:10] not in new.read_bytes() or not tail
        else:
            assert image.info["icc_profile"] == profile(b"")


def test_gain_maps_are_told(tmp_path):
    content = jpeg_file(smooth(40, 40))
    segment = jpeg_segments.write_segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:2] + segment + content[2:] + content)
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.zeros((40, 40), bool)], "keep")
    assert "the gain map is left out" in encoded.left_out[0]
    assert "bytes behind the picture" in encoded.left_out[1]
    assert b"21496" not in encoded.content


def test_huffman_codes_made_for_the_picture_stay_so(tmp_path):
    path = save(tmp_path / "a.jpg", noise(200, 200), quality=80, optimize=True)
    plain = save(tmp_path / "b.jpg", noise(200, 200), quality=80)
    changed = np.zeros((200, 200), bool)
    changed[:8, :8] = True
    assert rewrite(path, changed).stat().st_size < 1.005 * path.stat().st_size < plain.stat().st_size


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("palette", [False, True])
@given(box=st.tuples(*[st.floats(0, 1)] * 4), orientation=st.integers(1, 8), height=st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_png_pixels_of_all_depths_away_from_the_mask_are_identical(
    tmp_path_factory, bits, palette, box, orientation, height
):
    """Written by hand: Pillow knows not all depths."""
    width = 13
    indices = np.random.default_rng(height).integers(0, 2**bits, (height, width), dtype=np.uint8)
    rows = np.unpackbits(indices[:, :, np.newaxis], axis=2)[:, :, 8 - bits :].reshape(height, -1)
    packed = np.insert(np.packbits(rows, axis=1), 0, 0, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, bits, 3 if palette else 0, 0, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    chunks = [(b"IHDR", header), (b"eXIf", exif.tobytes()[6:])]
    chunks += [(b"PLTE", noise(2**bits, 1).tobytes())] if palette else []
    path = tmp_path_factory.mktemp("png") / "a.png"
    path.write_bytes(png.join_chunks([*chunks, (b"IDAT", zlib.compress(packed)), (b"IEND", b"")]))
    before = read_picture(path)
    shape = before.pixels.shape[:2]
    changed = np.zeros(shape, bool)
    (top, bottom), (left, right) = sorted(box[:2]), sorted(box[2:])
    changed[int(top * shape[0]) : int(bottom * shape[0]), int(left * shape[1]) : int(right * shape[1])] = True
    after = read_picture(rewrite(path, changed))
    assert (after.pixels == before.pixels)[~changed].all()
    assert (after.pixels == ~before.pixels)[changed].all()


@given(
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    orientation=st.integers(1, 8),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
@settings(max_examples=100, deadline=None)
def test_pixels_differ_only_where_they_may(tmp_path_factory, sampling, height, width, orientation, box):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = jpeg_file(noise(height, width)[:, :, : 1 if sampling == "gray" else 3], sampling)
    path = tmp_path_factory.mktemp("jpeg") / "a.jpg"
    path.write_bytes(content[:2] + jpeg_segments.write_segment(0xE1, exif.tobytes()) + content[2:])
    before = read_picture(path)
    changed = np.zeros(before.pixels.shape[:2], bool)
    rows, columns = (
        sorted(int(share * length) for share in pair)
        for pair, length in zip((box[:2], box[2:]), changed.shape, strict=True)
    )
    changed[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = True
    after = read_picture(rewrite(path, changed))
    differs = (before.pixels != after.pixels).any(axis=2)
    assert not (differs & ~may_differ(before, before.frames[0], changed)).any()


def test_other_formats_differ_only_where_they_were_changed(tmp_path):
    picture = read_picture(save(tmp_path / "a.png", noise(20, 20)))
    changed = np.zeros((20, 20), bool)
    changed[5, 5] = True
    assert may_differ(picture, picture.frames[0], changed) is changed
