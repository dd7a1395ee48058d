from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from fakes import FixedDetector, Folders, UseDetectors, face, load, noise, save

from anonymizer import anonymize_folder
from anonymizer.errors import SettingsError
from anonymizer.record.report import REPORT_NAME
from anonymizer.settings import RedactSettings, ReviewSettings, Settings
from anonymizer.web.problems import Problem
from anonymizer.web.review import Review, open_review

REMOVE = {"remove": {"box": [5.0, 5.0, 15.0, 15.0]}, "kind": "face"}
ADD = {"add": {"box": [30.0, 20.0, 40.0, 30.0]}, "kind": "area"}


@pytest.fixture
def finished(folders: Folders, use_detectors: UseDetectors) -> Folders:
    """Two pictures with a face each, and what a run made of them."""
    source, target = folders
    use_detectors(FixedDetector(face(5, 5, 15, 15, 0.9)))
    save(source / "a.png", noise(40, 50))
    save(source / "sub/b.png", noise(40, 50, seed=1))
    (source / "c.png").write_bytes(b"\x89PNG, damaged")
    anonymize_folder(source, target, Settings(redact=RedactSettings("solid")))
    return folders


def reviewed(folders: Folders, **settings: object) -> Review:
    source, target = folders
    return open_review(target, ReviewSettings(source, workers=0, **settings))  # type: ignore[arg-type]


def post(review: Review, name: str, *entries: object) -> None:
    review.save(review.names.index(name), json.dumps(entries).encode())


def test_it_tells_what_was_found_and_what_failed(finished: Folders) -> None:
    review = reviewed(finished)
    described: Any = review.describe()
    a, c, b = described["pictures"]
    assert (a["name"], b["name"], c["name"]) == ("a.png", "sub/b.png", "c.png")
    assert a["sizes"] == [[50, 40]]
    assert [entry["score"] for entry in a["detections"]] == [0.9]
    assert a["edits"] == []
    assert "failed in the run" in c["problem"]
    assert review.settings.redact.method == "solid"


def test_originals_are_those_that_were_recorded(finished: Folders) -> None:
    source, _ = finished
    review = reviewed(finished)
    assert review.original(0) == (source / "a.png").read_bytes()
    save(source / "a.png", noise(40, 50, seed=9))
    with pytest.raises(Problem, match="another file"):
        review.original(0)
    (source / "a.png").unlink()
    with pytest.raises(Problem, match="no such file"):
        review.original(0)
    for number in (-1, 1, 99):
        with pytest.raises(Problem):
            review.original(number)


def test_links_out_of_the_folder_are_not_followed(finished: Folders, tmp_path: Path) -> None:
    source, _ = finished
    (source / "a.png").rename(tmp_path / "secret.png")
    (source / "a.png").symlink_to(tmp_path / "secret.png")
    review = reviewed(finished)
    with pytest.raises(Problem, match="no such file"):
        review.original(0)
    (source / "a.png").unlink()
    (source / "a.png").symlink_to("a.png")
    with pytest.raises(Problem, match="no such file"):
        review.original(0)
    (source / "a.png").unlink()
    os.mkfifo(source / "a.png")
    with pytest.raises(Problem, match="no such file"):
        review.original(0)


def test_what_something_else_has_written_meanwhile_is_not_lost(finished: Folders) -> None:
    path = finished[1] / "edits.yaml"
    review, other = reviewed(finished), reviewed(finished)
    post(review, "a.png", ADD)
    post(review, "a.png", REMOVE)
    before = path.read_bytes()
    with pytest.raises(Problem, match=r"edits\.yaml has changed"):
        post(other, "sub/b.png", ADD)
    assert path.read_bytes() == before
    assert not other.edits
    path.unlink()
    with pytest.raises(Problem, match=r"edits\.yaml has changed"):
        post(review, "a.png", ADD)
    assert not path.exists()
    with pytest.raises(Problem, match=r"edits\.yaml has changed"):
        review.redact_again()  # else what people see as hidden would be visible


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"add": {"box": [60, 20, 70, 30]}, "kind": "area"}, r"outside the 50 x 40 pixels"),
        ({"add": {"box": [-9, -9, -2, -2]}, "kind": "area"}, r"outside the 50 x 40 pixels"),
        ({**ADD, "frame": 3}, "frame 3 is beyond"),
        ({"remove": {"box": [30, 20, 40, 30]}, "kind": "face"}, "the picture does not fit its edits"),
    ],
)
def test_edits_that_do_not_fit_the_picture_are_refused_at_once(
    finished: Folders, entry: dict[str, object], reason: str
) -> None:
    review = reviewed(finished)
    post(review, "a.png", REMOVE)
    before = (finished[1] / "edits.yaml").read_bytes()
    with pytest.raises(Problem, match=reason) as caught:
        post(review, "a.png", ADD, entry)
    assert caught.value.status == 400
    assert (finished[1] / "edits.yaml").read_bytes() == before
    post(review, "a.png", ADD)


@pytest.mark.parametrize("reason", ["\x85x", "\ud800", "é\0\x1b\u2028\r\n- file: x", "\U0001f600: #'\""])
def test_the_file_can_be_read_again_whatever_is_written_into_it(finished: Folders, reason: str) -> None:
    review = reviewed(finished)
    post(review, "a.png", ADD)
    try:
        post(review, "a.png", {**ADD, "reason": reason}, REMOVE)
    except Problem:
        assert reason == "\x85x", "YAML takes it for the end of a line"
    (edit, *_) = reviewed(finished).edits["a.png"]
    assert edit.reason in (None, reason)
    assert edit.file == "a.png"
    post(review, "sub/b.png", ADD)
    assert "2 pictures" in review.redact_again()


def test_names_need_not_be_text(folders: Folders, use_detectors: UseDetectors) -> None:
    source, target = folders
    use_detectors(FixedDetector(face(5, 5, 15, 15, 0.9)))
    name = os.fsdecode(b"\xff.png")
    save(source / name, noise(40, 50))
    anonymize_folder(source, target, Settings(redact=RedactSettings("solid")))
    review = reviewed(folders)
    post(review, name, ADD)
    assert reviewed(folders).edits.keys() == {name}
    assert "1 of them redacted again" in review.redact_again()


def test_decisions_are_kept_and_redacted_again(finished: Folders) -> None:
    source, target = finished
    review = reviewed(finished, reason="seen")
    post(review, "a.png", REMOVE, ADD)
    edits = yaml.safe_load((target / "edits.yaml").read_text())["edits"]
    assert edits == [{"file": "a.png", **each, "reason": "seen"} for each in (REMOVE, ADD)]
    text = review.redact_again()
    again = target.with_name("out-reviewed")
    assert f"2 pictures are in {again}, 2 of them redacted again. Failed: c.png" in text
    before, after = load(source / "a.png"), load(again / "a.png")
    assert (before[5:15, 5:15] == after[5:15, 5:15]).all()
    assert not after[22:28, 32:38].any()
    assert (again / "sub/b.png").read_bytes() == (target / "sub/b.png").read_bytes()
    post(review, "a.png")
    assert ", 1 of them redacted again" in review.redact_again()
    assert (again / "a.png").read_bytes() == (target / "a.png").read_bytes()
    assert yaml.safe_load((target / "edits.yaml").read_text()) == {"edits": []}


def test_what_was_decided_before_stays_with_its_reasons(finished: Folders) -> None:
    _, target = finished
    before = [
        {"file": "sub/b.png", **ADD, "by": "Ada", "reason": "a tattoo"},
        {"file": "a.png", "remove": {"box": [5, 5, 15, 16]}, "kind": "face", "reason": "a statue"},
    ]
    (target / "edits.json").write_text(json.dumps({"edits": before}))
    review = reviewed(finished)
    described: Any = review.describe()
    assert described["pictures"][0]["edits"][0]["reason"] == "a statue"
    post(review, "a.png", REMOVE, ADD)
    now = json.loads((target / "edits.json").read_text())["edits"]
    assert now == [*before, {"file": "a.png", **ADD}]
    assert not (target / "edits.yaml").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'[{"remove": {"box": [1]}}]', b'[{"file": "../x", "move": {}}]', b"[" * 100_000, b"\xff"],
)
def test_wrong_edits_change_nothing(finished: Folders, content: bytes) -> None:
    review = reviewed(finished)
    with pytest.raises(Problem, match="edits"):
        review.save(0, content)
    assert not (finished[1] / "edits.yaml").exists()


def test_edits_are_of_the_picture_that_they_are_posted_for(finished: Folders) -> None:
    review = reviewed(finished)
    post(review, "a.png", {"file": "../../etc/passwd", **REMOVE})
    assert [edit.file for edit in review.edits["a.png"]] == ["a.png"]


def test_what_cannot_be_reviewed_is_refused(finished: Folders, tmp_path: Path) -> None:
    source, target = finished
    with pytest.raises(SettingsError, match="missing --against"):
        open_review(target, ReviewSettings())
    with pytest.raises(SettingsError, match="not a folder"):
        open_review(target, ReviewSettings(tmp_path / "nothing"))
    with pytest.raises(SettingsError, match="no report"):
        open_review(source, ReviewSettings(source))
    report = json.loads((target / REPORT_NAME).read_text())
    for changed, reason in (
        ({"files": [{**report["files"][0], "file": "../a.png"}]}, "outside"),
        ({"settings": {**report["settings"], "overlay": "0" * 64}}, "the run had an --overlay"),
    ):
        (target / REPORT_NAME).write_text(json.dumps({**report, **changed}))
        with pytest.raises(SettingsError, match=reason):
            open_review(target, ReviewSettings(source))


def test_a_run_that_only_looked_is_reviewed_and_then_redacted(folders: Folders, use_detectors: UseDetectors) -> None:
    source, target = folders
    use_detectors(FixedDetector(face(5, 5, 15, 15, 0.9)))
    save(source / "a.png", noise(40, 50))
    anonymize_folder(source, target, Settings(redact=RedactSettings("none")))
    assert not (target / "a.png").exists()
    review = reviewed(folders)
    post(review, "a.png", ADD)
    review.redact_again()
    before, after = load(source / "a.png"), load(review.again / "a.png")
    for part in (np.s_[6:14, 6:14], np.s_[22:28, 32:38]):
        assert not (before[part] == after[part]).all()


def test_an_overlay_must_be_that_of_the_run(folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    source, target = folders
    use_detectors(FixedDetector(face(5, 5, 15, 15, 0.9)))
    save(source / "a.png", noise(40, 50))
    drawn, other = save(tmp_path / "drawn.png", noise(8, 8)), save(tmp_path / "other.png", noise(8, 8, seed=3))
    anonymize_folder(source, target, Settings(redact=RedactSettings("image", overlay=drawn)))
    for overlay, reason in ((None, "the run had an --overlay"), (other, "not the file"), (tmp_path, "not the file")):
        with pytest.raises(SettingsError, match=reason):
            reviewed(folders, overlay=overlay)
    review = reviewed(folders, overlay=drawn)
    review.redact_again()
    assert (review.again / "a.png").read_bytes() == (target / "a.png").read_bytes()


def test_an_overlay_that_the_run_had_not_is_refused(finished: Folders, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the run had none"):
        reviewed(finished, overlay=save(tmp_path / "drawn.png", noise(8, 8)))


def test_whom_a_gallery_left_visible_stays_so(finished: Folders) -> None:
    _, target = finished
    report = json.loads((target / REPORT_NAME).read_text())
    changed = {**report, "settings": {**report["settings"], "keep-visible": "0" * 64}}
    (target / REPORT_NAME).write_text(json.dumps(changed))
    review = reviewed(finished)
    assert review.settings.choose.keep_visible is None
    assert review.settings.redact.method == "solid"
    review.redact_again()
    assert (review.again / "a.png").read_bytes() == (target / "a.png").read_bytes()


def test_edits_of_unknown_pictures_are_refused(finished: Folders) -> None:
    source, target = finished
    (target / "edits.yaml").write_text(yaml.safe_dump({"edits": [{"file": "x.png", **ADD}]}))
    with pytest.raises(SettingsError, match=r"x\.png is not in the report"):
        open_review(target, ReviewSettings(source))


@pytest.fixture
def filmed(folders: Folders, use_detectors: UseDetectors) -> Folders:
    """A film with a face that moves, and what a run made of it."""
    pytest.importorskip("av")
    from video.film_samples import SquareDetector, write_film

    write_film(folders[0] / "a.mp4", frames=12, size=(160, 96))
    use_detectors(SquareDetector())
    anonymize_folder(*folders, Settings(redact=RedactSettings("solid")))
    return folders


def test_tracks_of_films_are_switched_off_and_places_drawn(filmed: Folders) -> None:
    source, _ = filmed
    review = reviewed(filmed)
    assert review.has_films
    described: Any = review.describe()
    (film,) = described["pictures"]
    assert (film["film"], film["sizes"]) == ({"frames": 12}, [[160, 96]])
    assert {entry["track"] for entry in film["detections"]} == {1}
    assert review.original(0) == (source / "a.mp4").read_bytes()

    post(review, "a.mp4", {"remove": {"track": 1}, "kind": "face"}, ADD)
    assert "1 of them redacted again" in review.redact_again()
    entries = json.loads((review.again / "a.json").read_text())
    assert {entry["kind"] for entry in entries} == {"area"}
    assert len(entries) == 12
    (described,) = reviewed(filmed).describe()["pictures"]  # type: ignore[misc]
    assert described["edits"] == [{"remove": {"track": 1}, "kind": "face"}, ADD]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"remove": {"track": 7}, "kind": "face"}, "there is no track 7"),
        ({"add": {"box": [200, 20, 240, 30]}, "kind": "area"}, "outside its 160 x 96 pixels"),
        ({**ADD, "frame": 12}, "frame 12 is beyond its 12 frames"),
    ],
)
def test_edits_that_do_not_fit_a_film_are_refused_at_once(
    filmed: Folders, entry: dict[str, object], reason: str
) -> None:
    with pytest.raises(Problem, match=reason):
        post(reviewed(filmed), "a.mp4", entry)
    assert not (filmed[1] / "edits.yaml").exists()
