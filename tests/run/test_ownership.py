"""What others wrote into the output folder, or changed there by hand, stays unless --overwrite says otherwise."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes import CrashingDetector, FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer import anonymize_folder
from anonymizer.record.report import Report
from anonymizer.run.manifest import MANIFEST_NAME
from anonymizer.settings import DetectSettings, RecordSettings, RedactSettings, Settings, Shard
from anonymizer.types import Result, Status

OTHERS = Settings(detect=DetectSettings(face_threshold=0.3))
LABELS = '{"version": "5.4.1", "shapes": [{"label": "car"}]}'


def outcomes(report: Report) -> dict[str, tuple[Status, bool]]:
    """Status of each picture, and whether an earlier run did it."""
    return {result.file: (result.status, result.unchanged) for result in report.results}


def result_of(report: Report, name: str) -> Result:
    return next(result for result in report.results if result.file == name)


def run_over(folders: Folders, settings: Settings = Settings(), **options: Any) -> Report:
    return anonymize_folder(*folders, settings, **options)


def test_an_edited_output_is_kept_and_named(done: Folders) -> None:
    (done[1] / "1.png").write_bytes(b"a face painted over by hand")
    save(done[0] / "new.png", noise(30, 30, seed=9))
    for is_new_done in (False, True):  # run after run
        report = run_over(done)
        assert outcomes(report) == {
            "0.png": ("anonymized", True),
            "1.png": ("kept", False),
            "2.png": ("anonymized", True),
            "new.png": ("anonymized", is_new_done),
        }
        assert report.exit_code == 0
        assert "changed by hand since an earlier run; it stays, --overwrite" in (
            result_of(report, "1.png").reason or ""
        )
        assert (done[1] / "1.png").read_bytes() == b"a face painted over by hand"
    assert report.detections()["face"] == 4
    assert outcomes(run_over(done, overwrite=True))["1.png"] == ("anonymized", False)
    assert outcomes(run_over(done))["1.png"] == ("anonymized", True)


def test_an_edit_that_keeps_the_time_and_one_that_keeps_the_size(done: Folders) -> None:
    for name, content in (("0.png", b"longer"), ("1.png", None)):
        path = done[1] / name
        status = path.stat()
        path.write_bytes(path.read_bytes() + content if content else bytes(status.st_size))
        if content:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [outcome for outcome, _ in outcomes(run_over(done)).values()] == ["kept", "kept", "anonymized"]


@pytest.mark.parametrize("what", ["settings", "picture"])
def test_an_edited_output_that_is_out_of_date_fails_and_stays(done: Folders, what: str) -> None:
    """Exit code 0 would say that what was asked for is done."""
    (done[1] / "1.png").write_bytes(b"edited")
    if what == "picture":
        save(done[0] / "1.png", noise(30, 30, seed=9))
    report = run_over(done, OTHERS if what == "settings" else Settings())
    assert result_of(report, "1.png").status == "failed"
    assert "1.png in the output folder was changed by hand" in (result_of(report, "1.png").reason or "")
    assert report.exit_code == 1
    assert (done[1] / "1.png").read_bytes() == b"edited"
    assert (done[1] / "1.json").exists()


def test_a_copy_of_the_output_without_its_times_is_not_edited(done: Folders) -> None:
    for path in done[1].iterdir():
        os.utime(path, ns=(1, 1))
    assert run_over(done).totals.unchanged == 3
    os.utime(done[1] / "1.png", ns=(2, 2))
    assert outcomes(run_over(done, OTHERS))["1.png"] == ("anonymized", False)


def test_labels_in_the_place_of_a_record_stay(done: Folders) -> None:
    (done[1] / "1.json").write_text(LABELS)
    report = run_over(done)
    assert result_of(report, "1.png").status == "kept"
    assert "1.json beside the output was changed by hand" in (result_of(report, "1.png").reason or "")
    report = run_over(done, OTHERS)
    assert result_of(report, "1.png").status == "failed"
    assert (done[1] / "1.json").read_text() == LABELS
    assert (done[1] / "1.png").exists()


def test_labels_where_a_new_record_goes_make_the_picture_fail(done: Folders) -> None:
    save(done[0] / "new.png", noise(30, 30, seed=9))
    (done[1] / "new.json").write_text(LABELS)
    for _ in range(2):
        report = run_over(done)
        reason = "new.json in the output folder is not known to be written by this program; it stays: "
        assert (result_of(report, "new.png").reason or "").startswith(reason)
        assert not (done[1] / "new.png").exists()
        assert (done[1] / "new.json").read_text() == LABELS
    assert outcomes(run_over(done, overwrite=True))["new.png"] == ("anonymized", False)
    assert json.loads((done[1] / "new.json").read_text())[0]["kind"] == "face"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_json_files_of_others_beside_an_output_are_never_removed(
    done: Folders, use_detectors: UseDetectors, overwrite: bool, fails: bool
) -> None:
    """Google Takeout keeps 1.png.json beside 1.png."""
    (done[1] / "1.png.json").write_text('{"title": "1.png"}')
    red = noise(30, 30, seed=9)
    red[0, 0] = (255, 0, 0)
    save(done[0] / "1.png", red)
    if fails:
        use_detectors(CrashingDetector(RuntimeError("boom")))
    report = run_over(done, overwrite=overwrite)
    assert result_of(report, "1.png").status == ("failed" if fails else "anonymized")
    assert (done[1] / "1.png").exists() is not fails
    assert (done[1] / "1.png.json").read_text() == '{"title": "1.png"}'


@pytest.mark.parametrize("overwrite", [False, True])
def test_without_records_those_of_others_stay_and_ours_go(done: Folders, overwrite: bool) -> None:
    (done[1] / "1.json").write_text(LABELS)
    report = run_over(done, Settings(record=RecordSettings(write_detections=False)), overwrite=overwrite)
    assert report.totals.statuses == {"anonymized": 3}
    assert run_over(done, Settings(record=RecordSettings(write_detections=False))).totals.unchanged == 3
    assert sorted(path.name for path in done[1].glob("?.json")) == ["1.json"]
    assert (done[1] / "1.json").read_text() == LABELS


def test_a_run_that_only_detects_leaves_edited_pictures_alone(done: Folders, use_detectors: UseDetectors) -> None:
    (done[1] / "1.png").write_bytes(b"edited")
    use_detectors(CrashingDetector(RuntimeError("boom")))
    red = noise(30, 30)
    red[0, 0] = (255, 0, 0)
    save(done[0] / "1.png", red)
    report = run_over(done, Settings(redact=RedactSettings("none")))
    assert report.totals.statuses == {"detected": 2, "failed": 1}
    assert (done[1] / "1.png").read_bytes() == b"edited"
    assert not (done[1] / "1.json").exists()


def test_pictures_of_others_make_a_picture_fail(done: Folders) -> None:
    save(done[0] / "new.png", noise(30, 30, seed=9))
    save(done[1] / "new.png", noise(8, 8))
    content = (done[1] / "new.png").read_bytes()
    assert result_of(run_over(done), "new.png").status == "failed"
    assert (done[1] / "new.png").read_bytes() == content
    assert outcomes(run_over(done, overwrite=True))["new.png"] == ("anonymized", False)


class Killed(BaseException):
    """As if the process ended at once."""


def kill_before_it_is_recorded(folders: Folders, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """A run that ends after its second picture was written, and before that was noted."""
    record, calls = "anonymizer.run.manifest.Manifest.record", []

    def die(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise Killed
        original(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        from anonymizer.run.manifest import Manifest

        original = Manifest.record
        patch.setattr(record, die)
        with pytest.raises(Killed):
            run_over(folders, **options)


def test_what_a_killed_run_wrote_last_is_its_own(done: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(done[1])
    kill_before_it_is_recorded(done, monkeypatch)
    assert (done[1] / "1.png").exists()
    assert outcomes(run_over(done)) == {
        "0.png": ("anonymized", True), "1.png": ("anonymized", False), "2.png": ("anonymized", False)
    }  # fmt: skip
    assert run_over(done).totals.unchanged == 3


def test_labels_that_came_after_a_kill_stay(done: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(done[1])
    kill_before_it_is_recorded(done, monkeypatch)
    (done[1] / "1.json").write_text(LABELS)
    assert outcomes(run_over(done))["1.png"] == ("failed", False)
    assert (done[1] / "1.json").read_text() == LABELS


def test_what_a_run_with_overwrite_was_free_to_replace_the_next_one_is_until_it_is_done(
    done: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the message says after an interrupt: the same command without --overwrite goes on."""
    shutil.rmtree(done[1])
    done[1].mkdir()
    for name in ("0.png", "1.png", "2.png", "2.json", "later.png"):
        (done[1] / name).write_text("of others")
        os.utime(done[1] / name, ns=(1, 1))
    kill_before_it_is_recorded(done, monkeypatch, overwrite=True)
    save(done[0] / "later.png", noise(30, 30, seed=9))
    (done[1] / "later.png").write_text("put there since")
    os.utime(done[1] / "later.png", ns=(2**62, 2**62))
    assert [outcome for outcome, _ in outcomes(run_over(done)).values()] == [*["anonymized"] * 3, "failed"]
    os.utime(done[1] / "later.png", ns=(1, 1))
    assert outcomes(run_over(done))["later.png"] == ("failed", False)  # the run came to its end


def test_shares_know_what_the_others_wrote(done: Folders) -> None:
    (done[1] / "1.png").write_bytes(b"edited")
    results = [
        result for n in (1, 2) for result in run_over(done, shard=Shard(n, 2)).results if result.file.endswith(".png")
    ]
    assert sorted((result.file, result.status) for result in results) == [
        ("0.png", "anonymized"), ("1.png", "failed"), ("2.png", "anonymized")
    ]  # fmt: skip
    assert "was changed by hand" in (next(result.reason for result in results if result.file == "1.png") or "")
    assert [outcome for outcome, _ in outcomes(run_over(done)).values()] == ["anonymized", "kept", "anonymized"]


def test_looking_into_the_manifest_of_another_share_holds_up_nobody(
    done: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonymizer.run.manifest.LOCK_TIMEOUT_S", 0.1)
    for n in (1, 2):
        run_over(done, shard=Shard(n, 2))
    began: list[int] = []

    def begin_another(result: Result) -> None:
        if not began and result.status == "anonymized" and not result.unchanged:
            began.append(1)
            run_over(done, shard=Shard(2, 2), allow_empty=True)

    run_over(done, OTHERS, shard=Shard(1, 2), on_result=begin_another)
    assert began


def test_what_was_made_of_another_input_is_of_others(done: Folders, tmp_path: Path) -> None:
    save(tmp_path / "other" / "0.png", noise(30, 30, seed=9))
    content = (done[1] / "0.png").read_bytes()
    for n in (1, 2):
        report = run_over((tmp_path / "other", done[1]), shard=Shard(n, 2), allow_empty=True)
        assert report.totals.statuses["anonymized"] == 0
    assert (done[1] / "0.png").read_bytes() == content


def make_old(manifest: Path) -> None:
    """As version 1 of the schema was, which noted no contents."""
    with closing(sqlite3.connect(manifest)) as connection:
        connection.executescript("DROP TABLE written; DROP TABLE trusted; PRAGMA user_version = 1;")


def test_after_a_manifest_of_an_earlier_version_only_later_files_count_as_edited(done: Folders) -> None:
    manifest = done[1] / MANIFEST_NAME
    make_old(manifest)
    (done[1] / "1.png").write_bytes(b"edited")
    later_ns = manifest.stat().st_mtime_ns + 10**9
    os.utime(done[1] / "1.png", ns=(later_ns, later_ns))
    (done[0] / "2.png").unlink()
    report = run_over(done)
    assert outcomes(report) == {"0.png": ("anonymized", False), "1.png": ("failed", False)}
    assert report.orphaned == ["2.png"]
    assert (done[1] / "1.png").read_bytes() == b"edited"
    assert outcomes(run_over(done)) == {"0.png": ("anonymized", True), "1.png": ("failed", False)}


def test_a_face_that_is_found_again_by_nobody_else(done: Folders, use_detectors: UseDetectors) -> None:
    """Outputs that nobody touched are replaced as ever."""
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    assert run_over(done, OTHERS).totals.statuses == {"anonymized": 3}
