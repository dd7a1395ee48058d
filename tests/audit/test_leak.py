from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.audit.labels import Label, Labelled
from anonymizer.audit.leak import TOLERANCE, changed_pixels, find_leaks
from anonymizer.errors import SettingsError
from anonymizer.files.picture import Picture
from anonymizer.geometry import Box
from anonymizer.types import Detection, FrameDetections, Job, Pixels8

FACE = Box(y_min=20, x_min=20, y_max=60, x_max=60)
PLATE = Box(y_min=70, x_min=10, y_max=80, x_max=50)


def noise(seed: int = 0) -> Pixels8:
    return np.random.default_rng(seed).integers(0, 200, (100, 100, 3), np.uint8)


def hide(pixels: Pixels8, box: Box) -> Pixels8:
    hidden: Pixels8 = pixels.copy()
    hidden[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)] = 255
    return hidden


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("originals", "output"):
        (tmp_path / name).mkdir()
    return tmp_path / "originals", tmp_path / "output"


def put(folders: tuple[Path, Path], name: str, original: Pixels8, redacted: Pixels8) -> Labelled:
    for folder, pixels in zip(folders, (original, redacted), strict=True):
        cv2.imwrite(str(folder / name), pixels)
    return Labelled(name, [Label("face", FACE), Label("plate", PLATE)])


class Bright:
    """Finds a face where the picture is not white."""

    kinds = frozenset({"face", "plate"})

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        is_hidden = picture.frames[0].pixels[40, 40].min() == 255
        return [FrameDetections([] if is_hidden else [Detection(FACE, 0.9, "face")])]


def test_what_is_left_of_each_object_is_told(folders: tuple[Path, Path]) -> None:
    first = put(folders, "a.png", noise(), hide(noise(), FACE))
    second = put(folders, "b.png", noise(1), hide(noise(1), Box(y_min=70, x_min=10, y_max=80, x_max=30)))
    leaks = find_leaks(*folders, [first, second, Labelled("c.png", [])], Bright())
    left = {(one.picture, one.kind): one.left for one in leaks.objects}
    assert left["a.png", "face"] == 0
    assert left["a.png", "plate"] == left["b.png", "face"] == 1
    assert left["b.png", "plate"] == pytest.approx(0.5, abs=0.08)
    assert [one.found_again for one in leaks.objects] == [False, None, True, None]
    assert leaks.missing == ["c.png"]
    assert leaks.hidden_elsewhere == 0
    assert [one.left for one in leaks.worst()][:2] == [1, 1]
    summaries = dict(leaks.summaries())
    assert summaries["face"].untouched == 1
    assert summaries["face"].hidden == 0.5
    assert summaries["face from 32 px"] == summaries["face"]
    assert summaries["plate from 0 px"].objects == 2


def test_an_output_must_be_of_the_same_picture(folders: tuple[Path, Path]) -> None:
    picture = put(folders, "a.png", noise(), noise()[:50])
    with pytest.raises(SettingsError, match="another size"):
        find_leaks(*folders, [picture])
    with pytest.raises(SettingsError, match="holds none of the pictures"):
        find_leaks(*folders, [Labelled("missing.png", [])])


@settings(deadline=None)
@given(seed=st.integers(0, 100), size=st.integers(4, 40))
def test_what_is_hidden_has_changed_and_nothing_far_from_it(seed: int, size: int) -> None:
    box = Box(y_min=30, x_min=30, y_max=30 + size, x_max=30 + size)
    changed = changed_pixels(noise(seed), hide(noise(seed), box))
    assert changed[30 : 30 + size, 30 : 30 + size].all()
    changed[28 : 32 + size, 28 : 32 + size] = False
    assert not changed.any()


def test_encoding_anew_hides_nothing() -> None:
    assert not changed_pixels(noise(), noise() + np.uint8(TOLERANCE)).any()
