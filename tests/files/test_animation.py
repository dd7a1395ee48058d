"""Files with several pictures: every frame is processed, and written back with its delay."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files.samples import ANIMATIONS, alpha_of, moving, rewrite_frames, save_frames
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from anonymizer.errors import PictureError
from anonymizer.files import gif, webp
from anonymizer.files.animation import to_patches
from anonymizer.files.encode import encode_picture
from anonymizer.files.picture import StoredFrame
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings


def timing(path: Path) -> tuple[list[float | None], int | None]:
    with Image.open(path) as image:
        durations = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            durations.append(frame.info.get("duration"))
        return durations, image.info.get("loop")


@pytest.mark.parametrize("extension", ANIMATIONS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("box", [None, np.s_[3:12, 8:20], np.s_[:, :]])
def test_every_frame_is_written_exactly(tmp_path: Path, extension: str, mode: str, box: Any) -> None:
    frames = moving(mode)
    if extension != "tif":
        frames.pop()  # Pillow's writers would make one frame of two that are the same
    options = {k: v[:3] if isinstance(v, list) else v for k, v in ANIMATIONS[extension].items()}
    path = save_frames(tmp_path / f"a.{extension}", frames, **options)
    before = read_picture(path)
    assert len(before.frames) == len(frames)
    assert before.is_animation == (extension != "tif")
    new, redacted = rewrite_frames(path, box)
    after = read_picture(new)
    assert timing(new) == timing(path)
    for expected, frame in zip(redacted, after.frames, strict=True):
        visible = np.ones(frame.pixels.shape[:2], bool) if frame.alpha is None else frame.alpha > 0
        assert (frame.pixels == expected.pixels)[visible].all()
        assert expected.alpha is None or np.array_equal(alpha_of(frame), expected.alpha)


@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
def test_frames_without_a_change_are_kept_byte_for_byte(tmp_path: Path, extension: str) -> None:
    path = save_frames(tmp_path / f"a.{extension}", moving()[:3], **{**ANIMATIONS[extension], "duration": 100})
    if extension == "gif":  # Pillow wrote a colour that no pixel shows
        path.write_bytes(rewrite_frames(path)[0].read_bytes())
    plain = rewrite_frames(path)[0].read_bytes()
    assert plain == path.read_bytes()


def test_compressed_data_of_gif_frames_stay(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "a.gif", moving()[:3], **{**ANIMATIONS["gif"], "duration": 100})
    before, after = (list(gif.read_blocks(one.read_bytes())) for one in (path, rewrite_frames(path)[0]))
    assert [block.data for block in before] == [block.data for block in after]


@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
@pytest.mark.parametrize("box", [None, np.s_[3:12, 8:20]])
def test_metadata_of_animations(tmp_path: Path, extension: str, box: Any) -> None:
    options: dict[str, dict[str, Any]] = {
        "gif": {"comment": b"somebody"},
        "png": {"exif": _exif()},
        "webp": {"exif": _exif(), "xmp": b"somebody", "lossless": True},
    }
    path = save_frames(tmp_path / f"a.{extension}", moving()[:3], **options[extension])
    path.write_bytes(path.read_bytes() + b"hidden behind the end")
    assert b"somebody" in path.read_bytes()
    for policy in ("strip", "safe", "keep"):
        content = rewrite_frames(path, box, policy)[0].read_bytes()
        assert (b"somebody" in content) == (policy == "keep")
        assert b"hidden" not in content


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    return exif.tobytes()


@pytest.mark.parametrize("extension", ANIMATIONS)
def test_the_limit_of_pixels_counts_all_frames(tmp_path: Path, extension: str) -> None:
    path = save_frames(tmp_path / f"a.{extension}", moving()[:3])
    assert len(read_picture(path, ReadSettings(max_pixels=3 * 40 * 30)).frames) == 3
    with pytest.raises(PictureError, match="than --max-pixels"):
        read_picture(path, ReadSettings(max_pixels=3 * 40 * 30 - 1))


@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
def test_frames_in_no_certain_number_are_refused(tmp_path: Path, extension: str) -> None:
    picture = read_picture(save_frames(tmp_path / f"a.{extension}", moving()[:3]))
    more = replace(picture, frames=(*picture.frames, picture.frames[0]))
    with pytest.raises(PictureError, match="its number of frames is not certain"):
        encode_picture(more, more.frames, [np.ones((30, 40), bool)] * 4, "strip")


@given(
    st.lists(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 7))), min_size=1, max_size=5), st.sampled_from([1, 2])
)
def test_patches_put_together_show_the_frames(points: list[set[tuple[int, int]]], step: int) -> None:
    frames = []
    for number, some in enumerate(points):
        pixels = np.zeros((6, 8, 3), np.uint8)
        for row, column in some:
            pixels[row, column] = number + 1
        frames.append(StoredFrame(pixels, np.zeros((6, 8), bool)))
    canvas = np.full((6, 8, 3), 99, np.uint8)
    for patch, frame in zip(to_patches(frames, step), frames, strict=True):
        assert patch.top % step == patch.left % step == 0
        kept = canvas.copy()
        canvas[patch.slices] = patch.pixels
        assert (kept[patch.slices] == patch.pixels)[patch.stays].all()
        assert (canvas == frame.pixels).all()


@pytest.mark.parametrize("make", [gif.read_blocks, webp.read_file_chunks])
def test_block_readers_end(make: Callable[[bytes], Iterable[object]]) -> None:
    for length in range(40):
        list(make((b"GIF89a" + b"\x80" * 60 + b"\x21\xff\x05abc")[:length].ljust(14, b"\x21")))
