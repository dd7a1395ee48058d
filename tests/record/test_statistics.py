import json
from dataclasses import replace
from pathlib import Path

import pytest
from check.samples import anonymize, change_report
from fakes import CrashingDetector, FixedDetector, Folders, UseDetectors, face, noise, plate, save

from anonymizer.record.recorded import RecordedPictures
from anonymizer.record.recording import read_recording
from anonymizer.record.report import REPORT_NAME
from anonymizer.record.statistics import DOUBT, Concern, Statistics, collect_statistics, size_classes, thresholds_of


@pytest.fixture
def run(folders: Folders, use_detectors: UseDetectors) -> Path:
    """Two pictures with a sure face of 20 pixels, a doubtful one of 10, and a sure plate of 6 x 40 pixels."""
    for name in ("a.png", "b.png"):
        save(folders[0] / name, noise(60, 80))
    found = [face(5, 5, 25, 25, 0.95), face(30, 5, 40, 15, 0.21), plate(30, 40, 70, 46, 0.9)]
    use_detectors(FixedDetector(*found, kinds=["face", "plate"]))
    output = anonymize(folders)
    model = {"name": "x", "sha256": "0", "kinds": ["face", "plate"], "thresholds": {"face": 0.2, "plate": 0.55}}
    change_report(output, models=[model])
    return output


def statistics_of(run: Path) -> Statistics:
    return collect_statistics(RecordedPictures(run, read_recording(run)))


def test_numbers(run: Path) -> None:
    statistics = statistics_of(run)
    assert (statistics.pictures, statistics.without_detections, statistics.failures) == (2, 0, 0)
    faces, plates = statistics.kinds["face"], statistics.kinds["plate"]
    assert (faces.number, faces.doubtful, faces.tiny) == (4, 2, 2)
    assert (plates.number, plates.doubtful, plates.tiny) == (2, 0, 2)
    assert (faces.scores[4], faces.scores[19], sum(faces.scores)) == (2, 2, 4)
    assert faces.sizes == [0, 2, 2, 0, 0, 0, 0]
    assert plates.sizes == [2, 0, 0, 0, 0, 0, 0]
    assert len(size_classes()) == len(faces.sizes)


def test_pictures_that_need_an_eye(run: Path) -> None:
    records = json.loads((run / "b.json").read_text())
    records[1]["score"] = 0.2
    (run / "b.json").write_text(json.dumps(records))
    first, second = statistics_of(run).concerns
    assert (first.picture, first.doubtful, first.tiny, first.lowest) == (
        "b.png",
        {"face": 1},
        {"face": 1, "plate": 1},
        0,
    )
    assert second.picture == "a.png"
    assert 0 < second.lowest < DOUBT


def test_failures_come_first(folders: Folders, use_detectors: UseDetectors) -> None:
    red = noise(60, 80)
    red[0, 0] = (255, 0, 0)
    save(folders[0] / "z.png", red)
    save(folders[0] / "a.png", noise(60, 80))
    use_detectors(CrashingDetector(RuntimeError("boom")))
    statistics = statistics_of(anonymize(folders))
    assert (statistics.pictures, statistics.without_detections, statistics.failures) == (1, 1, 1)
    (concern,) = statistics.concerns
    assert concern.picture == "z.png"
    assert concern.failure is not None
    assert "boom" in concern.failure


def test_urgency() -> None:
    sorted_concerns = [
        Concern("z", failure="x"),
        Concern("y", doubtful={"face": 2, "plate": 1}),
        Concern("x", doubtful={"face": 2}, lowest=0.01),
        Concern("w", doubtful={"face": 2}, lowest=0.02),
        Concern("v", tiny={"face": 2}),
        Concern("a", tiny={"face": 1}),
        Concern("b", tiny={"face": 1}),
    ]
    mixed = [*sorted_concerns[4:], *sorted_concerns[:4]]
    assert sorted(mixed, key=lambda concern: concern.urgency) == sorted_concerns


def test_without_thresholds_nothing_is_doubtful(run: Path) -> None:
    """Records of a finder of one's own have none, and people give none."""
    change_report(run, models=[])
    recording = read_recording(run)
    assert set(thresholds_of(recording).values()) == {0.0}
    assert statistics_of(run).kinds["face"].doubtful == 0


def test_the_lowest_threshold_counts(run: Path) -> None:
    recording = read_recording(run)
    (model,) = recording.models
    other = replace(model, thresholds={"face": 0.1})
    assert thresholds_of(replace(recording, models=[model, other]))["face"] == 0.1
    assert (run / REPORT_NAME).is_file()
