"""All findings of a check: counts, exit code, JSON and a table."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from anonymizer.check.finding import Finding
from anonymizer.check.report import CheckReport, to_table
from anonymizer.check.thresholds import Thresholds
from anonymizer.geometry import Box

THRESHOLDS = Thresholds(reported={"face": 0.1}, run={"face": 0.2}, sure={"face": 0.52})
FACE = Finding("a.png", "face", "not redacted", box=Box(1.25, 2, 21.25, 32), score=0.9, frame=2)
POSITION = Finding("a.png", "gps", "GPS data")
WEAK = Finding("b.png", "plate", "seen weakly", "warning", Box(0, 0, 5, 5), 0.3)


@pytest.fixture
def report() -> Iterator[CheckReport]:
    with closing(CheckReport(THRESHOLDS, {".txt": 2, ".md": 1})) as report:
        yield report


def test_only_findings_make_it_fail(report: CheckReport) -> None:
    report.findings.add([WEAK, WEAK.accepted()])
    assert report.exit_code == 0
    report.findings.add([FACE])
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("findings", "summary"),
    [
        ([], "3 files checked: 0 findings, 0 warnings, 0 noted"),
        ([FACE], "3 files checked: 1 finding in 1 file, 0 warnings, 0 noted"),
        ([FACE, POSITION, WEAK], "3 files checked: 2 findings in 1 file, 1 warning, 0 noted"),
        ([FACE.accepted()], "3 files checked: 0 findings, 0 warnings, 0 noted, 1 accepted"),
    ],
)
def test_one_sentence(report: CheckReport, findings: list[Finding], summary: str) -> None:
    report.files = 3
    report.findings.add(findings)
    assert report.summary() == summary
    report.close()
    assert report.count("noted") == 0  # counts can be read all the same


def test_json(report: CheckReport) -> None:
    report.files = 2
    report.findings.add([FACE, POSITION], position=0)
    content = json.loads(b"".join(report.to_json()))
    assert content["complete"] is False
    assert content["thresholds"] == {"reported": {"face": 0.1}, "run": {"face": 0.2}, "sure": {"face": 0.52}}
    assert content["totals"] == {
        "files": 2,
        "finding": 2,
        "warning": 0,
        "noted": 0,
        "accepted": 0,
        "files_not_looked_at": {".md": 1, ".txt": 2},
    }
    place = {"y_min": 2, "x_min": 1.25, "y_max": 32, "x_max": 21.25}
    assert content["findings"] == [
        {
            "file": "a.png",
            "level": "finding",
            "kind": "face",
            "text": "not redacted",
            **place,
            "frame": 2,
            "score": 0.9,
        },
        {"file": "a.png", "level": "finding", "kind": "gps", "text": "GPS data"},
    ]


def test_json_without_findings(report: CheckReport) -> None:
    report.complete = True
    content = json.loads(b"".join(report.to_json()))
    assert (content["findings"], content["complete"]) == ([], True)


def test_a_table_in_columns() -> None:
    assert list(to_table([FACE, WEAK])) == [
        "file   found                 x, y, size",
        "a.png  face 0.90             1, 2, 20 x 30 of frame 2  not redacted",
        "b.png  (warning) plate 0.30  0, 0, 5 x 5               seen weakly",
    ]
    assert list(to_table([])) == []
