"""The way of one file through the check: what goes wrong with it is a finding, and stops nothing."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import CrashingDetector, FixedDetector, Folders, KeenDetector, UseDetectors, face, marked, noise, save

from anonymizer import anonymize_folder
from anonymizer.check.file_check import CheckedFile, FileCheck
from anonymizer.check.inputs import InputFile
from anonymizer.check.plan import make_check_plan

FACE = face(20, 20, 60, 60)


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., CheckedFile]:
    """look(path, **options) is what the check has to say of a file."""

    def look(path: Path, **options: Any) -> CheckedFile:
        plan = make_check_plan([path], options)
        (file,) = plan.files
        return FileCheck(plan).begin()((0, file))

    return look


def told(checked: CheckedFile) -> list[tuple[str, str]]:
    return [(finding.kind, finding.level) for finding in checked.findings]


def test_what_is_seen_is_a_finding(
    look: Callable[..., CheckedFile], tmp_path: Path, use_detectors: UseDetectors
) -> None:
    use_detectors(FixedDetector(FACE))
    checked = look(save(tmp_path / "a.png", noise(100, 100)))
    assert told(checked) == [("face", "finding")]
    assert (checked.card, list(checked.accepted)) == (None, [])


def test_a_redacted_file_is_judged_by_its_record(
    look: Callable[..., CheckedFile], folders: Folders, use_detectors: UseDetectors
) -> None:
    save(folders[0] / "a.png", noise(100, 100))
    use_detectors(KeenDetector(FACE))
    anonymize_folder(*folders)
    assert told(look(folders[1] / "a.png")) == []
    use_detectors(FixedDetector(FACE))
    assert told(look(folders[1] / "a.png")) == [("face", "noted")]
    (folders[1] / "a.json").write_text("[1]")
    assert told(look(folders[1] / "a.png")) == [("record", "finding"), ("face", "finding")]


@pytest.mark.parametrize(
    ("content", "text"), [(b"", "is empty"), (b"no picture", "picture in JPEG, PNG"), (b"\x89PNG\r\n\x1a\n", "")]
)
def test_what_cannot_be_read_is_a_finding(
    look: Callable[..., CheckedFile], tmp_path: Path, use_detectors: UseDetectors, content: bytes, text: str
) -> None:
    use_detectors(FixedDetector())
    (tmp_path / "a.png").write_bytes(content)
    (finding,) = look(tmp_path / "a.png").findings
    assert (finding.kind, finding.level) == ("unreadable", "finding")
    assert finding.text.startswith("cannot be checked: ")
    assert text in finding.text
    assert str(tmp_path) not in finding.text


def test_a_model_that_crashes_is_a_finding(
    look: Callable[..., CheckedFile], tmp_path: Path, use_detectors: UseDetectors
) -> None:
    use_detectors(CrashingDetector(RuntimeError(f"cannot see {tmp_path / 'a.png'}")))
    checked = look(save(tmp_path / "a.png", marked((255, 0, 0))), html=tmp_path / "page.html")
    (finding,) = checked.findings
    assert finding.text == "cannot be checked: unexpected RuntimeError: cannot see folder/a.png"
    assert checked.card is not None


def test_what_is_wanted_is_made_while_the_pixels_are_there(
    look: Callable[..., CheckedFile], tmp_path: Path, use_detectors: UseDetectors
) -> None:
    use_detectors(FixedDetector(FACE))
    path = save(tmp_path / "in" / "a.png", noise(100, 100))
    annotate = tmp_path / "marked"
    checked = look(
        path, html=tmp_path / "p.html", annotate=annotate, baseline=tmp_path / "b", **{"write-baseline": True}
    )
    assert told(checked) == [("face", "accepted")]
    assert [(entry.file, entry.kind) for entry in checked.accepted] == [(path.as_posix(), "face")]
    assert checked.card is None  # nobody needs to look at what is accepted
    assert [path.name for path in annotate.rglob("*.jpg")] == ["a.png.jpg"]


def test_a_file_that_is_given_up_is_unreadable(tmp_path: Path) -> None:
    save(tmp_path / "a.png", noise(8, 8))
    plan = make_check_plan([tmp_path], {"html": tmp_path / "page.html"})
    checked = FileCheck(plan).give_up((0, plan.files[0]), "took too long")
    (finding,) = checked.findings
    assert (finding.file, finding.kind, finding.text) == ("a.png", "unreadable", "cannot be checked: took too long")
    assert checked.card is not None


def test_what_a_killed_process_has_begun_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "in" / "a.png", noise(8, 8))
    swept: list[object] = []
    monkeypatch.setattr("anonymizer.check.file_check.remove_partials", lambda *given: swept.append(given))
    for options in ({}, {"annotate": tmp_path / "marked"}):
        plan = make_check_plan([tmp_path / "in"], options)
        FileCheck(plan).sweep((0, InputFile(tmp_path / "in", "sub/a.png", "../sub/a.png")))
    assert swept == [(tmp_path / "marked", [Path("sub/a.png.jpg")])]


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    save(tmp_path / "a.png", noise(8, 8))
    task = FileCheck(make_check_plan([tmp_path], {}))
    assert pickle.loads(pickle.dumps(task)) == task
