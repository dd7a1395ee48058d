"""Films are redacted again from their records to the same bytes, without models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check.samples import anonymize, check, kinds_of
from fakes import Folders, UseDetectors, noise, save
from run.test_replay import outputs_in, reasons, replay
from video.film_samples import SquareDetector, write_film

from anonymizer.cli.main import run
from anonymizer.errors import SettingsError
from anonymizer.record.recorded import RecordedPictures
from anonymizer.record.recording import read_recording
from anonymizer.record.report import REPORT_NAME
from anonymizer.record.statistics import collect_statistics
from anonymizer.settings import DetectSettings, RedactSettings, Settings, VideoSettings


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over a film with one face."""
    write_film(folders[0] / "a.mp4", frames=12, size=(160, 96), sounds=["aac"])
    use_detectors(SquareDetector())
    return anonymize(folders, {"redact-zone": {"*": "0,0.7 1,0.7 1,1 0,1"}})


@pytest.mark.parametrize("zones", [{}, {"*": "0,0.7 1,0.7 1,1 0,1"}])
def test_the_same_bytes(folders: Folders, recorded: Path, zones: dict[str, str]) -> None:
    results = replay(folders, Settings(detect=DetectSettings(redact_zone=zones)))
    again = folders[1].parent / "again"
    assert outputs_in(again) == outputs_in(recorded)
    assert [(result.status, result.counts) for result in results] == [
        ("anonymized", {"face": 1, "plate": 0, "area": 1})
    ]
    report = json.loads((again / REPORT_NAME).read_text())
    numbers = {"frames": 12, "seconds": 0.48, "tracks": 1, "frames_looked_at": 0}
    assert numbers.items() <= report["files"][0]["film"].items()


def test_another_method_than_before(folders: Folders, use_detectors: UseDetectors, recorded: Path) -> None:
    other = Settings(redact=RedactSettings(method="solid"))
    replay(folders, other)
    use_detectors(SquareDetector())
    direct = anonymize(
        (folders[0], folders[1].parent / "direct"),
        {"method": "solid", "redact-zone": {"*": "0,0.7 1,0.7 1,1 0,1"}},
    )
    assert outputs_in(folders[1].parent / "again") == outputs_in(direct)


def test_a_replay_can_be_replayed(folders: Folders, recorded: Path) -> None:
    replay(folders)
    replay(folders, name="third", detections=folders[1].parent / "again")
    assert outputs_in(folders[1].parent / "third") == outputs_in(recorded)


def test_a_threshold_drops_the_track(folders: Folders, recorded: Path) -> None:
    (result,) = replay(folders, Settings(detect=DetectSettings(face_threshold=0.95)))
    assert result.counts == {"face": 0, "plate": 0, "area": 1}
    entries = json.loads((folders[1].parent / "again" / "a.json").read_text())
    assert {entry["kind"] for entry in entries} == {"area"}


def test_other_films_are_refused(folders: Folders, recorded: Path) -> None:
    write_film(folders[0] / "a.mp4", frames=12, size=(160, 96), options={"crf": "30"}, sounds=["aac"])
    (reason,) = reasons(replay(folders))
    assert reason is not None
    assert reason.startswith("is another file than its record is of, by their SHA-256")
    assert replay(folders, detections_for="changed")[0].status == "anonymized"
    write_film(folders[0] / "a.mp4", frames=11, size=(160, 96), sounds=["aac"])
    reason = "has 11 frames, and a record that speaks of frame 11"
    assert reasons(replay(folders, detections_for="changed")) == [reason]
    write_film(folders[0] / "a.mp4", frames=12, size=(96, 96), sounds=["aac"])
    reason = "has 96 x 96 pixels in 12 frames, its record is of 160 x 96 pixels in 12 frames"
    assert reasons(replay(folders, detections_for="changed")) == [reason]


def test_films_without_a_record_fail(folders: Folders, recorded: Path) -> None:
    (recorded / "a.json").unlink()
    assert reasons(replay(folders)) == ["has no record: a.json is missing"]
    assert outputs_in(folders[1].parent / "again") == {}


@pytest.mark.parametrize("format_name", ["cvat-video", "mot"])
def test_corrected_in_an_annotation_tool(
    folders: Folders, recorded: Path, tmp_path: Path, format_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folders[0] / "b.png", noise(40, 50))
    anonymize(folders, {"redact-zone": {"*": "0,0.7 1,0.7 1,1 0,1"}})
    labels, same, corrected = (tmp_path / name for name in ("labels", "same", "corrected"))
    command = ["detections", "export", str(recorded), "--format", format_name, "--output", str(labels)]
    capsys.readouterr()
    assert run(command) == 0
    assert capsys.readouterr() == (
        f"1 film (1 face, 0 plates, 1 area): {labels}\n",
        f"anonymize: warning: 1 picture left out: {format_name} is a format of films\n",
    )
    command = ["detections", "import", str(labels), "--format", format_name, "--against", str(recorded), "--into"]
    assert run([*command, str(same)]) == 0
    for name in ("a.json", "b.json"):
        assert (same / name).read_bytes() == (recorded / name).read_bytes()
    (file,) = (path for path in labels.rglob("*") if path.suffix == ".xml" or path.name == "gt.txt")
    drawn = {
        "cvat-video": (
            b"</annotations>",
            b'<track id="9" label="face"><box frame="2" outside="0" xtl="90" ytl="60" xbr="99" ybr="70" />'
            b'<box frame="4" outside="1" xtl="90" ytl="60" xbr="99" ybr="70" /></track></annotations>',
        ),
        "mot": (b"1,1,", b"3,9,90,60,9,10,1,1,1\n4,9,90,60,9,10,1,1,1\n1,1,"),
    }[format_name]
    file.write_bytes(file.read_bytes().replace(*drawn, 1))
    capsys.readouterr()
    assert run([*command, str(corrected)]) == 0
    assert capsys.readouterr().out.startswith("a.mp4: 2 faces added, over all frames\n")
    results = {result.file: result for result in replay(folders, detections=corrected)}
    assert results["a.mp4"].reason is None
    assert results["a.mp4"].counts == {"face": 2, "plate": 0, "area": 1}
    entries = json.loads((folders[1].parent / "again" / "a.json").read_bytes())
    assert [entry["frame"] for entry in entries if entry["x_min"] == 90] == [2, 3]


def test_files_of_unknown_films(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "some.xml"
    file.write_text("<annotations/>")
    command = ["detections", "import", str(file), "--format", "cvat-video", "--against", str(recorded), "--into"]
    assert run([*command, str(tmp_path / "one")]) == 1
    assert "failed: a.mp4: has no <task>" in capsys.readouterr().err
    assert run([*command[:2], str(tmp_path / "nothing"), *command[3:], str(tmp_path / "two")]) == 2
    (tmp_path / "empty").mkdir()
    assert run([*command[:2], str(tmp_path / "empty"), *command[3:], str(tmp_path / "three")]) == 2
    assert "holds no file NAME.xml of a film of the run" in capsys.readouterr().err


def test_statistics_count_tracks(recorded: Path) -> None:
    statistics = collect_statistics(RecordedPictures(recorded, read_recording(recorded)))
    assert {kind: numbers.number for kind, numbers in statistics.kinds.items()} == {"face": 1, "plate": 0, "area": 1}


def test_parts_of_films(folders: Folders, use_detectors: UseDetectors) -> None:
    write_film(folders[0] / "a.mp4", frames=25, size=(160, 96), sounds=["aac"])
    use_detectors(SquareDetector())
    anonymize(folders, {"video-from": 0.2, "video-to": "0:0.6"})
    part = Settings(video=VideoSettings(video_from=0.2, video_to=0.6))
    replay(folders, part)
    again = folders[1].parent / "again"
    assert outputs_in(again) == outputs_in(folders[1])
    assert kinds_of(check(again, against=folders[0])) == []
    with pytest.raises(SettingsError, match=r"of another part of the films: add --video-from 0\.2 --video-to 0\.6"):
        replay(folders, Settings(video=VideoSettings(video_from=0.4, video_to=0.8)), name="other")


def test_records_of_whole_films_are_not_of_a_part(folders: Folders, recorded: Path) -> None:
    with pytest.raises(SettingsError, match="leave out --video-from and --video-to"):
        replay(folders, Settings(video=VideoSettings(video_to=0.3)))
