import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.video.cuts import COLUMNS, OBJECT, ROWS, appears, change, is_cut, novelty, thumbnail_of


def scene(seed: int, size: tuple[int, int] = (108, 192)) -> npt.NDArray[np.uint8]:
    """Patches of random brightness, uint8 (H, W)."""
    patches = np.random.default_rng(seed).integers(0, 256, (9, 16), dtype=np.uint8)
    return patches.repeat(size[0] // 9, axis=0).repeat(size[1] // 16, axis=1)


def test_another_scene_is_a_cut() -> None:
    assert is_cut(thumbnail_of(scene(1)), thumbnail_of(scene(2)))


def test_a_frame_that_stays_the_same_is_none() -> None:
    assert change(thumbnail_of(scene(1)), thumbnail_of(scene(1))) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(("y", "x"), [(0, 12), (10, 0), (-10, -12)])
def test_a_camera_that_moves_is_none(y: int, x: int) -> None:
    assert not is_cut(thumbnail_of(scene(1)), thumbnail_of(np.roll(scene(1), (y, x), axis=(0, 1))))


def test_a_flash_is_none() -> None:
    bright = (scene(1) // 3 + 170).astype(np.uint8)
    assert not is_cut(thumbnail_of(scene(1)), thumbnail_of(bright))


@given(st.integers(0, 255), st.integers(0, 255))
def test_empty_frames_have_a_change_that_is_a_number(one: int, other: int) -> None:
    before, after = (np.full((ROWS, COLUMNS), value, np.float32) for value in (one, other))
    assert 0 <= change(before, after) <= 2
    assert np.isfinite(change(before, thumbnail_of(scene(1))))
    assert np.isfinite(change(thumbnail_of(scene(1)), after))


def test_an_object_that_appears_is_noticed() -> None:
    pixels = scene(1)
    pixels[40:70, 60:90] = 255 - pixels[40:70, 60:90] // 8
    assert appears(thumbnail_of(scene(1)), thumbnail_of(pixels))
    assert not is_cut(thumbnail_of(scene(1)), thumbnail_of(pixels))


@pytest.mark.parametrize(("y", "x"), [(0, 0), (0, 2), (3, 7), (-10, -12)])
def test_a_camera_that_moves_shows_nothing_new(y: int, x: int) -> None:
    assert novelty(thumbnail_of(scene(1)), thumbnail_of(np.roll(scene(1), (y, x), axis=(0, 1)))) < OBJECT


def test_a_flash_shows_nothing_new() -> None:
    assert not appears(thumbnail_of(scene(1) // 2), thumbnail_of((scene(1) // 2 + 100).astype(np.uint8)))
