"""A check by worker processes finds what a check in one process finds, and bears what happens to its workers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from check.killing import Killing
from fakes import save, smooth

from anonymizer.check import run as check_run
from anonymizer.check.plan import make_check_plan
from anonymizer.check.run import run_check


def fill(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        save(folder / name, smooth(8, 8))


def test_a_file_that_kills_is_a_finding_and_the_others_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_run, "FileCheck", Killing)
    fill(tmp_path / "out", ["a.png", "kills.png", "z.png"])
    options = {"workers": 2, "json": tmp_path / "found.json", "html": tmp_path / "page.html"}
    with closing(run_check(make_check_plan([tmp_path / "out"], options))) as report:
        found = [(finding.file, finding.kind) for finding in report.findings]
    assert found == [("a.png", "gps"), ("kills.png", "unreadable"), ("z.png", "gps")]
    assert report.complete
    entries = json.loads((tmp_path / "found.json").read_text())["findings"]
    assert [entry["file"] for entry in entries] == ["a.png", "kills.png", "z.png"]
    assert "twice (signal 9)" in entries[1]["text"]
    assert "kills.png" in (tmp_path / "page.html").read_text()


@pytest.mark.slow
def test_workers_find_what_one_process_finds(tmp_path: Path, originals: Path) -> None:
    outcomes = []
    for workers in (0, 2):
        annotated = tmp_path / f"annotated{workers}"
        options: dict[str, object] = {"workers": workers, "preset": "fast", "annotate": annotated}
        for what in ("json", "html"):
            options[what] = tmp_path / f"{workers}.{what}"
        with closing(run_check(make_check_plan([originals], options))) as report:
            assert report.exit_code == 1
        copies = {path.name: path.read_bytes() for path in annotated.iterdir()}
        outcomes.append(
            ((tmp_path / f"{workers}.json").read_text(), (tmp_path / f"{workers}.html").read_text(), copies)
        )
    assert outcomes[0] == outcomes[1]
