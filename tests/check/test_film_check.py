"""Films in the gate: every frame is looked at, and judged by the record, the original and what else the file holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from check.film_faces import EverySquareDetector, write_faces
from check.samples import anonymize, check, kinds_of, texts_of
from fakes import FixedDetector, Folders, UseDetectors, face
from video.film_samples import write_film

from anonymizer.geometry import Box
from anonymizer.types import Detection, Pixels, Pixels8
from anonymizer.video.finder import FrameFinder

OPTIONS: dict[str, object] = {"preset": "thorough"}
BROKEN = "recorded as redacted, but the pixels show detail"


@pytest.fixture
def redacted(folders: Folders, use_detectors: UseDetectors) -> Path:
    """An anonymized folder with a film, in which something moves that is found."""
    write_faces(folders[0] / "a.mp4")
    use_detectors(EverySquareDetector())
    return anonymize(folders, OPTIONS)


def entries_of(folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((folder / "a.json").read_text())
    return entries


def rewrite(folder: Path, entries: object) -> None:
    (folder / "a.json").write_text(json.dumps(entries))


def test_own_output_passes(folders: Folders, redacted: Path) -> None:
    assert check(redacted, against=folders[0]) == []


def test_what_is_seen_again_is_noted_once_for_all_frames(redacted: Path, use_detectors: UseDetectors) -> None:
    whole = next(entry for entry in entries_of(redacted) if entry["frame"] == 5)
    use_detectors(FixedDetector(face(*(whole[side] for side in ("x_min", "y_min", "x_max", "y_max")))))
    noted, *further = [one for one in check(redacted) if one.level == "noted"]
    assert len(further) <= 1  # where the object has moved on, but not yet out of reach
    assert (noted.text, noted.track) == ("seen again in a redacted area", 1)
    assert noted.frames is not None
    assert noted.frames[0] <= 1


def test_a_film_in_the_place_of_its_redacted_twin(folders: Folders, redacted: Path) -> None:
    shutil.copy(folders[0] / "a.mp4", redacted / "a.mp4")
    (finding,) = check(redacted)
    assert (finding.kind, finding.level, finding.text, finding.track) == ("face", "finding", BROKEN, 1)
    assert finding.frames == (0, 29)
    assert finding.time_s == pytest.approx(finding.frame / 25)
    texts = texts_of(check(redacted, against=folders[0]))
    assert {"face of the record is not hidden", "face of the original is not hidden"} <= set(texts)


def test_a_film_without_a_record(folders: Folders, redacted: Path) -> None:
    (finding,) = check(folders[0])
    assert (finding.text, finding.level, finding.track, finding.frames) == ("not redacted", "finding", None, (0, 29))


def test_models_are_shown_square_pixels(folders: Folders, use_detectors: UseDetectors) -> None:
    write_film(folders[0] / "a.mp4", frames=3, sar=Fraction(2))
    shapes: set[tuple[int, ...]] = set()

    class Noting(FixedDetector):
        def detect(self, picture: Pixels) -> list[Detection]:
            shapes.add(picture.shape)
            return super().detect(picture)

    use_detectors(Noting(face(40, 10, 80, 30)))
    (finding,) = check(folders[0])
    assert finding.text == "not redacted"
    assert finding.box == Box(20, 10, 40, 30)
    assert shapes == {(64, 192, 3)}


def test_only_some_frames_are_looked_at(redacted: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Pixels8] = []

    def see(finder: FrameFinder, pixels: Pixels8) -> Sequence[Detection]:
        looks.append(pixels)
        return ()

    monkeypatch.setattr(FrameFinder, "find", see)
    assert check(redacted, video_every=7) == []
    assert len(looks) == 5
    assert check(redacted, video_every=7, against=folders[0]) == []
    assert len(looks) == 15


@pytest.mark.parametrize(("level", "frames"), [("warning", [15]), ("finding", [15, 16])])
def test_what_one_frame_alone_shows_is_a_warning(
    folders: Folders, use_detectors: UseDetectors, level: str, frames: list[int]
) -> None:
    """The run sees the second one not at all, the gate with a score that is not sure."""
    write_faces(folders[0] / "a.mkv", codec="ffv1", second=frames)
    use_detectors(EverySquareDetector())
    output = anonymize(folders, {**OPTIONS, "exclude-zone": "0,0.6 1,0.6 1,1 0,1", "video-grace": 0})
    sure = {"face_threshold": 0.85}
    (found,) = [one for one in check(output, against=folders[0], **sure) if one.kind == "uncovered"]
    assert found.level == level
    assert found.text.startswith("face of the original is not hidden")
    assert found.frames == (frames[0], frames[-1])


def test_a_truncated_film_is_unreadable(redacted: Path) -> None:
    content = (redacted / "a.mp4").read_bytes()
    (redacted / "a.mp4").write_bytes(content[:-500])
    found = check(redacted)
    assert kinds_of(found) == [("a.mp4", "unreadable")]
    assert "is cut off" in found[0].text


def test_a_damaged_film_is_unreadable_and_what_was_seen_before_counts(folders: Folders, redacted: Path) -> None:
    content = bytearray((folders[0] / "a.mp4").read_bytes())
    with av.open(str(folders[0] / "a.mp4")) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
    assert packet.pos is not None
    content[packet.pos + 8 : packet.pos + packet.size] = bytes(packet.size - 8)
    (redacted / "a.mp4").write_bytes(content)
    found = check(redacted)
    assert ("a.mp4", "unreadable") in kinds_of(found)
    assert ("a.mp4", "face") in kinds_of(found)


@pytest.mark.parametrize("content", [b"", b"no film", b"#EXTM3U\nfile:///etc/passwd\n"])
def test_what_is_no_film(tmp_path: Path, use_detectors: UseDetectors, content: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(content)
    use_detectors(FixedDetector())
    assert kinds_of(check(tmp_path / "in")) == [("a.mp4", "unreadable")]


def test_a_model_that_fails(folders: Folders, redacted: Path, use_detectors: UseDetectors) -> None:
    class Failing:
        kinds = frozenset(["face"])

        def detect(self, pixels: object) -> list[Detection]:
            raise RuntimeError(f"boom in {redacted}")

    use_detectors(Failing())
    (finding,) = check(redacted)
    assert (finding.kind, finding.text) == ("unreadable", "cannot be checked: unexpected RuntimeError: boom in folder")


def test_a_film_is_known_by_its_content_too(folders: Folders, redacted: Path) -> None:
    (folders[0] / "a.mp4").rename(folders[0] / "hidden.dat")
    assert kinds_of(check(folders[0])) == [("hidden.dat", "face")]


def test_without_pyav_a_film_is_named_and_the_check_fails(redacted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.check.file_check.find_spec", lambda name: None)
    (finding,) = check(redacted)
    assert (finding.file, finding.kind, finding.level) == ("a.mp4", "unreadable", "finding")
    assert "pip install 'anonymizer[video]'" in finding.text


class TestRecord:
    """What is wrong with it is a finding, and it explains nothing from there on."""

    def test_damaged(self, redacted: Path, use_detectors: UseDetectors) -> None:
        (redacted / "a.json").write_text((redacted / "a.json").read_text()[:-30])
        found = check(redacted)
        assert ("a.mp4", "record") in kinds_of(found)
        assert "truncated or not JSON" in found[-1].text or "truncated or not JSON" in found[0].text

    def test_of_another_rhythm(self, redacted: Path) -> None:
        entries = entries_of(redacted)
        rewrite(redacted, [{**entry, "time_s": entry["time_s"] * 2} for entry in entries])
        assert ("a.mp4", "record") in kinds_of(check(redacted))

    def test_longer_than_the_film(self, redacted: Path) -> None:
        rewrite(redacted, [*entries_of(redacted), {**entries_of(redacted)[-1], "frame": 30, "time_s": 1.2}])
        (finding,) = check(redacted)
        assert finding.text == "a.json beside it speaks of frame 30, and the film has 30"

    def test_a_track_that_the_film_does_not_hide(self, folders: Folders, redacted: Path) -> None:
        """Proven frame by frame against the original."""
        extra = [
            {**entry, "x_min": 130.0, "x_max": 154.0, "y_min": 66.0, "y_max": 90.0, "track": 2}
            for entry in entries_of(redacted)
            if entry["frame"] in (7, 8)
        ]
        entries = sorted([*entries_of(redacted), *extra], key=lambda entry: entry["frame"])
        write_faces(folders[0] / "a.mp4", second=range(30))
        write_faces(redacted / "a.mp4", second=range(30), gone=range(30))
        rewrite(redacted, entries)
        found = [one for one in check(redacted, against=folders[0]) if one.text == "face of the record is not hidden"]
        assert [(one.track, one.frames) for one in found] == [(2, (7, 8))]


def test_zones(folders: Folders, use_detectors: UseDetectors) -> None:
    write_faces(folders[0] / "a.mp4", second=range(30))
    use_detectors(FixedDetector())
    zone = {"redact-zone": {"*": "130,66 154,66 154,90 130,90"}, **OPTIONS}
    output = anonymize(folders, zone)
    assert check(output, against=folders[0]) == []
    shutil.copy(folders[0] / "a.mp4", output / "a.mp4")
    found = check(output, against=folders[0])
    assert {("area", BROKEN), ("uncovered", "area of the record is not hidden")} <= {(f.kind, f.text) for f in found}


def test_findings_in_json_carry_frame_time_and_track(folders: Folders, redacted: Path, tmp_path: Path) -> None:
    shutil.copy(folders[0] / "a.mp4", redacted / "a.mp4")
    check(redacted, json=tmp_path / "found.json")
    (entry,) = json.loads((tmp_path / "found.json").read_text())["findings"]
    assert entry["frames"] == [0, 29]
    assert entry["track"] == 1
    assert entry["time_s"] == pytest.approx(entry["frame"] / 25)


def test_the_page_shows_strips_of_tracks_and_a_time_line(folders: Folders, redacted: Path, tmp_path: Path) -> None:
    check(redacted, html=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "track 1: face, 0.00 s to 1.16 s" in page
    assert page.count("<figure>") == 8
    shutil.copy(folders[0] / "a.mp4", redacted / "a.mp4")
    check(redacted, html=tmp_path / "page.html", annotate=tmp_path / "marked")
    page = (tmp_path / "page.html").read_text()
    assert page.count('height="10" fill="#b00020"') == 1
    assert [path.name for path in (tmp_path / "marked").iterdir()] == ["a.mp4.jpg"]


def test_the_baseline_accepts_spans_of_frames(folders: Folders, redacted: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    found = check(folders[0], baseline=known, write_baseline=True)
    assert [one.level for one in found] == ["accepted"]
    assert [one.level for one in check(folders[0], baseline=known)] == ["accepted"]
    write_faces(folders[0] / "a.mp4", frames=31)
    assert [one.level for one in check(folders[0], baseline=known)] == ["finding"]
