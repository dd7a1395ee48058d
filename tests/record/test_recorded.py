"""One record after the other, and those that cannot be read by name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from check.samples import anonymize, change_report, save_moving
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer.geometry import Box
from anonymizer.record.recorded import RecordedPictures
from anonymizer.record.recording import read_recording
from anonymizer.record.report import REPORT_NAME

FOUND = replace(face(5, 5, 15, 15), extent=Box(4, 5, 16, 17))


@pytest.fixture
def run(folders: Folders, use_detectors: UseDetectors) -> Path:
    for name in ("a.png", "b.png"):
        save(folders[0] / name, noise(20, 30))
    save_moving(folders[0] / "moving.gif", noise(20, 30), noise(20, 30, seed=1))
    use_detectors(FixedDetector(FOUND))
    return anonymize(folders)


def pictures_of(run: Path) -> RecordedPictures:
    return RecordedPictures(run, read_recording(run))


def test_what_is_read(run: Path) -> None:
    pictures = {picture.name: picture for picture in pictures_of(run)}
    assert set(pictures) == {"a.png", "b.png", "moving.gif"}
    one = pictures["a.png"]
    assert (one.record, one.size) == (Path("a.json"), (30, 20))
    assert one.content == (run / "a.json").read_bytes()
    assert [list(frame.detections) for frame in one.frames] == [[FOUND]]
    assert [list(frame.detections) for frame in pictures["moving.gif"].frames] == [[FOUND], [FOUND]]


def test_problems(run: Path) -> None:
    (run / "a.json").write_bytes((run / "a.json").read_bytes()[:50])
    (run / "b.json").unlink()
    pictures = pictures_of(run)
    assert [picture.name for picture in pictures] == ["moving.gif"]
    assert pictures.problems["a.png"].startswith("has a damaged record a.json: truncated or not JSON")
    assert pictures.problems["b.png"] == "has no record: b.json is missing"


def test_reports_without_sizes(run: Path) -> None:
    files = json.loads((run / REPORT_NAME).read_text())["files"]
    change_report(run, files=[{k: v for k, v in entry.items() if k != "source_sha256"} for entry in files])
    pictures = pictures_of(run)
    assert not list(pictures)
    assert "version 0.2.0 and earlier did not write" in pictures.problems["a.png"]
