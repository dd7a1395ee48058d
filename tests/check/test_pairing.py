"""Every original has its output, and every output its original, or the difference is a finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from check.samples import anonymize, change_report, check, kinds_of, texts_of
from fakes import FixedDetector, Folders, KeenDetector, UseDetectors, face, noise, save

from anonymizer.check.finding import Finding
from anonymizer.check.inputs import find_inputs
from anonymizer.check.pairing import Pairing, pair_originals
from anonymizer.check.previous_run import PreviousRun
from anonymizer.files.find import find_pictures
from anonymizer.record.report import write_report
from anonymizer.record.shards import merge_reports, read_report

EXTENSIONS = ("png",)


def pair(folders: Folders, previous: PreviousRun | None = None) -> Pairing:
    originals = find_pictures(folders[0], EXTENSIONS, None)
    return pair_originals(folders[0], originals, find_inputs([folders[1]], EXTENSIONS), previous or PreviousRun())


def fill(folder: Path, *names: str) -> None:
    for name in names:
        save(folder / name, noise(4, 4))


def test_pairs(folders: Folders) -> None:
    for folder in folders:
        fill(folder, "a.png", "sub/b.png")
    previous = PreviousRun(files={"a.png": {"status": "anonymized", "fidelity": "reencoded"}})
    pairing = pair(folders, previous)
    assert pairing.findings == []
    assert [(file.name, file.original, file.fidelity) for file in pairing.files] == [
        ("a.png", folders[0] / "a.png", "reencoded"),
        ("sub/b.png", folders[0] / "sub" / "b.png", None),
    ]


def test_missing_and_extra_files(folders: Folders) -> None:
    fill(folders[0], "a.png", "b.png")
    fill(folders[1], "b.png", "c.png")
    (folders[1] / "notes.txt").touch()
    pairing = pair(folders)
    assert pairing.findings == [
        Finding("a.png", "missing", "no output, and no failure in the report"),
        Finding("c.png", "extra", "belongs to no picture among the originals"),
        Finding("notes.txt", "extra", "is neither a picture nor what the program writes beside one"),
    ]
    assert {file.name: file.original for file in pairing.files} == {"b.png": folders[0] / "b.png", "c.png": None}


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_the_report_explains_why_there_is_no_output(folders: Folders, status: str) -> None:
    fill(folders[0], "a.png")
    folders[1].mkdir()
    previous = PreviousRun(files={"a.png": {"status": status, "reason": "is broken"}})
    assert pair(folders, previous).findings == [Finding("a.png", "missing", f"no output: {status}, is broken", "noted")]


@pytest.mark.parametrize("status", ["failed", "skipped", "detected"])
def test_an_output_that_the_report_denies(folders: Folders, status: str) -> None:
    for folder in folders:
        fill(folder, "a.png")
    (finding,) = pair(folders, PreviousRun(files={"a.png": {"status": status}})).findings
    assert finding == Finding("a.png", "extra", f"has an output, though the report says {status}")


def test_where_only_detections_were_wanted_they_belong_there(folders: Folders) -> None:
    fill(folders[0], "a.png", "b.png")
    folders[1].mkdir()
    for name in ("a.json", "b.json"):
        (folders[1] / name).write_text("[]")
    findings = pair(folders, PreviousRun(files={"a.png": {"status": "detected"}})).findings
    assert kinds_of(findings, "noted") == [("a.png", "missing")]
    assert kinds_of(findings) == [("b.png", "missing"), ("b.json", "extra")]


def test_a_run_that_did_not_reach_its_end(folders: Folders) -> None:
    for folder in folders:
        fill(folder, "a.png")
    (finding,) = pair(folders, PreviousRun(complete=False)).findings
    assert finding == Finding("report", "report", "the anonymizing run did not reach its end")


def test_what_a_run_keeps_for_itself_is_nothing_extra(folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], "a.png", "sub/b.png")
    use_detectors(FixedDetector())
    output = anonymize(folders)
    assert (output / "anonymize-manifest.sqlite").exists()
    (output / "anonymize-manifest-1-of-2.sqlite").touch()
    assert check(output, against=folders[0]) == []
    (output / "sub" / "anonymize-report.json").touch()
    assert kinds_of(check(output, against=folders[0])) == [("sub/anonymize-report.json", "extra")]


def test_shares_of_a_run(folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], *[f"{index}.png" for index in range(8)])
    (folders[0] / "broken.png").write_bytes(b"broken")
    use_detectors(FixedDetector())
    for share in ("1/2", "2/2"):
        anonymize(folders, shard=share)
    assert kinds_of(check(folders[1], against=folders[0]), "noted") == [("broken.png", "missing")]
    assert kinds_of(check(folders[1], against=folders[0])) == []
    (folders[1] / "anonymize-report-2-of-2.json").unlink()
    assert "the anonymizing run did not reach its end" in texts_of(check(folders[1], against=folders[0]))


def test_a_run_that_only_detected(folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(100, 100))
    use_detectors(KeenDetector(face(20, 20, 60, 60)))
    output = anonymize(folders, {"method": "none"})
    (finding,) = check(output, against=folders[0])
    assert (finding.level, finding.text) == ("noted", "no output: the run was told to detect only")
    shutil.copy(folders[0] / "a.png", output)
    texts = texts_of(check(output, against=folders[0]))
    assert "has an output, though the report says detected" in texts
    assert "recorded as redacted, but the pixels show detail" in texts


def test_an_unfinished_run_whose_report_calls_an_output_failed(folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], "a.png")
    use_detectors(FixedDetector())
    output = anonymize(folders)
    change_report(output, complete=False, files=[{"file": "a.png", "status": "failed"}])
    assert texts_of(check(output, against=folders[0])) == [
        "the anonymizing run did not reach its end",
        "has an output, though the report says failed",
    ]


def test_folders_of_originals_that_cannot_be_listed(folders: Folders) -> None:
    folders[1].mkdir()
    assert pair(folders) == Pairing([], [])
    originals = find_pictures(folders[0], EXTENSIONS, None)
    originals.unreadable["closed"] = "cannot be listed"
    found = find_inputs([folders[1]], EXTENSIONS)
    (finding,) = pair_originals(folders[0], originals, found, PreviousRun()).findings
    assert finding == Finding("closed/", "unreadable", "original cannot be listed")


def test_a_kept_output_belongs_there(folders: Folders) -> None:
    previous = PreviousRun(files={"a.png": {"status": "kept", "reason": "was changed by hand"}})
    fill(folders[0], "a.png")
    folders[1].mkdir()
    assert pair(folders, previous).findings == [Finding("a.png", "missing", "no output, and no failure in the report")]
    fill(folders[1], "a.png")
    assert pair(folders, previous).findings == []


def test_what_operating_systems_leave_is_a_warning(folders: Folders) -> None:
    folders[1].mkdir()
    (folders[1] / "._a.png").write_bytes(b"\0\5\x16\7" + bytes(20))
    (folders[1] / "._b.txt").write_bytes(b"no AppleDouble")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (folders[1] / name).touch()
    findings = pair(folders).findings
    assert kinds_of(findings) == [("._b.txt", "extra")]
    names = ["._a.png", ".DS_Store", "Thumbs.db", "desktop.ini"]
    assert sorted(kinds_of(findings, "warning")) == sorted((name, "extra") for name in names)


def test_a_merged_report_is_not_extra(folders: Folders, use_detectors: UseDetectors) -> None:
    fill(folders[0], *[f"{index}.png" for index in range(4)])
    use_detectors(FixedDetector())
    for share in ("1/2", "2/2"):
        anonymize(folders, shard=share)
    shares = [read_report(folders[1] / f"anonymize-report-{n}-of-2.json") for n in (1, 2)]
    merged = folders[1] / "report.json"
    write_report(merged, merge_reports(shares).to_json())
    assert check(folders[1], against=folders[0]) == []
    for n in (1, 2):
        (folders[1] / f"anonymize-report-{n}-of-2.json").unlink()
    assert check(folders[1], against=folders[0]) == []
    merged.write_bytes(merged.read_bytes() + b"a picture behind its end")
    assert kinds_of(check(folders[1], against=folders[0])) == [("report.json", "extra")]
