import json
from pathlib import Path

import numpy as np
import pytest
from audit import drawn
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.audit.film_leak import detail_left, find_film_leaks, read_film_labels
from anonymizer.audit.labels import Label
from anonymizer.errors import SettingsError
from anonymizer.geometry import Box
from anonymizer.types import Pixels8

FACE = Label("face", Box(y_min=34, x_min=44, y_max=130, x_max=116))
VISIBLE_IN = {1, 2, 4}


def hide(pixels: Pixels8) -> Pixels8:
    result: Pixels8 = pixels.copy()
    result[30:134, 40:120] = 120
    return result


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A film of six frames, and an output that forgets to hide the face in three of them, at a lower quality."""
    frames = [drawn.draw(1, 0) for _ in range(6)]
    hidden = [frame if index in VISIBLE_IN else hide(frame) for index, frame in enumerate(frames)]
    drawn.write_film(tmp_path / "films" / "a.mp4", frames)
    drawn.write_film(tmp_path / "out" / "a.mp4", hidden, crf=24)
    box = {"kind": "face", "track": 7, "x_min": 44, "y_min": 34, "x_max": 116, "y_max": 130}
    labelled = {str(index): [box] for index in range(5)}
    labelled["5"] = [{**box, "ignore": True}]
    entries = [{"film": "a.mp4", "frames": labelled}, {"film": "b.mp4", "frames": {"0": []}}]
    (tmp_path / "films" / "annotations.json").write_text(json.dumps(entries))
    return tmp_path / "films", tmp_path / "out"


def test_leaks_are_told_per_object_frame_and_track(folders: tuple[Path, Path]) -> None:
    leaks = find_film_leaks(*folders, read_film_labels(folders[0]))
    assert leaks.missing == ["b.mp4"]
    assert {one.frame for one in leaks.objects if one.is_visible} == VISIBLE_IN
    assert leaks.frames_with_visible() == 3
    (track,) = leaks.tracks()
    assert (track.track, track.frames, track.visible, track.longest, track.gaps) == ("7", 5, 3, 2, 2)
    summaries = dict(leaks.summaries())
    assert summaries["a.mp4: face"] == summaries["all: face"]
    assert (summaries["all: face"].objects, summaries["all: face"].visible) == (5, 3)
    assert [leak.frame in VISIBLE_IN for leak, _ in leaks.shown] == [True] * 3 + [False] * 2
    assert leaks.shown[0][1].shape == (112, 224, 3)
    assert json.loads(json.dumps(leaks.to_json()))["worst"][0]["track"] == "7"


def test_what_was_encoded_anew_is_all_there() -> None:
    pixels = drawn.draw(1, 0)
    assert detail_left(pixels, pixels, FACE) == pytest.approx(1)
    assert detail_left(pixels, hide(pixels), FACE) < 0.05
    flat = np.full((160, 160, 3), 90, np.uint8)
    assert detail_left(flat, flat, FACE) == 1  # there is no detail: nothing has changed
    assert detail_left(flat, hide(flat), FACE) == 0


@settings(deadline=None, max_examples=20)
@given(share=st.floats(0, 1))
def test_half_a_face_is_half_of_the_detail(share: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (160, 160, 3), np.uint8)
    redacted = pixels.copy()
    redacted[: round(34 + 96 * share)] = 0
    left = detail_left(pixels, redacted, FACE)
    inside = 1 - (np.arccos(1 - 2 * share) - (1 - 2 * share) * 2 * np.sqrt(share * (1 - share))) / np.pi
    assert left == pytest.approx(inside, abs=0.08)


def test_wrong_folders_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds none of the films"):
        find_film_leaks(folders[0], tmp_path, read_film_labels(folders[0]))
    with pytest.raises(SettingsError, match=r"annotations\.json"):
        read_film_labels(tmp_path)
    (tmp_path / "annotations.json").write_text('[{"film": "a.mp4"}]')
    with pytest.raises(SettingsError, match="is damaged"):
        read_film_labels(tmp_path)
