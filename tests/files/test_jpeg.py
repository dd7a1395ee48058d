"""Pixels outside the mask are bit for bit those of the source, and nothing else of the source is left."""

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import load, noise, save, smooth
from files.samples import PROFILE, SAMPLINGS, jpeg_file, rewrite
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import jpeg, jpeg_segments
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture


def test_jpeg_keeps_how_it_was_stored(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a.jpg",
        smooth(33, 50),
        quality=71,
        subsampling=1,
        progressive=True,
    )
    encoding = read_picture(path).encoding
    with Image.open(path) as image:
        assert encoding.quantization == [image.quantization[0], image.quantization[1]]
    assert (encoding.format, encoding.subsampling, encoding.progressive) == ("JPEG", 1, True)


def by_pillow(content: bytes) -> npt.NDArray[np.uint8] | None:
    try:
        return np.asarray(Image.open(io.BytesIO(content)))
    except (OSError, SyntaxError, ValueError):
        return None


@given(
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    options=st.sampled_from([{}, {"restart": 2}, {"progressive": True}]),
    damage=st.sampled_from(["none", "flips", "cut", "cut and closed"]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=400, deadline=None)
def test_jpeg_is_decoded_as_by_pillow_or_left_to_it(
    sampling: str, height: int, width: int, options: dict[str, Any], damage: str, seed: int
) -> None:
    """A damaged file must not pass as a sound one, whose missing part would look like a picture without faces."""
    channels = 1 if sampling == "gray" else 3
    content, choose = bytearray(jpeg_file(noise(height, width, channels), sampling, **options)), random.Random(seed)
    if damage == "flips":
        for _ in range(3):
            content[choose.randrange(2, len(content))] ^= 1 << choose.randrange(8)
    elif damage != "none":
        del content[choose.randrange(2, len(content)) :]
        content += b"\xff\xd9" if damage == "cut and closed" else b""
    pixels, expected = jpeg.decode_flawless(bytes(content), channels), by_pillow(bytes(content))
    if expected is not None and expected.ndim != (3 if channels == 3 else 2):
        return  # damaged into another kind
    if pixels is not None:
        assert expected is not None
        assert np.array_equal(pixels.reshape(expected.shape), expected)
    else:
        assert damage != "none"


def test_jpeg_without_a_change_keeps_its_picture_data_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    content = jpeg_file(noise(50, 70))
    path.write_bytes(
        content[:2] + jpeg_segments.write_segment(0xFE, b"somebody") + content[2:] + b"hidden behind the end"
    )
    assert rewrite(path).read_bytes() == content


def test_rgb_jpeg_is_reencoded_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="anonymizer.files")
    path = tmp_path / "a.jpg"
    Image.fromarray(smooth(40, 40)).save(path, keep_rgb=True, quality=90)
    picture = read_picture(path)
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.ones((40, 40), bool)], "strip")
    assert encoded.fidelity == "reencoded"
    assert "the whole picture is re-encoded: colours other than gray and YCbCr" in caplog.messages
    assert np.abs(np.asarray(Image.open(io.BytesIO(encoded.content))).astype(int) - picture.pixels).max() < 20


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr", "CMYK"])
def test_nothing_stays_hidden_between_scans(tmp_path: Path, mode: str) -> None:
    """Progressive files are written anew even where nothing is found: who can tell what else their data hold?"""
    path = tmp_path / "a.jpg"
    options: dict[str, Any] = {"keep_rgb": True} if mode == "RGB" else {}
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


def test_rgb_jpeg_whose_components_are_numbered_like_ycbcr(tmp_path: Path) -> None:
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


def test_gray_jpeg_of_photoshop_stays_lossless(tmp_path: Path) -> None:
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
def test_segments_that_no_picture_needs_are_left_out(tmp_path: Path, marker: int) -> None:
    content = jpeg_file(smooth(40, 40))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:2] + jpeg_segments.write_segment(marker, b"a hidden thumbnail") + content[2:])
    try:
        new = rewrite(path).read_bytes()
    except PictureError:
        return  # a decoder may refuse it
    assert b"a hidden thumbnail" not in new


@pytest.mark.parametrize("marker", [0xE1, 0xFE, 0xDC])
def test_segments_behind_a_scan_are_left_out(tmp_path: Path, marker: int) -> None:
    content = jpeg_file(smooth(40, 40))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + jpeg_segments.write_segment(marker, b"\0\x28 a hidden thumbnail") + content[-2:])
    assert b"a hidden thumbnail" not in rewrite(path).read_bytes()
    assert (load(rewrite(path)) == load(path)).all()


def test_a_segment_that_reaches_beyond_the_end_hides_nothing(tmp_path: Path) -> None:
    content = jpeg_file(smooth(40, 40))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + b"\xff\xe1\xff\xf0" + content[-2:] + b"a hidden picture" * 3000 + content)
    assert b"a hidden picture" not in rewrite(path).read_bytes()


def test_thumbnails_and_trailing_pictures_are_left_out(tmp_path: Path) -> None:
    thumbnail = jpeg_file(noise(16, 16))
    content = jpeg_file(smooth(40, 40))
    jfif_with_thumbnail = b"JFIF\0\1\2\1\0\x48\0\x48\2\2" + bytes(range(100, 112))
    segments = [(0xE0, jfif_with_thumbnail), (0xE0, b"JFXX\0\x10" + thumbnail), (0xE1, b"Exif\0\0" + thumbnail)]
    segments += [
        (0xED, b"Photoshop 3.0\0" + thumbnail),
        (0xE2, b"MPF\0" + thumbnail),
        (0xE2, b"ICC_PROFILE\0\1\1" + PROFILE),
    ]
    body = jpeg_segments.picture_data(content)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8" + b"".join(jpeg_segments.write_segment(*s) for s in segments) + body + content)
    for new in (rewrite(path).read_bytes(), rewrite(path, np.eye(40, dtype=bool)).read_bytes()):
        assert new.count(b"\xff\xd8") == 1
        assert new.endswith(b"\xff\xd9")
        assert bytes(range(100, 112)) not in new
        assert b"ICC_PROFILE\0\1\1" + PROFILE in new
        assert new[2:20] == b"\xff\xe0\0\x10JFIF\0\1\2\1\0\x48\0\x48\0\0"


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [40, 95])
def test_jpeg_tables_sampling_density_and_profile_are_kept(tmp_path: Path, subsampling: int, quality: int) -> None:
    path = save(
        tmp_path / "a.jpg", smooth(40, 40), quality=quality, subsampling=subsampling, dpi=(72, 72), icc_profile=PROFILE
    )
    old, new = read_picture(path).encoding, read_picture(rewrite(path)).encoding
    assert new == old


def test_gray_jpeg_stays_gray(tmp_path: Path) -> None:
    with Image.open(rewrite(save(tmp_path / "a.jpg", smooth(20, 20)[:, :, :1]))) as image:
        assert image.mode == "L"


def test_no_other_metadata_is_written(tmp_path: Path) -> None:
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


def crafted(path: Path, progressive: bool) -> Path:
    """A picture whose header announces a third of its height: the data of the rest are still there."""
    content = jpeg_file(noise(96, 64), progressive=progressive)
    frame = content.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    path.write_bytes(content[: frame + 5] + (32).to_bytes(2, "big") + content[frame + 7 :])
    return path


def test_data_of_rows_that_the_header_does_not_announce_are_left_out(tmp_path: Path) -> None:
    path = crafted(tmp_path / "a.jpg", progressive=False)
    picture = read_picture(path)
    assert picture.pixels.shape == (32, 64, 3)
    new = rewrite(path)
    assert new.stat().st_size < 0.5 * path.stat().st_size
    assert (load(new) == load(path)).all()


@pytest.mark.parametrize("surplus", [16, 5000])
@pytest.mark.parametrize("restart", [0, 2])
def test_data_behind_the_last_block_are_left_out(tmp_path: Path, surplus: int, restart: int) -> None:
    content = jpeg_file(smooth(40, 40), restart=restart)
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:-2] + b"hidden" * (surplus // 6 + 1) + content[-2:])
    new = rewrite(path)
    assert b"hidden" not in new.read_bytes()
    assert (load(new) == load(path)).all()


def test_data_behind_the_last_block_of_a_scan_are_left_out(tmp_path: Path) -> None:
    content = jpeg_file(smooth(40, 40), progressive=True)
    scan = next(
        at for at, marker in jpeg_segments.markers_behind(content, jpeg_segments.first_scan(content)) if marker != 0xD9
    )
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:scan] + b"hidden" * 2000 + content[scan:])
    new = rewrite(path)
    assert b"hidden" not in new.read_bytes()
    assert (load(new) == load(path)).all()


def test_gain_maps_are_told(tmp_path: Path) -> None:
    content = jpeg_file(smooth(40, 40))
    segment = jpeg_segments.write_segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:2] + segment + content[2:] + content)
    picture = read_picture(path)
    encoded = encode_picture(picture, picture.frames, [np.zeros((40, 40), bool)], "keep")
    assert "the gain map is left out" in encoded.left_out[0]
    assert "bytes behind the picture" in encoded.left_out[1]
    assert b"21496" not in encoded.content


@pytest.mark.parametrize(
    ("marker", "depth", "channels", "text"),
    [
        *((marker, 8, 3, "is a lossless JPEG file, which is not handled") for marker in (0xC3, 0xC7, 0xCB, 0xCF)),
        *((marker, 8, 3, "is a hierarchical JPEG file, which is not handled") for marker in (0xC5, 0xC6, 0xCD, 0xCE)),
        (0xF7, 8, 3, "is a JPEG-LS file, which is not handled"),
        (0xC3, 16, 1, "is a lossless JPEG file, which is not handled"),
        (0xC1, 12, 3, "is a JPEG file of 12 bits per channel, which is not handled"),
        (0xC0, 8, 2, "is a JPEG file with 2 channels"),
        (0xC0, 8, 5, "is a JPEG file with 5 channels"),
    ],
)
def test_kinds_that_no_decoder_knows_are_named_and_not_called_damaged(
    marker: int, depth: int, channels: int, text: str
) -> None:
    content = jpeg_file(noise(20, 30))
    start = content.index(b"\xff\xc0")
    end = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
    components = b"".join(bytes([number, 0x11, 0]) for number in range(channels))
    frame = bytes([depth]) + content[start + 5 : start + 9] + bytes([channels]) + components
    with pytest.raises(PictureError, match=text):
        decode_picture(content[:start] + jpeg_segments.write_segment(marker, frame) + content[end:])
