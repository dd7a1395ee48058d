"""The report of a run says of each picture what there is to replay, or why there is nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from check.samples import anonymize, change_report
from fakes import CrashingDetector, Folders, UseDetectors, noise, save

from anonymizer import anonymize_folder
from anonymizer.errors import SettingsError
from anonymizer.record.recording import read_recording
from anonymizer.record.report import RECORD_FORMAT, REPORT_NAME
from anonymizer.settings import RecordSettings, Settings
from anonymizer.types import Recorded


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over a.png, which is fine, bad.png, and sub/a.png beside sub/a.jpg."""
    for name in ("a.png", "sub/a.png", "sub/a.jpg"):
        save(folders[0] / name, noise(20, 30))
    pixels = noise(20, 30)
    pixels[0, 0] = (255, 0, 0)
    save(folders[0] / "bad.png", pixels)
    use_detectors(CrashingDetector(RuntimeError("boom")))
    return anonymize(folders)


def change_file(output: Path, name: str, **changes: Any) -> None:
    """Replaces values of the entry of a file in the report; None takes one away."""
    files = json.loads((output / REPORT_NAME).read_text())["files"]
    for number, entry in enumerate(files):
        if entry["file"] == name:
            files[number] = {key: value for key, value in (entry | changes).items() if value is not None}
    change_report(output, files=files)


def test_what_is_known_of_each_picture(recorded: Path) -> None:
    recording = read_recording(recorded)
    assert (recording.kinds, recording.has_checksums, recording.finder) == (("face", "plate"), True, None)
    assert [model.kinds for model in recording.models]
    one = recording.of("a.png")
    assert isinstance(one, Recorded)
    assert one.path == recorded / "a.json"
    assert one.source is not None
    assert (one.source.sizes, one.source.frames, len(one.source.sha256)) == (((30, 20),), 1, 64)
    twin = recording.of("sub/a.jpg")
    assert isinstance(twin, Recorded)
    assert twin.path == recorded / "sub" / "a.jpg.json"


def test_pictures_without_a_record(recorded: Path) -> None:
    (recorded / "a.json").unlink()
    recording = read_recording(recorded)
    assert recording.of("a.png") == "has no record: a.json is missing"
    assert recording.of("new.png") == "has no record: the run that recorded the others did not come upon it"
    assert recording.of("bad.png") == (
        "has no record: failed in the run that recorded the others: unexpected RuntimeError: boom"
    )


def test_a_run_that_wrote_no_detections(folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(20, 30))
    use_detectors(CrashingDetector(RuntimeError()))
    anonymize_folder(*folders, Settings(record=RecordSettings(write_detections=False)), workers=0)
    assert read_recording(folders[1]).of("a.png") == (
        "has no record: the run that recorded the others wrote no detections for it"
    )


def test_records_of_versions_that_noted_no_checksums(recorded: Path) -> None:
    report = json.loads((recorded / REPORT_NAME).read_text())
    for entry in report["files"]:
        for key in ("source_sha256", "width", "height", "record"):
            entry.pop(key, None)
    del report["record_format"], report["kinds"]
    (recorded / REPORT_NAME).write_text(json.dumps(report))
    recording = read_recording(recorded)
    assert not recording.has_checksums
    assert recording.of("a.png") == Recorded(recorded / "a.json", None)
    assert recording.of("sub/a.png") == Recorded(recorded / "sub" / "a.png.json", None)
    assert recording.kinds == ("face", "plate")  # those of the models


def test_what_people_had_changed_before(recorded: Path) -> None:
    change_file(recorded, "a.png", edits=[{"entry": 2, "reason": "agreed"}])
    one = read_recording(recorded).of("a.png")
    assert isinstance(one, Recorded)
    assert one.edits == ({"entry": 2, "reason": "agreed", "earlier": True},)
    change_file(recorded, "a.png", edits=["agreed"])
    with pytest.raises(SettingsError, match="is damaged"):
        read_recording(recorded)


def test_pages_of_different_sizes(recorded: Path) -> None:
    change_file(recorded, "a.png", frames=2, sizes=[[3, 4], [5, 6]])
    one = read_recording(recorded).of("a.png")
    assert isinstance(one, Recorded)
    assert one.source is not None
    assert (one.source.frames, one.source.sizes) == (2, ((3, 4), (5, 6)))


@pytest.mark.parametrize("name", ["/etc/passwd", "../in/a.json", "a" * 999, 3])
def test_records_with_impossible_names_are_refused(recorded: Path, name: object) -> None:
    change_file(recorded, "a.png", record=name)
    with pytest.raises(SettingsError, match="is damaged"):
        read_recording(recorded)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"record_format": RECORD_FORMAT + 1}, "was written by version .*, whose records this version cannot read"),
        ({"record_format": "one"}, "is damaged"),
        ({"models": [{}]}, "is damaged"),
        ({"settings": 3}, "is damaged"),
        ({"program": {}}, "is damaged"),
    ],
)
def test_reports_that_cannot_be_used(recorded: Path, changes: dict[str, Any], reason: str) -> None:
    change_report(recorded, **changes)
    with pytest.raises(SettingsError, match=f"report .*{REPORT_NAME} {reason}"):
        read_recording(recorded)


def test_folders_without_a_report(recorded: Path) -> None:
    (recorded / REPORT_NAME).unlink()
    with pytest.raises(SettingsError, match="holds no report"):
        read_recording(recorded)
    with pytest.raises(SettingsError, match="is not a folder"):
        read_recording(recorded / "a.json")
