"""What a run left behind about itself is recognised, read, and refused where it is damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from check.samples import anonymize, change_report
from fakes import Folders, KeenDetector, UseDetectors, face, noise, save
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.previous_run import PreviousRun, is_of_the_run, read_previous_run
from anonymizer.errors import SettingsError
from anonymizer.record.report import REPORT_NAME
from anonymizer.record.shards import find_reports


@pytest.fixture
def shares(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of two shares of a run."""
    for index in range(8):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    use_detectors(KeenDetector(face(5, 5, 20, 20)))
    for share in ("1/2", "2/2"):
        anonymize(folders, {"face-threshold": 0.3}, shard=share)
    return folders[1]


def test_without_a_report_nothing_is_known() -> None:
    assert read_previous_run([]) == PreviousRun({}, True, {})


def test_the_reports_of_all_shares_are_one(shares: Path) -> None:
    reports = find_reports(shares)
    assert [path.name for path in reports] == ["anonymize-report-1-of-2.json", "anonymize-report-2-of-2.json"]
    previous = read_previous_run(reports)
    assert previous.complete
    assert sorted(previous.files) == [f"{index}.png" for index in range(8)]
    assert {entry["status"] for entry in previous.files.values()} == {"anonymized"}
    assert previous.settings["face-threshold"] == 0.3


@pytest.mark.parametrize("missing", [0, 1])
def test_without_one_of_the_shares_the_run_is_not_complete(shares: Path, missing: int) -> None:
    Path(str(find_reports(shares)[missing])).unlink()
    assert not read_previous_run(find_reports(shares)).complete


def test_a_share_that_did_not_reach_its_end(shares: Path) -> None:
    path = Path(str(find_reports(shares)[1]))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"complete": False}))
    assert not read_previous_run(find_reports(shares)).complete


def test_one_report_for_all_comes_before_those_of_shares(shares: Path) -> None:
    (shares / REPORT_NAME).touch()
    assert find_reports(shares) == [shares / REPORT_NAME]


@pytest.fixture
def output(folders: Folders, use_detectors: UseDetectors) -> Path:
    save(folders[0] / "a.png", noise(30, 30))
    use_detectors(KeenDetector())
    return anonymize(folders)


@pytest.mark.parametrize("content", ["", "[]", '{"files": []}', "\udcff", "[" * 100_000])
def test_a_damaged_report(output: Path, content: str) -> None:
    (output / REPORT_NAME).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match="is damaged"):
        read_previous_run(find_reports(output))


@pytest.mark.parametrize("settings", [None, [], "face", 1])
def test_a_report_with_damaged_settings(output: Path, settings: object) -> None:
    change_report(output, settings=settings)
    with pytest.raises(SettingsError, match="is damaged: its settings are"):
        read_previous_run(find_reports(output))


def test_a_report_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"report .*: No such file"):
        read_previous_run([tmp_path / "none.json"])


@given(number=st.integers(1, 10**6), count=st.integers(1, 10**6))
def test_files_of_the_run_are_known_by_their_names(number: int, count: int) -> None:
    for kind, suffix in (("report", "json"), ("manifest", "sqlite")):
        assert is_of_the_run(Path(f"anonymize-{kind}.{suffix}"))
        assert is_of_the_run(Path(f"anonymize-{kind}-{number}-of-{count}.{suffix}"))
        assert not is_of_the_run(Path(f"anonymize-{kind}-{number}-{count}.{suffix}"))
        assert not is_of_the_run(Path(f"my anonymize-{kind}.{suffix}"))
        assert not is_of_the_run(Path(f"anonymize-{kind}.{suffix}.jpg"))


def test_reports_are_known_by_their_content_too(output: Path) -> None:
    merged = (output / REPORT_NAME).rename(output / "report.json")
    assert is_of_the_run(merged)
    assert find_reports(output) == [merged]
    shutil.copy(merged, output / "other.JSON")
    assert find_reports(output) == []  # which one counts, nobody knows
    merged.write_bytes(merged.read_bytes()[:300] + b"anything behind the beginning of a report")
    assert not is_of_the_run(merged)


def test_a_folder_without_reports(tmp_path: Path) -> None:
    (tmp_path / "other.json").touch()
    assert find_reports(tmp_path) == []
