"""The native code does what jpeglib does, only quicker, and holds out against damaged files."""

import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import noise, smooth
from files.samples import SAMPLINGS, coefficients_in, jpeg_file, new_blocks
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonymizer import native
from anonymizer.files import (
    jpeg_blocks,
    jpeg_scan,
    jpeg_transform,
)
from anonymizer.files.codecs import Mask
from anonymizer.files.encode import encode_picture
from anonymizer.files.jpeg_segments import (
    DHT,
    DQT,
    FRAMES,
    SOS,
    CoefficientsError,
    first_scan,
    markers_behind,
    read_header,
    read_segments,
    write_segment,
)
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture
from anonymizer.types import Pixels

pytestmark = pytest.mark.skipif(native.library() is None, reason="installed without a C compiler")


def by_native_code(content: bytes, anew: Sequence[jpeg_blocks.NewBlocks]) -> bytes:
    data = jpeg_scan.replace_blocks(content, read_header(content), [(b.is_touched, b.coefficients) for b in anew])
    return b"\xff\xd8" + data


def replaced(content: bytes, pixels: Pixels, changed: Mask) -> bytes:
    return b"\xff\xd8" + jpeg_blocks.replace_blocks(content, pixels, changed)


def square(height: int, width: int, top: float = 0.3, left: float = 0.3) -> Mask:
    changed = np.zeros((height, width), bool)
    changed[int(top * height) : int(top * height) + 20, int(left * width) : int(left * width) + 20] = True
    return changed


@pytest.mark.slow
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
def test_same_coefficients_as_by_jpeglib(
    tmp_path_factory: pytest.TempPathFactory,
    sampling: str,
    height: int,
    width: int,
    restart: int,
    quality: int,
    picture: Callable[[int, int], Pixels],
    place: tuple[float, float],
) -> None:
    folder = tmp_path_factory.getbasetemp()
    pixels = picture(height, width)[:, :, : 1 if sampling == "gray" else 3]
    content = jpeg_file(pixels, sampling, quality, restart=restart)
    anew = new_blocks(content, 255 - pixels, square(height, width, *place))
    native, by_jpeglib = by_native_code(content, anew), jpeg_blocks.rewrite(content, anew)
    for one, other in zip(coefficients_in(native, folder), coefficients_in(by_jpeglib, folder), strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(shown(native), shown(by_jpeglib))


def test_nothing_is_replaced_then_nothing_changes() -> None:
    content = jpeg_file(noise(50, 70), restart=2)
    anew = new_blocks(content, noise(50, 70), np.zeros((50, 70), bool))
    assert by_native_code(content, anew)[-2000:] == content[-2000:]


def test_blocks_beyond_the_picture_are_emptied() -> None:
    """What was cut off by a smaller width in the header may still be there."""
    content = bytearray(jpeg_file(noise(64, 64)))
    width_at = frame_header(content) + 4 + 3
    content[width_at : width_at + 2] = (50).to_bytes(2, "big")
    cut = bytes(content)
    anew = new_blocks(cut, np.zeros((64, 50, 3), np.uint8), square(64, 50, 0, 0))
    result = bytearray(by_native_code(cut, anew))
    width_at = frame_header(result) + 4 + 3
    result[width_at : width_at + 2] = (64).to_bytes(2, "big")
    beyond = np.asarray(Image.open(io.BytesIO(result)).convert("L")).astype(int)[:, 56:]
    assert not np.diff(beyond[:8], axis=1).any()
    assert np.diff(np.asarray(Image.open(io.BytesIO(jpeg_file(noise(64, 64)))).convert("L")).astype(int)[:8, 56:]).any()


def shown(content: bytes | bytearray) -> npt.NDArray[np.uint8]:
    """As OpenCV decodes it, with its channels in its order."""
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def frame_header(content: bytes | bytearray) -> int:
    """Where it begins."""
    return next(segment.start for segment in read_segments(bytes(content)) if segment.marker in FRAMES)


def damaged(kind: str, content: bytes) -> bytes:
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
def test_damaged_files_are_refused(kind: str) -> None:
    whole = jpeg_file(noise(60, 60))
    anew = new_blocks(whole, smooth(60, 60), square(60, 60))
    by_native_code(whole, anew)
    with pytest.raises(CoefficientsError, match=r"damaged|not a sequential"):
        by_native_code(damaged(kind, whole), anew)


def test_codes_among_which_an_encoder_could_choose_are_refused() -> None:
    """The choice among two codes of a symbol could tell something that nobody sees in the picture."""
    whole = jpeg_file(noise(60, 60))
    anew = new_blocks(whole, smooth(60, 60), square(60, 60))
    codes = next(segment for segment in read_segments(whole) if segment.marker == DHT and segment.payload[0] == 0x10)
    last, first = codes.end - 1, codes.start + 4 + 1 + 16
    assert whole[last] != whole[first]
    with pytest.raises(CoefficientsError, match="damaged"):
        by_native_code(whole[:last] + whole[first : first + 1] + whole[last + 1 :], anew)


def test_flags_of_another_size_never_reach_the_native_code() -> None:
    content = jpeg_file(noise(60, 60))
    anew = [(np.zeros((1, 1), bool), np.zeros((0, 8, 8), np.int16))] * 3
    with pytest.raises(ValueError, match="number of blocks"):
        jpeg_scan.replace_blocks(content, read_header(content), anew)


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}])
def test_files_without_codes_for_the_new_blocks_go_through_jpeglib(tmp_path: Path, options: dict[str, Any]) -> None:
    """Codes made for a picture of one colour have none for others."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 60), (10, 200, 30)).save(buffer, "JPEG", **options)
    content, changed = buffer.getvalue(), square(60, 60)
    anew = new_blocks(content, noise(60, 60), changed)
    with pytest.raises(CoefficientsError):
        by_native_code(content, anew)
    new = replaced(content, noise(60, 60), changed)
    for one, blocks in zip(coefficients_in(new, tmp_path), anew, strict=True):
        assert np.array_equal(one[blocks.is_touched], blocks.coefficients)


def test_without_native_code_jpeglib_does_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content, changed = jpeg_file(smooth(60, 60)), square(60, 60)
    quick = replaced(content, noise(60, 60), changed)
    monkeypatch.setattr(jpeg_scan, "library", lambda: None)
    monkeypatch.setattr(jpeg_transform, "library", lambda: None)
    slow = replaced(content, noise(60, 60), changed)
    for one, other in zip(coefficients_in(quick, tmp_path), coefficients_in(slow, tmp_path), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), sampling=st.sampled_from([*SAMPLINGS, "gray"]), changes=st.integers(1, 20))
@settings(max_examples=300, deadline=None)
def test_no_damage_gets_out_of_hand(seed: int, sampling: str, changes: int) -> None:
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


def parts_of(content: bytes) -> tuple[list[bytes], bytes]:
    """The bytes up to the first scan's header, by segment, and the rest."""
    segments = list(read_segments(content))
    return [content[one.start : one.end] for one in segments[:-1]], content[segments[-1].start :]


def test_tables_that_nothing_uses_are_left_out() -> None:
    head, scan = parts_of(jpeg_file(noise(60, 60)))
    secret = b"secret" * 10 + bytes(4)
    extra = [write_segment(DQT, b"\3" + secret), write_segment(0xCC, b"\0" + secret)]
    content = b"\xff\xd8" + b"".join(extra + head[:1] + extra + head[1:]) + scan
    result = by_native_code(content, new_blocks(content, smooth(60, 60), square(60, 60)))
    assert secret not in result
    assert Image.open(io.BytesIO(result)).size == (60, 60)


def test_files_with_a_table_twice_are_not_kept_as_they_are(tmp_path: Path) -> None:
    head, scan = parts_of(jpeg_file(noise(60, 60)))
    secret = b"secret" * 10 + bytes(4)
    content = b"\xff\xd8" + write_segment(DQT, b"\0" + secret) + b"".join(head) + scan
    (tmp_path / "a.jpg").write_bytes(content)
    picture = read_picture(tmp_path / "a.jpg")
    encoded = encode_picture(picture, picture.frames, [np.zeros((60, 60), bool)], "strip")
    assert encoded.fidelity == "lossless"
    assert secret not in encoded.content
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoded.content))), picture.pixels)


@pytest.mark.parametrize("progressive", [False, True])
def test_tables_with_a_gap_between_their_numbers(tmp_path: Path, progressive: bool) -> None:
    """jpeglib would lose the one behind the gap."""
    content = jpeg_file(smooth(60, 60), progressive=progressive)
    content = content.replace(b"\xff\xdb\x00\x43\x01", b"\xff\xdb\x00\x43\x02")
    frame, header = frame_header(content), bytearray(content)
    for number in (1, 2):
        assert header[frame + 4 + 8 + 3 * number] == 1
        header[frame + 4 + 8 + 3 * number] = 2
    (tmp_path / "a.jpg").write_bytes(header)
    picture = read_picture(tmp_path / "a.jpg")
    changed = square(60, 60)
    pixels = np.where(changed[:, :, np.newaxis], 255 - picture.pixels, picture.pixels)
    encoded = encode_picture(picture, [Frame(pixels)], [changed], "strip")
    assert encoded.fidelity == ("reencoded" if progressive else "lossless")
    far = ~cv2.dilate(changed.astype(np.uint8), np.ones((37, 37), np.uint8)).astype(bool)
    after = np.asarray(Image.open(io.BytesIO(encoded.content))).astype(int)
    assert np.abs(after - picture.pixels)[far].max() <= (20 if progressive else 0)


def test_tables_that_change_between_scans_are_refused() -> None:
    content = jpeg_file(smooth(60, 60), progressive=True)
    table = next(content[s.start : s.end] for s in read_segments(content) if s.marker == DQT)
    second = next(at for at, marker in markers_behind(content, first_scan(content)) if marker == SOS)
    with pytest.raises(CoefficientsError, match="from scan to scan"):
        jpeg_blocks.replace_blocks(content[:second] + table + content[second:], noise(60, 60), square(60, 60))


@pytest.mark.parametrize(
    ("segments", "identifiers", "is_ycbcr"),
    [
        ([], b"\1\2\3", True),
        ([], b"RGB", False),
        ([(0xE0, b"JFIF\0" + bytes(9))], b"RGB", True),
        ([(0xE0, b"JFIF\0" + bytes(7))], b"RGB", False),  # too short for decoders
        (
            [(0xEE, b"Adobe" + bytes(6) + b"\1"), (0xEE, b"Adobe" + bytes(6) + b"\0")],
            b"\1\2\3",
            False,
        ),  # the last counts
        ([(0xEE, b"Adobe" + bytes(6) + b"\0"), (0xEE, b"Adobe" + bytes(6) + b"\1")], b"\1\2\3", True),
    ],
)
def test_colours_as_decoders_guess_them(
    tmp_path: Path, segments: list[tuple[int, bytes]], identifiers: bytes, is_ycbcr: bool
) -> None:
    content = jpeg_file(smooth(40, 40))
    head, scan = parts_of(content)
    plain = [part for part in head if part[1] != 0xE0]
    data = bytearray(b"\xff\xd8" + b"".join(write_segment(*one) for one in segments) + b"".join(plain) + scan)
    frame = frame_header(data)
    start = first_scan(bytes(data)) - 3 - 2 * 3
    for number, identifier in enumerate(identifiers):
        data[frame + 4 + 6 + 3 * number] = data[start + 2 * number] = identifier
    before = shown(data)[:, :, ::-1]
    assert (np.abs(before.astype(int) - smooth(40, 40)).max() < 40) == is_ycbcr  # the truth
    assert jpeg_blocks.is_gray_or_ycbcr(read_header(bytes(data)), bytes(data)) == is_ycbcr
    (tmp_path / "a.jpg").write_bytes(data)
    picture = read_picture(tmp_path / "a.jpg")
    encoded = encode_picture(picture, picture.frames, [square(40, 40, 0.5, 0.5)], "strip")
    again = shown(encoded.content)[:, :, ::-1]
    assert np.abs(again.astype(int) - before).max() < 40
    assert encoded.fidelity == ("lossless" if is_ycbcr else "reencoded")
