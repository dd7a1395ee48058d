"""What a run left behind about itself."""

from pathlib import Path

import pytest

from anonymizer.check.previous_run import PreviousRun, find_reports, is_of_the_run, read_previous_run
from anonymizer.errors import SettingsError
from anonymizer.record.report import Report
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Result


def write(path: Path, name: str, shard: str | None = None, complete: bool = True) -> Path:
    report = Report(Settings(detect=DetectSettings(face_threshold=0.3)), [], ("face",), shard=shard, complete=complete)
    report.results = [Result(name, "anonymized", counts={"face": 1}, fidelity="lossless")]
    path.write_bytes(b"".join(report.to_json()))
    return path


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("anonymize-report.json", True),
        ("anonymize-manifest.sqlite", True),
        ("anonymize-report-2-of-8.json", True),
        ("anonymize-manifest-12-of-80.sqlite", True),
        ("anonymize-report-2-of-.json", False),
        ("anonymize-report.json.json", False),
        ("my-anonymize-report.json", False),
        ("anonymize-manifest.json", False),
    ],
)
def test_the_files_of_a_run_are_known_by_their_names(name: str, is_ours: bool) -> None:
    assert is_of_the_run(name) is is_ours


def test_the_report_of_the_whole_comes_before_those_of_shares(tmp_path: Path) -> None:
    assert find_reports(tmp_path) == []
    shares = [write(tmp_path / f"anonymize-report-{n}-of-2.json", f"{n}.png", f"{n}/2") for n in (1, 2)]
    (tmp_path / "other.json").touch()
    assert find_reports(tmp_path) == shares
    whole = write(tmp_path / "anonymize-report.json", "a.png")
    assert find_reports(tmp_path) == [whole]


def test_a_report_tells_settings_and_files(tmp_path: Path) -> None:
    run = read_previous_run([write(tmp_path / "anonymize-report.json", "a.png")])
    assert run.settings["face-threshold"] == 0.3
    assert run.complete
    assert run.files["a.png"]["fidelity"] == "lossless"
    assert read_previous_run([]) == PreviousRun()


def test_a_run_is_complete_with_all_its_shares(tmp_path: Path) -> None:
    shares = [write(tmp_path / f"anonymize-report-{n}-of-2.json", f"{n}.png", f"{n}/2") for n in (1, 2)]
    assert read_previous_run(shares).complete
    assert list(read_previous_run(shares).files) == ["1.png", "2.png"]
    assert not read_previous_run(shares[:1]).complete
    unfinished = write(shares[1], "2.png", "2/2", complete=False)
    assert not read_previous_run([shares[0], unfinished]).complete


def test_damaged_reports(tmp_path: Path) -> None:
    path = write(tmp_path / "anonymize-report.json", "a.png")
    content = path.read_text()
    start = content.index('"settings": {')
    path.write_text(content[:start] + '"settings": 7, "was": {' + content[start + len('"settings": {') :])
    with pytest.raises(SettingsError, match="is damaged"):
        read_previous_run([path])
