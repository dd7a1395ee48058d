"""Films are redacted again from their records to the same bytes, without models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check.samples import anonymize
from fakes import Folders, UseDetectors
from run.test_replay import outputs_in, reasons, replay
from video.film_samples import SquareDetector, write_film

from anonymizer.record.report import REPORT_NAME
from anonymizer.settings import DetectSettings, RedactSettings, Settings


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
