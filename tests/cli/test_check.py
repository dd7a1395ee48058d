"""The gate: exit codes, messages, files."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from fakes import (
    CrashingDetector,
    FixedDetector,
    Folders,
    KeenDetector,
    UseDetectors,
    face,
    load,
    marked,
    noise,
    plate,
    save,
    smooth,
)

from anonymizer.cli.main import run

FACE = face(20, 20, 60, 60)
BAD_REPORT = '{"files": [], "complete": true, "settings": {"face-threshold": 7}}'


Check: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """check(*arguments) returns exit code, stdout, stderr."""

    def check(*arguments: object) -> tuple[int, str, str]:
        code = run(["check", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return check


@pytest.fixture
def redacted(folders: Folders, use_detectors: UseDetectors, capsys: pytest.CaptureFixture[str]) -> Path:
    """An output folder with two pictures, one of them in a folder, of which each shows a face."""
    for index, name in enumerate(["a.png", "sub/b.png"]):
        save(folders[0] / name, noise(100, 100, seed=index))
    use_detectors(KeenDetector(FACE))
    assert run(["--input", str(folders[0]), "--image-output", str(folders[1])]) == 0
    capsys.readouterr()
    return folders[1]


def findings(path: Path, level: str = "finding") -> list[tuple[str, str]]:
    entries = json.loads(path.read_text())["findings"]
    return [(entry["file"], entry["kind"]) for entry in entries if entry["level"] == level]


def test_our_output(check: Check, redacted: Path, use_detectors: UseDetectors, tmp_path: Path) -> None:
    code, out, _ = check(redacted)
    assert (code, out) == (0, "2 files checked: 0 findings, 0 warnings, 0 noted\n")
    use_detectors(FixedDetector(FACE))  # sees the face all the same
    code, out, _ = check(redacted, "--json", tmp_path / "found.json", "-v")
    assert code == 0
    assert "2 files checked: 0 findings, 0 warnings, 2 noted" in out
    assert re.search(r"a\.png +\(noted\) face 0\.90 +20, 20, 40 x 40 +seen again in a redacted area", out)
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["complete"] is True
    assert content["totals"]["noted"] == 2


def test_untouched_pictures(check: Check, folders: Folders, redacted: Path) -> None:
    code, out, _ = check(folders[0])
    assert code == 1
    assert re.search(r"a\.png +face 0\.90 +20, 20, 40 x 40 +not redacted", out)
    assert "2 files checked: 2 findings in 2 files" in out


def test_files_and_folders(check: Check, folders: Folders, redacted: Path) -> None:
    assert check(redacted / "a.png", redacted / "sub")[0] == 0
    code, out, _ = check(redacted, folders[0] / "a.png")
    assert code == 1
    assert f"{folders[0]}/a.png" in out
    code, _, err = check(redacted, "no such file.png")
    assert (code, err) == (2, "anonymize: no such file.png: no such file or folder\n")
    code, _, err = check()
    assert code == 2
    assert "name a folder or files to look at, as in 'anonymize check anonymized'" in err


def test_warnings_are_shown_by_an_option(check: Check, folders: Folders, redacted: Path) -> None:
    (redacted / ".DS_Store").touch()
    code, out, _ = check("--against", folders[0], redacted)
    assert (code, out.splitlines()[0]) == (0, "2 files checked: 0 findings, 1 warning, 0 noted; -v shows the warnings")
    code, out, _ = check("--against", folders[0], redacted, "-v")
    assert (code, "(warning) extra" in out, "-v shows" in out) == (0, True, False)


def test_bad_files(check: Check, tmp_path: Path, use_detectors: UseDetectors) -> None:
    source = tmp_path / "in"
    save(source / "a.png", smooth(40, 40))
    (source / "broken.jpg").write_bytes(b"no picture")
    (source / "hidden.dat").write_bytes(b"GIF89a")
    (source / "notes.txt").touch()
    red = noise(40, 40)
    red[0, 0] = (255, 0, 0)
    save(source / "red.png", red)
    use_detectors(CrashingDetector(RuntimeError("boom")))
    code, out, err = check(source)
    assert code == 1
    assert "cannot be checked: is no picture in JPEG" in out
    assert "cannot be checked: unexpected RuntimeError: boom" in out
    assert re.search(r"hidden\.dat +unreadable", out)
    assert "skipped 1 file with other extensions: .txt (1)" in out
    assert "Traceback" not in err


def test_thresholds(check: Check, redacted: Path, tmp_path: Path) -> None:
    check(redacted, "--json", tmp_path / "found.json", "--kinds", "face")
    assert json.loads((tmp_path / "found.json").read_text())["thresholds"] == {
        "reported": {"face": 0.1}, "run": {"face": 0.2}, "sure": {"face": pytest.approx(0.52)},
    }  # fmt: skip
    check(redacted, "--json", tmp_path / "found.json", "--face-threshold", "0.4", "--threshold-share", "1")
    assert json.loads((tmp_path / "found.json").read_text())["thresholds"]["reported"]["face"] == 0.4


def test_against(check: Check, folders: Folders, redacted: Path, tmp_path: Path) -> None:
    code, out, _ = check("--against", folders[0], redacted, "--json", tmp_path / "found.json")
    assert (code, out) == (0, "2 files checked: 0 findings, 0 warnings, 0 noted\n")


def test_against_finds_missing_and_extra_files(check: Check, folders: Folders, redacted: Path, tmp_path: Path) -> None:
    (redacted / "a.png").unlink()
    (redacted / "notes.txt").touch()
    save(redacted / "c.png", smooth(30, 30))
    (folders[0] / "d.png").write_bytes(b"broken")
    report = json.loads((redacted / "anonymize-report.json").read_text())
    report["files"].append({"file": "d.png", "status": "failed", "reason": "is broken"})
    (redacted / "anonymize-report.json").write_text(json.dumps(report))
    code, out, _ = check("--against", folders[0], redacted, "--json", tmp_path / "found.json", "-v")
    assert code == 1
    assert sorted(findings(tmp_path / "found.json")) == [
        ("a.json", "extra"), ("a.png", "missing"), ("c.png", "extra"), ("notes.txt", "extra"),
    ]  # fmt: skip
    assert findings(tmp_path / "found.json", "noted") == [("d.png", "missing")]
    assert "no output: failed, is broken" in out


def test_against_needs_one_folder(check: Check, folders: Folders, redacted: Path) -> None:
    assert check("--against", folders[0], redacted / "a.png")[0] == 2
    code, _, err = check("--against", folders[0], redacted, redacted / "sub")
    assert (code, err) == (2, "anonymize: --against compares with the originals of exactly one folder\n")
    assert check("--against", folders[0] / "no such folder", redacted)[0] == 2


@pytest.mark.parametrize("content", ["", "[]", '{"files": []}', "\udcff", BAD_REPORT])
def test_a_damaged_report(check: Check, redacted: Path, content: str) -> None:
    (redacted / "anonymize-report.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    code, _, err = check(redacted)
    assert code == 2
    assert "report" in err
    assert "is damaged" in err
    assert "Traceback" not in err


def test_baseline(check: Check, folders: Folders, redacted: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    code, _, err = check(folders[0], "--baseline", known)
    assert code == 2
    assert "add --write-baseline to make it" in err
    code, out, _ = check(folders[0], "--baseline", known, "--write-baseline")
    assert code == 0
    assert "0 findings, 0 warnings, 0 noted, 2 accepted" in out
    assert check(folders[0], "--baseline", known)[0] == 0
    save(folders[0] / "sub" / "b.png", noise(100, 100, seed=7))
    code, out, _ = check(folders[0], "--baseline", known)
    assert code == 1
    assert "1 finding in 1 file" in out
    assert check(folders[0], "--write-baseline")[0] == 2
    known.write_text("{}")
    assert check(folders[0], "--baseline", known)[0] == 2


def test_failures_stay_in_spite_of_a_baseline(check: Check, folders: Folders, redacted: Path, tmp_path: Path) -> None:
    (folders[0] / "broken.png").write_bytes(b"broken")
    code, out, _ = check(folders[0], "--baseline", tmp_path / "known.json", "--write-baseline")
    assert code == 1
    assert "1 finding in 1 file" in out


def test_annotate(check: Check, folders: Folders, redacted: Path, tmp_path: Path) -> None:
    code, _, _ = check(folders[0], "--annotate", tmp_path / "marked")
    assert code == 1
    marked = load(tmp_path / "marked" / "sub" / "b.png.jpg")
    assert marked.shape == (100, 100, 3)
    assert np.abs(marked[30:50, 20].astype(int) - (255, 40, 40)).mean() < 60
    code, _, err = check(folders[0], "--annotate", tmp_path / "marked")
    assert code == 4
    assert "not empty; add --overwrite" in err
    assert check(folders[0], "--annotate", tmp_path / "marked", "--overwrite")[0] == 1
    assert check(folders[0], "--annotate", folders[0] / "marked")[0] == 4


def test_annotate_never_writes_elsewhere(
    check: Check, redacted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    save(tmp_path / "up" / "a.png", noise(100, 100))
    monkeypatch.chdir(tmp_path / "work")
    assert check("../up/a.png", "--annotate", "marked")[0] == 1
    assert (tmp_path / "work" / "marked" / "up" / "a.png.jpg").exists()


def test_html(check: Check, folders: Folders, redacted: Path, tmp_path: Path) -> None:
    name = "<script>alert(1)<\u202e&\udcff.png"
    shutil.copy(folders[0] / "a.png", folders[0] / name)
    (folders[0] / "z broken.jpg").write_bytes(b"broken")
    assert check(folders[0], "--html", tmp_path / "found.html")[0] == 1
    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;\\u202e&amp;\\udcff.png" in page
    assert page.count("data:image/jpeg;base64,") == 6  # a thumbnail and a close-up for each of three
    assert page.index("z broken.jpg") < page.index(">a.png<")  # failures first
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_outputs_that_are_refused(check: Check, redacted: Path, tmp_path: Path) -> None:
    code, _, err = check(redacted, "--json", redacted / "a.png")
    assert code == 4
    assert "choose another file" in err
    (tmp_path / "file").touch()
    assert check(redacted, "--html", tmp_path / "file" / "page.html")[0] == 4


def test_a_full_disk(check: Check, folders: Folders, redacted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the findings lie until the end."""
    connect = sqlite3.connect

    def with_little_space(database: str) -> sqlite3.Connection:
        connection = connect(database)
        connection.execute("PRAGMA max_page_count = 4")
        return connection

    monkeypatch.setattr("anonymizer.check.store.sqlite3.connect", with_little_space)
    for index in range(100):
        (folders[0] / f"{index}.png").write_bytes(b"broken")
    code, out, err = check(folders[0])
    assert (code, out) == (4, "")
    expected = "temporary database of the findings: database or disk is full; nothing more can be written"
    assert err == f"anonymize: {expected}\n"


def test_quiet(check: Check, folders: Folders, redacted: Path) -> None:
    assert check(redacted, "-q") == (0, "", "")
    code, out, err = check(folders[0], "-q")
    assert (code, err) == (1, "")
    assert "not redacted" in out


def test_config(check: Check, redacted: Path, tmp_path: Path) -> None:
    """One file serves both commands."""
    (tmp_path / "config.yaml").write_text(f"face-threshold: 0.05\nfeather: 0.2\njson: {tmp_path / 'found.json'}\n")
    assert check("--config", tmp_path / "config.yaml", redacted)[0] == 0
    assert json.loads((tmp_path / "found.json").read_text())["thresholds"]["reported"]["face"] == 0.025


def test_options_of_check_come_after_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["--kinds", "face", "check", str(tmp_path)]) == 2
    assert "options come after the command: anonymize check" in capsys.readouterr().err


def test_an_empty_folder(check: Check, tmp_path: Path, use_detectors: UseDetectors) -> None:
    (tmp_path / "in").mkdir()
    use_detectors(FixedDetector())
    code, out, err = check(tmp_path / "in")
    assert (code, out) == (2, "")
    assert f"nothing to check: no pictures or films in {tmp_path / 'in'}" in err


@pytest.mark.slow
def test_real_models(
    check: Check, folders: Folders, originals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(originals / "astronaut.png", folders[0])
    assert check(folders[0], "--json", tmp_path / "found.json")[0] == 1
    assert ("astronaut.png", "face") in findings(tmp_path / "found.json")
    assert run(["--input", str(folders[0]), "--image-output", str(folders[1])]) == 0
    capsys.readouterr()
    code, out, _ = check(folders[1], "--against", folders[0])
    assert code == 0, out


def test_interrupt(check: Check, folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    save(folders[0] / "a.png", noise(40, 40))
    save(folders[0] / "b.png", marked((255, 0, 0)))
    use_detectors(CrashingDetector(KeyboardInterrupt()))
    code, _, err = check("--json", tmp_path / "found.json", folders[0])
    assert code == 130
    assert err.strip() == "anonymize: interrupted"  # below the ^C of the terminal
    assert json.loads((tmp_path / "found.json").read_text())["complete"] is False


@pytest.mark.slow
def test_interrupt_of_a_process(folders: Folders, originals: Path, tmp_path: Path) -> None:
    for index in range(30):
        shutil.copy(originals / "astronaut.png", folders[0] / f"{index:02}.png")
    process = subprocess.Popen(
        [sys.executable, "-m", "anonymizer", "check", "--kinds", "face", "--json", tmp_path / "found.json", folders[0]],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=os.environ,
    )
    while process.poll() is None and not (tmp_path / "found.json").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # Python ends by the signal where that came in the midst of an import, which shells tell as 130 too.
    assert process.returncode in (130, -signal.SIGINT)
    assert b"anonymize: interrupted" in err
    assert b"Traceback" not in err
    assert json.loads((tmp_path / "found.json").read_text())["complete"] is False


def test_plates_too(check: Check, folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(100, 100))
    use_detectors(KeenDetector(plate(20, 20, 60, 40, 0.3), kinds=["plate"]))
    code, out, _ = check(folders[0])
    assert code == 1
    assert re.search(r"plate 0\.30 +20, 20, 40 x 20", out)
