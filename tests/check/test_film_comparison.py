"""A film and its original, side by side: frames, times, sound, and the pixels outside of what is hidden."""

from __future__ import annotations

import json
import shutil
from math import inf, isinf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from check.film_faces import EverySquareDetector, write_faces
from check.samples import anonymize, change_report, check, kinds_of, texts_of
from fakes import Folders, UseDetectors, noise
from video.film_samples import write_film

from anonymizer.check.film_comparison import difference_outside, limits_of
from anonymizer.record.report import REPORT_NAME
from anonymizer.types import Detection, Pixels

OPTIONS: dict[str, object] = {"preset": "thorough"}


@pytest.fixture
def redacted(folders: Folders, use_detectors: UseDetectors) -> Path:
    write_faces(folders[0] / "a.mkv")
    use_detectors(EverySquareDetector())
    return anonymize(folders, OPTIONS)


def differences(folders: Folders, **options: object) -> list[str]:
    """Texts of the findings against the originals that say what has changed."""
    return [one.text for one in check(folders[1], against=folders[0], **options) if one.kind == "changed"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "ffv1"), ("a.mp4", "libx265"), ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4")],
)
def test_own_output_is_the_same_outside(folders: Folders, use_detectors: UseDetectors, name: str, codec: str) -> None:
    sounds = ["libopus"] if name.endswith("webm") else ["mp2"]
    write_film(folders[0] / name, codec, 12, size=(160, 96), sounds=sounds, chapters=name.endswith("mkv"))
    use_detectors(EverySquareDetector())
    assert check(anonymize(folders, OPTIONS), against=folders[0]) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"frames": 29}, "29 frames in place of 30"),
        ({"frames": 31}, "31 frames in place of 30"),
        ({"step": 2}, "frame 1 comes at another time than in its original"),
    ],
)
def test_other_frames_and_times(folders: Folders, redacted: Path, changes: dict[str, Any], text: str) -> None:
    write_faces(redacted / "a.mkv", gone=range(40), **changes)
    assert text in differences(folders)


def test_another_sound(folders: Folders, redacted: Path) -> None:
    shutil.copy(redacted / "a.mkv", redacted.parent / "kept.mkv")
    write_film(folders[0] / "b.mkv", "ffv1", 10, size=(160, 96), sounds=["flac"])
    write_film(folders[0] / "c.mkv", "ffv1", 10, size=(160, 96))
    output = anonymize(folders, OPTIONS, overwrite=True)
    shutil.copy(output / "c.mkv", output / "b.mkv")
    shutil.copy(output / "a.mkv", output / "c.mkv")
    found = check(output, against=folders[0])
    texts = {(one.file, one.text) for one in found if one.kind == "changed"}
    assert ("b.mkv", "0 tracks of sound and subtitles in place of 1") in texts
    assert ("c.mkv", "1 tracks of sound and subtitles in place of 0") in texts


def test_sound_that_was_left_out_by_choice(folders: Folders, use_detectors: UseDetectors) -> None:
    write_faces(folders[0] / "a.mkv")
    use_detectors(EverySquareDetector())
    anonymize(folders, {**OPTIONS, "audio": "drop"})
    assert differences(folders) == []
    change_report(folders[1], settings={})
    assert differences(folders) == ["0 tracks of sound and subtitles in place of 1"]


def test_a_change_elsewhere_is_named_with_its_frame(folders: Folders, redacted: Path) -> None:
    """Another pattern shows in two frames, bottom right, where nothing was hidden."""
    write_faces(redacted / "a.mkv", second=[11, 12], gone=range(30))
    changed = [one for one in check(redacted, against=folders[0]) if one.kind == "changed"]
    assert [one.frame in (11, 12) for one in changed if "a part outside" in one.text] == [True]


def test_another_film_in_its_place(folders: Folders, redacted: Path) -> None:
    write_film(redacted / "a.mkv", "ffv1", 30, size=(160, 96), sounds=["aac"])
    assert any("the worst frame has" in text for text in differences(folders))


def test_another_size(folders: Folders, redacted: Path) -> None:
    write_film(redacted / "a.mkv", "ffv1", 30, size=(96, 64), sounds=["aac"])
    assert any(text.startswith("another size than its original") for text in differences(folders))


def test_an_original_that_cannot_be_read(folders: Folders, redacted: Path) -> None:
    content = (folders[0] / "a.mkv").read_bytes()
    (folders[0] / "a.mkv").write_bytes(content[: len(content) // 2])
    found = check(redacted, against=folders[0])
    assert kinds_of(found) == [("a.mkv", "unreadable")]
    assert texts_of(found)[0].startswith("its original is cut off")


def test_films_without_output(folders: Folders, redacted: Path) -> None:
    (redacted / "a.mkv").unlink()
    assert ("a.mkv", "missing") in kinds_of(check(redacted, against=folders[0]))


GROUPS = {"g": "10", "keyint_min": "10", "sc_threshold": "0"}


class SquareOnTheLeft(EverySquareDetector):
    """Sees nothing once the square is in the right half."""

    def detect(self, picture: Pixels) -> list[Detection]:
        return [one for one in super().detect(picture) if one.box.x_min < 30]


def test_frames_that_were_copied_are_the_same(folders: Folders, use_detectors: UseDetectors) -> None:
    write_film(folders[0] / "a.mp4", frames=60, size=(160, 96), options=GROUPS, sounds=["aac"])
    use_detectors(SquareOnTheLeft())
    output = anonymize(folders, {**OPTIONS, "video-grace": 0, "video-gap": 0})
    (entry,) = json.loads((output / REPORT_NAME).read_text())["files"]
    assert entry["film"]["frames_copied"] == sum(last + 1 - first for first, last in entry["film"]["copied"]) > 0
    assert differences(folders) == []
    first = entry["film"]["copied"][0][0]
    write_film(output / "a.mp4", frames=60, size=(160, 96), options={**GROUPS, "crf": "10"}, sounds=["aac"])
    assert f"frame {first} is not the same as in its original, though its report says so" in differences(folders)


def test_muted_sound_is_listened_to(folders: Folders, use_detectors: UseDetectors) -> None:
    source = write_film(folders[0] / "a.mkv", frames=25, size=(160, 96), sounds=["aac", "flac"])
    use_detectors(EverySquareDetector())
    edits = folders[0].parent / "edits.json"
    edits.write_text('{"edits": [{"file": "a.mkv", "mute": [0.3, 0.6]}]}')
    output = anonymize(folders, OPTIONS, edits=edits)
    assert differences(folders) == []
    shutil.copy(source, output / "a.mkv")
    assert "can be heard where its sound was muted, by its report" in differences(folders)


def test_differences_are_measured_outside_alone() -> None:
    before = noise(100, 130)
    hidden = np.zeros((100, 130), bool)
    hidden[20:60, 20:60] = True
    after = before.copy()
    after[20:60, 20:60] = 0
    assert difference_outside(before, after, hidden) == (inf, 0.0)
    assert difference_outside(before, after, np.ones((100, 130), bool)) == (inf, 0.0)
    after[70:80, 70:80] = ~after[70:80, 70:80]
    psnr_db, block = difference_outside(before, after, hidden)
    assert 15 < psnr_db < 35
    assert block > 20
    assert isinf(difference_outside(before, before, hidden)[0])


def test_coarser_qualities_explain_more() -> None:
    assert limits_of(None) == limits_of(20) == pytest.approx((34.0, 38.05), abs=0.01)
    assert limits_of(40)[0] < limits_of(20)[0] < limits_of(0)[0]
    assert limits_of(40)[1] > limits_of(20)[1] > limits_of(0)[1]
