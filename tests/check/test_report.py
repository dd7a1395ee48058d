"""The findings as JSON, as a table and as a sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer._version import __version__
from anonymizer.check.finding import LEVELS, Finding
from anonymizer.check.report import CheckReport, to_table
from anonymizer.check.thresholds import Thresholds
from anonymizer.geometry import Box
from anonymizer.text import printable

THRESHOLDS = Thresholds(reported={"face": 0.1}, run={"face": 0.2}, sure={"face": 0.52})
GPS = Finding("sub/b.jpg", "gps", "GPS data in the EXIF data")
FACE = Finding("a.png", "face", "not redacted", "finding", Box(10, 20.4, 30, 60), 0.257)

SIDES = st.floats(-1e6, 1e6)
BOXES = st.builds(lambda x, y, w, h: Box(x, y, x + abs(w), y + abs(h)), SIDES, SIDES, SIDES, SIDES)
# File names may hold bytes that are not text, which Python holds as lone surrogates.
NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
FINDINGS = st.builds(
    Finding,
    NAMES,
    st.sampled_from(["face", "plate", "gps", "unreadable"]),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(LEVELS),
    st.none() | BOXES,
    st.none() | st.floats(0, 1),
    st.integers(0, 3),
)


@pytest.fixture
def report() -> Iterator[CheckReport]:
    with closing(CheckReport(THRESHOLDS, Counter({".txt": 2, "": 1}))) as report:
        yield report


def filled(report: CheckReport, findings: Sequence[Finding]) -> CheckReport:
    for position, finding in enumerate(findings):
        report.findings.add([finding], position=position)
    return report


def entry_of(finding: Finding) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": finding.file, "level": finding.level, "kind": finding.kind, "text": finding.text}
    if finding.box is not None:
        entry |= {key: getattr(finding.box, key) for key in ("y_min", "x_min", "y_max", "x_max")}
    if finding.frame:
        entry["frame"] = finding.frame
    if finding.score is not None:
        entry["score"] = finding.score
    return entry


@given(findings=st.lists(FINDINGS, max_size=5), files=st.integers(0, 10**6), complete=st.booleans())
def test_json_in_pieces_is_json_as_a_whole(findings: list[Finding], files: int, complete: bool) -> None:
    levels = Counter(finding.level for finding in findings)
    totals: dict[str, object] = {"files": files}
    expected = {
        "program": {"name": "anonymize check", "version": __version__},
        "complete": complete,
        "thresholds": {"reported": {"face": 0.1}, "run": {"face": 0.2}, "sure": {"face": 0.52}},
        "totals": totals | {level: levels[level] for level in LEVELS} | {"files_not_looked_at": {"": 1, ".txt": 2}},
        "findings": [entry_of(finding) for finding in findings],
    }
    with closing(CheckReport(THRESHOLDS, Counter({".txt": 2, "": 1}))) as report:
        filled(report, findings).files, report.complete = files, complete
        content = b"".join(report.to_json())
    assert content.decode() == json.dumps(expected, indent=2) + "\n"


def test_only_findings_count(report: CheckReport) -> None:
    filled(report, [Finding("a.png", "face", "", level) for level in ("warning", "noted", "accepted")])
    assert report.exit_code == 0
    report.findings.add([FACE], position=3)
    assert report.exit_code == 1


def test_the_summary(report: CheckReport) -> None:
    report.files = 3
    assert report.summary() == "3 files checked: 0 findings, 0 warnings, 0 noted"
    filled(report, [FACE, Finding("a.png", "face", "", "warning")])
    assert report.summary() == "3 files checked: 1 finding in 1 file, 1 warning, 0 noted"
    filled(report, [FACE, GPS, Finding("a.png", "face", "", "accepted"), Finding("a.png", "face", "", "noted")])
    assert report.summary() == "3 files checked: 3 findings in 2 files, 1 warning, 1 noted, 1 accepted"


def test_counts_can_be_read_after_the_end(report: CheckReport) -> None:
    filled(report, [FACE]).close()
    assert (report.exit_code, report.count("finding")) == (1, 1)


def test_the_table() -> None:
    warning = Finding("a.png", "plate", "seen weakly", "warning", Box(0, 0, 5, 5), 0.3, frame=2)
    assert list(to_table([FACE, warning, GPS])) == [
        "file       found                 x, y, size",
        "a.png      face 0.26             10, 20, 20 x 40         not redacted",
        "a.png      (warning) plate 0.30  0, 0, 5 x 5 of frame 2  seen weakly",
        "sub/b.jpg  gps                                           GPS data in the EXIF data",
    ]


def test_a_table_of_nothing_has_no_lines() -> None:
    assert list(to_table([])) == []


@given(findings=st.lists(FINDINGS, min_size=1, max_size=6))
def test_the_columns_are_aligned_whatever_the_names(findings: list[Finding]) -> None:
    lines = list(to_table(findings))
    assert len(lines) == len(findings) + 1
    found, place = lines[0].index("found "), lines[0].index("x, y, size")
    for line, finding in zip(lines[1:], findings, strict=True):
        assert line.isprintable()
        assert line[:found].rstrip() == printable(finding.file).rstrip()
        assert line[found:place].rstrip().removeprefix(f"({finding.level}) ") == finding.label
        assert line.endswith(printable(finding.text).rstrip())


def test_json(report: CheckReport) -> None:
    second = Finding("a.png", "face", "not redacted", box=Box(1.25, 2, 21.25, 32), score=0.9, frame=2)
    report.files = 2
    report.findings.add([second, GPS], position=0)
    content = json.loads(b"".join(report.to_json()))
    assert content["complete"] is False
    assert content["thresholds"] == {"reported": {"face": 0.1}, "run": {"face": 0.2}, "sure": {"face": 0.52}}
    assert content["totals"] == {
        "files": 2,
        "finding": 2,
        "warning": 0,
        "noted": 0,
        "accepted": 0,
        "files_not_looked_at": {"": 1, ".txt": 2},
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
        {"file": "sub/b.jpg", "level": "finding", "kind": "gps", "text": "GPS data in the EXIF data"},
    ]
