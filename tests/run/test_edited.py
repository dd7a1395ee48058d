"""Runs with edits: beside records or of their own, what they change, what the report says, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from check.samples import anonymize, check, save_moving
from fakes import FixedDetector, Folders, KeenDetector, UseDetectors, face, load, noise, save
from run.reruns import redone

from anonymizer import anonymize_folder
from anonymizer.errors import SettingsError
from anonymizer.files.read import read_picture
from anonymizer.geometry import Box
from anonymizer.outlines import RestOutline
from anonymizer.record.detections import from_json
from anonymizer.record.report import REPORT_NAME, Report
from anonymizer.settings import DetectSettings, RecordSettings, RedactSettings, Settings, Shard

LEFT, RIGHT = face(5, 5, 15, 15), face(30, 5, 40, 15)
SHOW_LEFT = {"file": "a.png", "remove": {"box": [5, 5, 15, 15]}, "kind": "face", "reason": "agreed", "by": "Ada"}
HIDE_BELOW = {"file": "a.png", "add": {"box": [5, 28, 15, 36]}, "kind": "plate", "reason": "a sign"}


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over a.png and b.png, two faces in each."""
    for seed, name in enumerate(["a.png", "b.png"]):
        save(folders[0] / name, noise(40, 50, seed=seed))
    use_detectors(FixedDetector(LEFT, RIGHT))
    return anonymize(folders)


def write_edits(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"edits": entries}))
    return path


def replay(folders: Folders, settings: Settings = Settings(), **options: Any) -> tuple[Report, Path]:
    """Redacts from the output folder into another one beside it."""
    output = folders[1].parent / "again"
    return anonymize_folder(folders[0], output, settings, detections=folders[1], workers=0, **options), output


def is_hidden(output: Path, source: Path, rows: slice, columns: slice, name: str = "a.png") -> bool:
    return bool((load(output / name)[rows, columns] != load(source / name)[rows, columns]).mean() > 0.5)


def test_edits_beside_records(folders: Folders, recorded: Path) -> None:
    before = (recorded / "a.json").read_bytes()
    write_edits(recorded / "edits.json", SHOW_LEFT, HIDE_BELOW)
    report, output = replay(folders)
    assert [result.status for result in report.results] == ["anonymized", "anonymized"]
    assert not is_hidden(output, folders[0], slice(5, 15), slice(5, 15))
    assert is_hidden(output, folders[0], slice(5, 15), slice(30, 40))
    assert is_hidden(output, folders[0], slice(28, 36), slice(5, 15))
    assert is_hidden(output, folders[0], slice(5, 15), slice(5, 15), "b.png")
    assert (recorded / "a.json").read_bytes() == before
    written = from_json((output / "a.json").read_bytes())[0].detections
    assert [(one.kind, one.box.xyxy, one.score) for one in written] == [
        ("face", (30, 5, 40, 15), 0.9),
        ("plate", (5, 28, 15, 36), 1.0),
    ]
    one, other = json.loads((output / REPORT_NAME).read_text())["files"]
    assert one["edits"] == [
        {
            "entry": 1,
            "remove": {"box": [5, 5, 15, 15]},
            "kind": "face",
            "reason": "agreed",
            "by": "Ada",
            "found": {"box": [5, 5, 15, 15], "score": 0.9},
        },
        {"entry": 2, "add": {"box": [5, 28, 15, 36]}, "kind": "plate", "reason": "a sign"},
    ]
    assert one["detections"] == {"face": 1, "plate": 1}
    assert "edits" not in other


def test_a_picture_called_edits(folders: Folders, recorded: Path) -> None:
    save(folders[0] / "edits.png", noise(40, 50))
    anonymize(folders)
    assert (recorded / "edits.json").read_bytes() == (recorded / "a.json").read_bytes()
    report, _ = replay(folders)
    assert report.exit_code == 0
    (recorded / "edits.yaml").write_text(json.dumps({"edits": [SHOW_LEFT]}))
    report, _ = replay(folders)
    assert [len(result.edits) for result in report.results] == [1, 0, 0]


def test_an_edit_that_is_taken_back_leaves_no_trace(folders: Folders, recorded: Path) -> None:
    edits = write_edits(recorded / "edits.json", SHOW_LEFT)
    _, output = replay(folders)
    assert (output / "a.png").read_bytes() != (recorded / "a.png").read_bytes()
    edits.unlink()
    replay(folders)
    for name in ("a.png", "a.json", "b.png", "b.json"):
        assert (output / name).read_bytes() == (recorded / name).read_bytes()


def test_only_the_pictures_of_changed_edits_are_done_again(folders: Folders, recorded: Path) -> None:
    edits = write_edits(recorded / "edits.json", SHOW_LEFT)
    again = (folders[0], folders[1].parent / "again")
    assert redone(again, detections=recorded, workers=0) == ["a.png", "b.png"]
    assert redone(again, detections=recorded, workers=0) == []
    write_edits(edits, SHOW_LEFT, HIDE_BELOW)
    assert redone(again, detections=recorded, workers=0) == ["a.png"]
    entry = json.loads((again[1] / REPORT_NAME).read_text())["files"][0]
    assert len(entry["edits"]) == 2
    assert redone(again, detections=recorded, workers=0) == []
    assert json.loads((again[1] / REPORT_NAME).read_text())["files"][0]["edits"] == entry["edits"]


def test_edits_of_a_run_that_detects(folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    save(folders[0] / "a.png", noise(40, 50))
    use_detectors(FixedDetector(LEFT, RIGHT))
    edits = write_edits(tmp_path / "mine.json", SHOW_LEFT)
    report = anonymize_folder(*folders, workers=0, edits=edits)
    assert [len(result.edits) for result in report.results] == [1]
    assert not is_hidden(folders[1], folders[0], slice(5, 15), slice(5, 15))


def test_a_file_that_is_named_takes_the_place_of_that_beside_the_records(
    folders: Folders, recorded: Path, tmp_path: Path
) -> None:
    write_edits(recorded / "edits.json", SHOW_LEFT)
    _, output = replay(folders, edits=write_edits(tmp_path / "mine.json"))
    assert (output / "a.png").read_bytes() == (recorded / "a.png").read_bytes()


def test_an_edit_that_matches_nothing_fails_its_picture(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", SHOW_LEFT, SHOW_LEFT)
    report, output = replay(folders)
    assert report.exit_code == 1
    assert [(result.status, result.reason) for result in report.results] == [
        ("failed", "does not fit its edits, edits.json entry 2: a face to remove is not there"),
        ("anonymized", None),
    ]
    assert not (output / "a.png").exists()
    assert not (output / "a.json").exists()


def test_edits_of_pictures_that_are_not_there(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", SHOW_LEFT, {**SHOW_LEFT, "file": "c.png"})
    with pytest.raises(SettingsError, match=r"edits .*edits\.json: entry 2: .*in holds no picture c\.png"):
        replay(folders)
    assert not (folders[1].parent / "again").exists()


def test_edits_of_files_that_the_listing_passes_over(folders: Folders, recorded: Path) -> None:
    (folders[0] / "c.txt").touch()
    write_edits(recorded / "edits.json", SHOW_LEFT, {**SHOW_LEFT, "file": "c.txt"})
    report, _ = replay(folders)
    failed = [result for result in report.results if result.status == "failed"]
    assert [(result.file, result.reason) for result in failed] == [
        ("c.txt", "has an edit, edits.json entry 2, and is not in the listing")
    ]
    assert report.exit_code == 1


def test_each_share_has_its_own_edits(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", SHOW_LEFT, {**SHOW_LEFT, "file": "b.png"})
    reports = [replay(folders, shard=Shard(number, 2))[0] for number in (1, 2)]
    assert [report.exit_code for report in reports] == [0, 0]
    done = sorted(result.file for report in reports for result in report.results if result.edits)
    assert done == ["a.png", "b.png"]


def test_places_are_kept_only_where_everything_else_is_hidden(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", SHOW_LEFT, {"file": "a.png", "keep": {"box": [1, 2, 3, 4]}})
    with pytest.raises(SettingsError, match="entry 2: a place can be kept only with --hide-all-but"):
        replay(folders)


ALL_BUT = Settings(detect=DetectSettings(hide_all_but=True), redact=RedactSettings("solid", feather=0.1))


def test_all_is_hidden_but_what_is_kept(folders: Folders, recorded: Path) -> None:
    keep = {"file": "a.png", "keep": {"box": [4, 3.5, 17, 16]}, "reason": "agreed"}
    write_edits(recorded / "edits.json", keep)
    report, output = replay(folders, ALL_BUT)
    assert [result.status for result in report.results] == ["anonymized", "anonymized"]
    before, after = load(folders[0] / "a.png"), load(output / "a.png")
    kept = np.zeros((40, 50), bool)
    kept[4:16, 4:17] = True
    assert not after[~kept].any()
    assert (after == before)[6:14, 6:15].all()  # but for the soft edge, which lies in what is kept
    assert not load(output / "b.png").any()  # nothing is approved there
    assert [dict(edit)["keep"] for edit in next(iter(report.results)).edits] == [{"box": [4, 3.5, 17, 16]}]
    written = from_json((output / "a.json").read_bytes())[0].detections
    assert [one.kind for one in written] == ["face", "area"]
    assert written[0].box == RIGHT.box
    assert written[1].outline == RestOutline((40, 50), (Box(4, 3.5, 17, 16),))
    assert {finding.level for finding in check(output, against=folders[0])} == {"noted"}


def test_what_people_and_zones_hide_stays_hidden_where_all_else_is_kept(folders: Folders, recorded: Path) -> None:
    everything = {"file": "a.png", "keep": {"polygon": [[0, 0], [50, 0], [50, 40], [0, 40]]}}
    write_edits(recorded / "edits.json", everything, {**HIDE_BELOW, "kind": "area"})
    settings = replace(ALL_BUT, detect=DetectSettings(hide_all_but=True, redact_zone="0.5,0.5 1,0.5 1,1 0.5,1"))
    _, output = replay(folders, settings)
    after = load(output / "a.png")
    assert not after[28:36, 5:15].any()
    assert not after[20:, 25:].any()
    assert (after == load(folders[0] / "a.png"))[10:18, 10:40].all()


def test_the_gate_knows_what_was_kept_and_what_was_not(
    folders: Folders, recorded: Path, use_detectors: UseDetectors
) -> None:
    write_edits(recorded / "edits.json", {"file": "a.png", "keep": {"box": [0, 0, 20, 20]}, "reason": "agreed"})
    _, output = replay(folders, replace(ALL_BUT, record=RecordSettings(write_detections=False)))
    use_detectors(KeenDetector(LEFT, RIGHT))
    found = check(output, against=folders[0])
    assert {(finding.file, finding.level) for finding in found} == {("a.png", "noted")}
    assert any(finding.text.endswith("by choice: agreed") for finding in found)
    for name in ("a.png", "b.png"):
        save(output / name, load(folders[0] / name))
    found = [finding for finding in check(output) if finding.level == "finding" and finding.kind == "area"]
    assert [(finding.file, finding.text) for finding in found] == [
        (name, "recorded as redacted, but the pixels show detail") for name in ("a.png", "b.png")
    ]


def test_each_frame_keeps_its_own_places(folders: Folders, use_detectors: UseDetectors) -> None:
    save_moving(folders[0] / "a.png", *(noise(40, 50, seed=seed) for seed in range(3)))
    use_detectors(FixedDetector())
    anonymize(folders)
    write_edits(folders[1] / "edits.json", {"file": "a.png", "frame": 1, "keep": {"box": [0, 0, 20, 20]}})
    _, output = replay(folders, ALL_BUT)
    visible = [bool(frame.pixels[5:15, 5:15].any()) for frame in read_picture(output / "a.png").frames]
    assert visible == [False, True, False]


def test_a_later_run_may_keep_other_places(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", {"file": "a.png", "keep": {"box": [0, 0, 20, 20]}})
    _, output = replay(folders, ALL_BUT)
    write_edits(output / "edits.json", {"file": "a.png", "keep": {"box": [0, 20, 20, 40]}})
    again = output.parent / "third"
    anonymize_folder(folders[0], again, ALL_BUT, detections=output, workers=0)
    after = load(again / "a.png")
    assert not after[:20].any()
    assert after[25:38, 2:18].any()


def test_reasons_can_be_required(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", {key: value for key, value in SHOW_LEFT.items() if key != "reason"})
    with pytest.raises(SettingsError, match=r"edits edits\.json: entry 1 gives no reason, as --require-reason asks"):
        replay(folders, require_reason=True)
    report, _ = replay(folders)
    assert report.exit_code == 0


def test_frames_of_animations(folders: Folders, use_detectors: UseDetectors) -> None:
    save_moving(folders[0] / "a.png", *(noise(40, 50, seed=seed) for seed in range(3)))
    use_detectors(FixedDetector(LEFT))
    anonymize(folders)
    write_edits(folders[1] / "edits.json", *({**SHOW_LEFT, "frame": frame} for frame in range(3)), HIDE_BELOW)
    report, output = replay(folders)
    assert report.exit_code == 0
    assert [len(frame.detections) for frame in from_json((output / "a.json").read_bytes()).values()] == [1, 1, 1]
    assert not is_hidden(output, folders[0], slice(5, 15), slice(5, 15))


def test_what_is_added_is_hidden_where_nothing_else_is(folders: Folders, recorded: Path) -> None:
    write_edits(recorded / "edits.json", {"file": "a.png", "add": {"box": [5, 28, 15, 36]}})
    report, output = replay(folders, Settings(redact=RedactSettings("none", area_method="solid")))
    assert [result.counts["area"] for result in report.results] == [1, 0]
    assert is_hidden(output, folders[0], slice(28, 36), slice(5, 15))
    assert not is_hidden(output, folders[0], slice(5, 15), slice(5, 15))


OUTLINES: list[dict[str, Any]] = [
    {"polygon": [[6, 26], [20, 26], [20, 38], [6, 38]]},
    {"ellipse": {"center": [13, 32], "semi_axes": [9, 6], "degrees": 20}},
    {"stroke": {"points": [[6, 32], [20, 32]], "width": 9}},
]


@pytest.mark.parametrize("outline", OUTLINES)
def test_outlines_are_hidden_and_replayed(folders: Folders, recorded: Path, outline: dict[str, Any]) -> None:
    write_edits(recorded / "edits.json", {"file": "a.png", "add": outline}, {"file": "b.png", "add": outline})
    _, output = replay(folders)
    assert is_hidden(output, folders[0], slice(30, 34), slice(9, 17))
    third = folders[1].parent / "third"
    settings = Settings(detect=DetectSettings("face", face_threshold=0.5, exclude_zone="0,0.5 1,0.5 1,1 0,1"))
    anonymize_folder(folders[0], third, settings, detections=output, workers=0)
    for name in ("a.png", "a.json", "b.png", "b.json"):  # neither kinds nor zones nor thresholds uncover an area
        assert (third / name).read_bytes() == (output / name).read_bytes()
