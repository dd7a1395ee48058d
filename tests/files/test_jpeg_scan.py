"""The native code does what jpeglib does, only quicker, and holds out against damaged files."""

import io
import random

import cv2
import numpy as np
import pytest
from fakes import noise, smooth
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_encode import SAMPLINGS, coefficients, jpeg_file

from anonymizer.files import jpeg_blocks, jpeg_scan
from anonymizer.files.jpeg_segments import (
    DHT,
    FRAMES,
    CoefficientsError,
    first_scan,
    quantisation_tables,
    read_header,
    read_segments,
)

pytestmark = pytest.mark.skipif(not jpeg_scan.is_available(), reason="installed without a C compiler")


def new_blocks(content, pixels, changed):
    return jpeg_blocks._new_blocks(read_header(content), quantisation_tables(content), pixels, changed)


def by_native_code(content, anew) -> bytes:
    return jpeg_scan.replace_blocks(content, read_header(content), [(b.is_touched, b.coefficients) for b in anew])


def square(height, width, top=0.3, left=0.3):
    changed = np.zeros((height, width), bool)
    changed[int(top * height) : int(top * height) + 20, int(left * width) : int(left * width) + 20] = True
    return changed


def components(content, folder):
    path = folder / "coefficients.jpg"
    path.write_bytes(content)
    return coefficients(path)


@given(
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    restart=st.sampled_from([0, 1, 3]),
    quality=st.sampled_from([5, 50, 90, 100]),
    picture=st.sampled_from([smooth, noise]),
    place=st.tuples(*[st.floats(0, 0.99)] * 2),
)
@settings(max_examples=200, deadline=None)
def test_same_coefficients_as_by_jpeglib(tmp_path_factory, sampling, height, width, restart, quality, picture, place):
    folder = tmp_path_factory.getbasetemp()
    pixels = picture(height, width)[:, :, : 1 if sampling == "gray" else 3]
    content = jpeg_file(pixels, sampling, quality, restart=restart)
    anew = new_blocks(content, 255 - pixels, square(height, width, *place))
    native, by_jpeglib = by_native_code(content, anew), jpeg_blocks._rewrite(content, anew)
    for one, other in zip(components(native, folder), components(by_jpeglib, folder), strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(
        cv2.imdecode(np.frombuffer(native, np.uint8), -1), cv2.imdecode(np.frombuffer(by_jpeglib, np.uint8), -1)
    )


def test_nothing_is_replaced_then_nothing_changes():
    content = jpeg_file(noise(50, 70), restart=2)
    anew = new_blocks(content, noise(50, 70), np.zeros((50, 70), bool))
    assert by_native_code(content, anew)[-2000:] == content[-2000:]


def test_blocks_beyond_the_picture_are_emptied():
    """What was cut off by a smaller width in the header may still be there."""
    content = bytearray(jpeg_file(noise(64, 64)))
    frame = next(segment for segment in read_segments(content) if segment.marker in FRAMES)
    width_at = frame.start + 4 + 3
    content[width_at : width_at + 2] = (50).to_bytes(2, "big")
    cut = bytes(content)
    anew = new_blocks(cut, np.zeros((64, 50, 3), np.uint8), square(64, 50, 0, 0))
    result = bytearray(by_native_code(cut, anew))
    width_at += len(result[: first_scan(result)]) - first_scan(cut)
    result[width_at : width_at + 2] = (64).to_bytes(2, "big")
    beyond = np.asarray(Image.open(io.BytesIO(result)).convert("L")).astype(int)[:, 56:]
    assert not np.diff(beyond[:8], axis=1).any()
    assert np.diff(np.asarray(Image.open(io.BytesIO(jpeg_file(noise(64, 64)))).convert("L")).astype(int)[:8, 56:]).any()


def damaged(kind, content):
    scan = first_scan(content)
    if kind == "cut":
        return content[: (scan + len(content)) // 2] + b"\xff\xd9"
    if kind == "without an end":
        return content[:-2]
    if kind == "data behind the last block":
        return content[:-2] + b"\x11" * 10 + b"\xff\xd9"
    if kind == "marker within":
        return content[: scan + 100] + b"\xff\xd3" + content[scan + 100 :]
    codes = next(segment for segment in read_segments(content) if segment.marker == DHT)
    return content[: codes.start + 5] + b"\xff" * 10 + content[codes.start + 15 :]


@pytest.mark.parametrize(
    "kind", ["cut", "without an end", "data behind the last block", "marker within", "impossible codes"]
)
def test_damaged_files_are_refused(kind):
    whole = jpeg_file(noise(60, 60))
    anew = new_blocks(whole, smooth(60, 60), square(60, 60))
    by_native_code(whole, anew)
    with pytest.raises(CoefficientsError, match=r"damaged|not a sequential"):
        by_native_code(damaged(kind, whole), anew)


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}])
def test_files_without_codes_for_the_new_blocks_go_through_jpeglib(tmp_path, options):
    """Codes made for a picture of one colour have none for others."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 60), (10, 200, 30)).save(buffer, "JPEG", **options)
    content, changed = buffer.getvalue(), square(60, 60)
    anew = new_blocks(content, noise(60, 60), changed)
    with pytest.raises(CoefficientsError):
        by_native_code(content, anew)
    new = jpeg_blocks.replace_blocks(content, noise(60, 60), changed)
    for one, blocks in zip(components(new, tmp_path), anew, strict=True):
        assert np.array_equal(one[blocks.is_touched], blocks.coefficients)


def test_without_native_code_jpeglib_does_it(monkeypatch, tmp_path):
    content, changed = jpeg_file(smooth(60, 60)), square(60, 60)
    quick = jpeg_blocks.replace_blocks(content, noise(60, 60), changed)
    monkeypatch.setattr(jpeg_scan, "_library", lambda: None)
    slow = jpeg_blocks.replace_blocks(content, noise(60, 60), changed)
    for one, other in zip(components(quick, tmp_path), components(slow, tmp_path), strict=True):
        assert np.array_equal(one, other)


@given(seed=st.integers(0, 2**32), sampling=st.sampled_from([*SAMPLINGS, "gray"]), changes=st.integers(1, 20))
@settings(max_examples=300, deadline=None)
def test_no_damage_gets_out_of_hand(seed, sampling, changes):
    """Flipped bytes anywhere: an error, or a file that decoders take for a JPEG."""
    pixels = noise(40, 50)[:, :, : 1 if sampling == "gray" else 3]
    content, choose = bytearray(jpeg_file(pixels, sampling, restart=2)), random.Random(seed)
    for _ in range(changes):
        content[choose.randrange(2, len(content))] = choose.randrange(256)
    try:
        anew = new_blocks(bytes(content), pixels, square(40, 50))
        result = by_native_code(bytes(content), anew)
    except CoefficientsError:
        return
    assert result.startswith(b"\xff\xd8")
    assert result.endswith(b"\xff\xd9")
