"""A check writes what it found however it ends; worker processes find what one process finds, and may die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from check.film_faces import load_squares, write_faces, write_pan
from check.killing import Killing
from fakes import CrashingDetector, FixedDetector, UseDetectors, face, marked, noise, save, smooth

from anonymizer.api import anonymize_folder
from anonymizer.check import run as check_run
from anonymizer.check.baseline import Entry, from_json, to_json
from anonymizer.check.finding import Finding
from anonymizer.check.plan import make_check_plan
from anonymizer.check.run import run_check
from anonymizer.errors import OutputError
from anonymizer.settings import settings_from_options


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


FACE = face(5, 5, 15, 15)


@pytest.fixture
def source(tmp_path: Path, use_detectors: UseDetectors) -> Path:
    """Three pictures with a face each."""
    for index, name in enumerate(("a.png", "b.png", "sub/c.png")):
        save(tmp_path / "in" / name, noise(20, 20, seed=index))
    use_detectors(FixedDetector(FACE))
    return tmp_path / "in"


def test_each_file_is_announced_after_it_was_checked(source: Path) -> None:
    names: list[str] = []
    with closing(run_check(make_check_plan([source], {}), names.append)) as report:
        assert [finding.file for finding in report.findings] == names == ["a.png", "b.png", "sub/c.png"]
    assert (report.files, report.complete) == (3, True)


def test_what_is_known_before_comes_first(source: Path) -> None:
    plan = make_check_plan([source], {"html": source.parent / "page.html"})
    known = [Finding("z.png", "missing", "no output"), Finding("y.png", "missing", "explained", "noted")]
    with closing(run_check(replace(plan, known=known))) as report:
        assert [finding.file for finding in report.findings] == ["z.png", "y.png", "a.png", "b.png", "sub/c.png"]
    page = (source.parent / "page.html").read_text()
    assert page.index("<bdi>z.png") < page.index("<bdi>a.png")
    assert "y.png" not in page


def test_a_check_that_fails_keeps_what_it_found(source: Path, use_detectors: UseDetectors, tmp_path: Path) -> None:
    save(source / "b.png", marked((255, 0, 0)))
    use_detectors(CrashingDetector(OutputError("the disk is full")), FixedDetector(FACE))
    options = {"json": tmp_path / "found.json", "html": tmp_path / "page.html"}
    with pytest.raises(OutputError, match="the disk is full"):
        run_check(make_check_plan([source], options))
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["complete"] is False
    assert [entry["file"] for entry in content["findings"]] == ["a.png"]
    assert "The check did not finish." in (tmp_path / "page.html").read_text()


def test_a_report_that_cannot_be_written_ends_a_check_before_it_looks(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    names: list[str] = []
    with pytest.raises(OutputError, match=r"found\.json cannot be written"):
        run_check(make_check_plan([source], {"json": tmp_path / "file" / "found.json"}), names.append)
    assert names == []


def test_a_baseline_is_renewed_for_the_files_that_were_checked(source: Path, tmp_path: Path) -> None:
    elsewhere, gone = Entry("other.png", "face", "0"), Entry("a.png", "gps", "1")
    known = tmp_path / "known.json"
    known.write_bytes(to_json([gone, elsewhere]))
    with closing(run_check(make_check_plan([source], {"baseline": known, "write-baseline": True}))) as report:
        assert report.exit_code == 0
        assert report.count("accepted") == 3
    entries = from_json(known.read_bytes())
    assert [(entry.file, entry.kind) for entry in entries] == [
        ("a.png", "face"), ("b.png", "face"), ("other.png", "face"), ("sub/c.png", "face"),
    ]  # fmt: skip
    with closing(run_check(make_check_plan([source], {"baseline": known}))) as report:
        assert {finding.level for finding in report.findings} == {"accepted"}


def test_films_tell_how_far_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_faces(tmp_path / "in" / "a.mkv", frames=12)
    monkeypatch.setattr("anonymizer.check.thresholds.load_finder", load_squares)
    monkeypatch.setattr("anonymizer.video.beats.SECONDS_BETWEEN_BEATS", 0.0)
    plan = make_check_plan([tmp_path / "in"], {"workers": 0})
    beats: list[tuple[str, str]] = []
    with closing(run_check(plan, on_beat=lambda name, text: beats.append((name, text)))) as report:
        assert [(one.kind, one.frames) for one in report.findings] == [("face", (0, 11))]
    assert beats[0] == ("a.mkv", "checked 1 frames")
    assert len(beats) == 12


@pytest.mark.slow
def test_a_film_of_people_with_the_bundled_models(tmp_path: Path, originals: Path) -> None:
    """A camera pans over a photograph: redacted it passes, by itself every person is found, in a worker process."""
    folders = tmp_path / "in", tmp_path / "out"
    write_pan(folders[0] / "a.mp4", originals / "happy_couple.jpg", frames=12)
    anonymize_folder(*folders, settings_from_options({"preset": "fast"}), workers=1)
    with closing(run_check(make_check_plan([folders[1]], {"workers": 1, "against": folders[0]}))) as report:
        assert [one for one in report.findings if one.level == "finding"] == []
    with closing(run_check(make_check_plan([folders[0]], {"workers": 1}))) as report:
        faces = [one for one in report.findings if one.kind == "face" and one.frames == (0, 11)]
    assert len(faces) >= 2


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the memory of a process")
def test_memory_does_not_grow_with_a_film(tmp_path: Path) -> None:
    script = (
        "import sys; from contextlib import closing; from pathlib import Path\n"
        "from check.film_faces import load_squares; import anonymizer.check.thresholds as thresholds\n"
        "thresholds.load_finder = load_squares\n"
        "from anonymizer.check.plan import make_check_plan; from anonymizer.check.run import run_check\n"
        "plan = make_check_plan([Path(sys.argv[1])], {'workers': 0, 'html': Path(sys.argv[1] + '.html')})\n"
        "with closing(run_check(plan)) as report:\n"
        "    assert report.complete and report.count('finding')\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    peaks = []
    for frames in (200, 2000):
        path = write_faces(tmp_path / f"{frames}.mp4", frames, codec="mpeg4")
        command = [sys.executable, "-c", script, str(path)]
        peaks.append(int(subprocess.run(command, env=environment, check=True, capture_output=True).stdout))
    assert peaks[1] < 1.15 * peaks[0]
