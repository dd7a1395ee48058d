"""What people chose to show is noted with their reason; everything else that shows counts as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from check.samples import anonymize, change_report, check, kinds_of, save_moving
from fakes import Folders, KeenDetector, UseDetectors, face, load, noise, save
from video.film_samples import SquareDetector, write_film

from anonymizer import anonymize_folder
from anonymizer.check.choices import Choice, choices_of, note_choices, places_kept
from anonymizer.check.finding import Finding
from anonymizer.check.verdicts import BROKEN
from anonymizer.geometry import Box
from anonymizer.record.report import REPORT_NAME

LEFT, RIGHT = face(20, 20, 60, 60), face(100, 20, 140, 60)
SHOWN = {"file": "a.png", "remove": {"box": [20, 20, 60, 60]}, "kind": "face", "reason": "has agreed", "by": "Ada"}
SMALLER = {"file": "a.png", "resize": {"box": [20, 20, 60, 60]}, "to": {"box": [20, 20, 30, 30]}, "kind": "face"}
HIDDEN = {"file": "a.png", "add": {"box": [20, 100, 60, 140]}, "reason": "a sign"}
BOX = Box(20, 20, 60, 60)
CHOICE = Choice("face", BOX, 0, "has agreed (Ada)")


def replayed(folders: Folders, *edits: dict[str, Any]) -> Path:
    """The output folder of a run from the records in the usual one, edited."""
    (folders[1] / "edits.json").write_text(json.dumps({"edits": edits}))
    output = folders[1].parent / "again"
    report = anonymize_folder(folders[0], output, detections=folders[1], workers=0)
    assert report.exit_code == 0
    return output


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Folders:
    """A run over a.png and b.png with two faces each."""
    for seed, name in enumerate(["a.png", "b.png"]):
        save(folders[0] / name, noise(150, 160, seed=seed))
    use_detectors(KeenDetector(LEFT, RIGHT))
    anonymize(folders)
    return folders


def test_a_replayed_folder_passes(recorded: Folders) -> None:
    assert kinds_of(check(replayed(recorded), against=recorded[0])) == []


@pytest.mark.parametrize("edit", [SHOWN, SMALLER])
def test_a_face_that_an_edit_uncovers_is_noted_with_its_reason(recorded: Folders, edit: dict[str, Any]) -> None:
    found = check(replayed(recorded, edit, HIDDEN), against=recorded[0])
    assert kinds_of(found) == []
    noted = [finding for finding in found if finding.level == "noted" and "by choice" in finding.text]
    why = "has agreed (Ada)" if edit is SHOWN else "no reason given"
    assert [(finding.file, finding.kind, finding.text.endswith(f", by choice: {why}")) for finding in noted] == [
        ("a.png", "face", True),
        ("a.png", "uncovered", True),
    ]
    assert all(finding.box == BOX for finding in noted)


def test_a_replay_of_an_edited_folder_still_says_who_chose(recorded: Folders) -> None:
    output = replayed(recorded, SHOWN)
    third = output.parent / "third"
    report = anonymize_folder(recorded[0], third, detections=output, workers=0)
    assert [[edit.get("earlier") for edit in result.edits] for result in report.results] == [[True], []]
    assert (third / "a.png").read_bytes() == (output / "a.png").read_bytes()
    assert kinds_of(check(third, against=recorded[0])) == []


def test_what_only_people_saw_must_be_hidden_too(recorded: Folders) -> None:
    output = replayed(recorded, {**HIDDEN, "kind": "plate"})
    assert kinds_of(check(output, against=recorded[0])) == []
    pixels = load(output / "a.png").copy()
    pixels[100:140, 20:60] = load(recorded[0] / "a.png")[100:140, 20:60]
    save(output / "a.png", pixels)
    (finding,) = [one for one in check(output, against=recorded[0]) if one.level == "finding"]
    assert (finding.kind, finding.text, finding.box) == (
        "uncovered",
        "plate of the original is not hidden",
        Box(20, 100, 60, 140),
    )


def test_without_the_originals_too(recorded: Folders) -> None:
    found = check(replayed(recorded, SHOWN))
    assert kinds_of(found) == []
    assert kinds_of(found, "noted") == [("a.png", "face")]


def test_without_the_choice_in_the_report_it_is_an_alarm(recorded: Folders) -> None:
    output = replayed(recorded, SHOWN)
    files = json.loads((output / REPORT_NAME).read_text())["files"]
    del files[0]["edits"]
    change_report(output, files=files)
    assert kinds_of(check(output, against=recorded[0])) == [("a.png", "face"), ("a.png", "uncovered")]


def test_a_choice_explains_nothing_else(recorded: Folders) -> None:
    output = replayed(recorded, SHOWN)
    (output / "b.png").write_bytes((recorded[0] / "b.png").read_bytes())
    findings = check(output, against=recorded[0])
    assert {finding.file for finding in findings if finding.level == "finding"} == {"b.png"}
    (output / "a.png").write_bytes((recorded[0] / "a.png").read_bytes())
    boxes = {finding.box for finding in check(output) if (finding.file, finding.level) == ("a.png", "finding")}
    assert boxes == {RIGHT.box}


def test_frames_beside_the_one_that_was_edited(folders: Folders, use_detectors: UseDetectors) -> None:
    save_moving(folders[0] / "a.png", *(noise(150, 160, seed=seed) for seed in range(3)))
    use_detectors(KeenDetector(LEFT))
    anonymize(folders)
    found = check(replayed(folders, *({**SHOWN, "frame": frame} for frame in range(3))), against=folders[0])
    assert kinds_of(found) == []
    assert {finding.frame for finding in found if "by choice" in finding.text} == {0, 1, 2}


def test_what_counts_as_chosen() -> None:
    def noted(finding: Finding, is_animation: bool = False) -> bool:
        return note_choices([finding], [CHOICE], is_animation)[0].level == "noted"

    near, away = Box(22, 20, 62, 60), Box(50, 20, 90, 60)
    assert noted(Finding("a", "face", "not redacted", "finding", near, 0.9))
    assert noted(Finding("a", "uncovered", "not hidden", "warning", near, 0.9))
    assert not noted(Finding("a", "face", "not redacted", "finding", away, 0.9))
    assert not noted(Finding("a", "plate", "not redacted", "finding", near, 0.9))
    assert not noted(Finding("a", "face", BROKEN, "finding", near, 0.9))
    assert not noted(Finding("a", "changed", "pixels differ", "finding"))
    assert not noted(Finding("a", "face", "known", "accepted", near, 0.9))
    later = Finding("a", "face", "not redacted", "finding", near, 0.9, frame=1)
    assert (noted(later), noted(later, is_animation=True)) == (False, True)


def test_choices_in_a_report() -> None:
    found = {"box": [20, 20, 60, 60], "score": 0.9}
    edits: list[Any] = [
        {"entry": 1, "remove": {}, "kind": "face", "found": found, "reason": "has agreed", "by": "Ada"},
        {"entry": 2, "add": {}, "kind": "face"},
        {
            "entry": 3,
            "resize": {},
            "kind": "area",
            "frame": 2,
            "at": "today",
            "found": {"polygon": [[1, 2], [3, 2], [1, 4]], "score": 1},
        },
        {"entry": 4, "remove": {}, "kind": "face"},
        {"entry": 5, "remove": {}, "kind": "face", "found": {"box": [1, 2]}},
        {"entry": 6, "remove": {}, "kind": "face", "found": 3},
        "remove",
        None,
    ]
    assert choices_of({"edits": edits}) == (CHOICE, Choice("area", Box(1, 2, 3, 4), 2, "no reason given (today)"))
    assert choices_of({}) == choices_of({"edits": 3}) == ()


TRACK = {
    "remove": {"track": 3},
    "kind": "face",
    "track": 3,
    "reason": "has agreed",
    "found": {
        "box": [20, 20, 60, 60],
        "score": 0.9,
        "path": [[4, 0, 0, 40, 40], [8, 40, 0, 80, 40], [9, 50, 0, 90, 40]],
    },
}


def test_a_track_of_a_film_that_stays_visible_is_where_it_was() -> None:
    (choice,) = choices_of({"edits": [TRACK]})
    assert choice.frames == range(4, 10)
    places = [choice.place_in(frame) for frame in (3, 4, 6, 8, 9, 20)]
    assert [place.xyxy[0] for place in places if isinstance(place, Box)] == [0, 0, 20, 40, 50, 50]
    findings = [
        Finding("a.mp4", "face", "", "finding", Box(x, 0, x + 40, 40), 0.9, frame)
        for frame, x in ((2, 0), (3, 0), (4, 0), (6, 20), (6, 50), (8, 40), (10, 50), (11, 50))
    ]
    levels = [finding.level for finding in note_choices(findings, [choice], is_animation=True)]
    assert levels == ["finding", "noted", "noted", "noted", "finding", "noted", "noted", "finding"]


def test_a_place_of_a_film_that_is_kept_for_a_while() -> None:
    (choice,) = choices_of({"edits": [{"keep": {"box": [0, 0, 9, 9]}, "span": [1, 2], "frames": [25, 50]}]})
    assert [len(places_kept([choice], frame)) for frame in (24, 25, 50, 51)] == [0, 1, 1, 0]


def test_films_with_edits_pass(folders: Folders, use_detectors: UseDetectors) -> None:
    write_film(folders[0] / "a.mp4", frames=20, size=(160, 96))
    use_detectors(SquareDetector())
    anonymize(folders)
    assert kinds_of(check(folders[1], against=folders[0])) == []
    assert kinds_of(check(replayed(folders), against=folders[0])) == []
    output = replayed(folders, {"file": "a.mp4", "remove": {"track": 1}, "kind": "face", "reason": "has agreed"})
    found = check(output, against=folders[0])
    assert kinds_of(found) == []
    noted = [finding for finding in found if finding.level == "noted"]
    assert {finding.text.rpartition(", ")[2] for finding in noted} == {"by choice: has agreed"}
    assert {finding.kind for finding in noted} == {"face", "uncovered"}
    part = {"file": "a.mp4", "remove": {"track": 1}, "kind": "face", "span": [0.2, 0.4]}
    drawn = {"file": "a.mp4", "add": {"box": [100, 60, 130, 90]}, "frame": 3, "kind": "face"}
    assert kinds_of(check(replayed(folders, part, drawn), against=folders[0])) == []
