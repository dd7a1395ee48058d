import json
from pathlib import Path

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer.cli.main import run


@pytest.fixture
def shares(folders: Folders, use_detectors: UseDetectors) -> list[str]:
    """The reports of three runs, each over its share of one folder with a broken picture in it."""
    for name in ("b/1.png", "b/0.png", "a.png", "z.png", "b/c/2.png", "b.png"):
        save(folders[0] / name, noise(30, 30))
    (folders[0] / "bad.png").write_bytes(b"no picture")
    (folders[0] / "notes.txt").touch()
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    for number in (1, 2, 3):
        run(["--input", str(folders[0]), "--image-output", str(folders[1]), "--shard", f"{number}/3"])
    return [str(folders[1] / f"anonymize-report-{number}-of-3.json") for number in (1, 2, 3)]


def test_merge(shares: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "merge", *reversed(shares), "--output", str(tmp_path / "all.json")]) == 1
    assert "7 pictures of 3 reports" in capsys.readouterr().out
    merged = json.loads((tmp_path / "all.json").read_text())
    assert [entry["file"] for entry in merged["files"]] == [
        "a.png", "b.png", "bad.png", "z.png", "b/0.png", "b/1.png", "b/c/2.png",
    ]  # fmt: skip
    assert merged["complete"] is True
    totals = merged["totals"]
    assert (totals["pictures"], totals["anonymized"], totals["failed"]) == (7, 6, 1)
    assert totals["detections"] == {"face": 6, "plate": 0}
    assert totals["files_not_looked_at"] == {".txt": 1}


def test_a_share_is_missing(shares: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "merge", *shares[:2], "--output", str(tmp_path / "part.json")]) == 1
    assert "the reports of these shares are missing: 3/3" in capsys.readouterr().err
    assert json.loads((tmp_path / "part.json").read_text())["complete"] is False


def test_a_merged_report_takes_the_place_of_reports_only(
    shares: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("precious")
    assert run(["report", "merge", *shares, "--output", str(tmp_path / "precious.txt")]) == 4
    assert "exists and is not a report" in capsys.readouterr().err
    assert (tmp_path / "precious.txt").read_text() == "precious"


def test_what_does_not_fit_together(
    shares: list[str], folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["--output", str(tmp_path / "all.json")]
    (tmp_path / "text").write_text("text")
    (tmp_path / "other.json").write_text('{"files": []}')
    other = tmp_path / "other"
    run(["--input", str(folders[0]), "--image-output", str(other), "--face-threshold", "0.7"])
    for arguments, message in [
        ([shares[0], shares[0]], "is in more than one of the reports"),
        ([shares[0], str(tmp_path / "nowhere")], "nowhere: No such file"),
        ([str(tmp_path / "text")], "text is not a report of this program"),
        ([str(tmp_path / "other.json")], "other.json is not a report of this program"),
        ([shares[0], str(other / "anonymize-report.json")], "differ in their settings"),
        ([], "Missing argument"),
    ]:
        assert run(["report", "merge", *arguments, *output]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "all.json").exists()
    assert run(["report", "merge", shares[0], "--output", str(tmp_path / "text" / "all.json")]) == 4
