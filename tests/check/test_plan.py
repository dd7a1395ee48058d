"""What a check looks at, and what it refuses, is decided before any model is loaded."""

import json
from pathlib import Path

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer import anonymize_folder
from anonymizer.check.plan import make_check_plan
from anonymizer.errors import OutputError, SettingsError
from anonymizer.settings import DetectSettings, RedactSettings, Settings

OF_RUN = Settings(
    detect=DetectSettings(face_threshold=0.1, kinds=("face",), preset="thorough", exclude_zone="0,0 1,0 1,1"),
    redact=RedactSettings("solid"),
)


@pytest.fixture
def output(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output folder of a run."""
    save(folders[0] / "a.png", noise(40, 40))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    anonymize_folder(*folders, OF_RUN)
    return folders[1]


def test_the_gate_takes_over_from_the_run_how_it_hid_and_how_closely_it_looked(output: Path) -> None:
    plan = make_check_plan([output], {})
    assert plan.settings.redact.method == "solid"
    assert plan.detect.preset == "thorough"
    assert plan.thresholds.run["face"] == 0.1


def test_what_the_run_was_told_to_leave_alone_is_no_excuse(output: Path) -> None:
    plan = make_check_plan([output], {})
    assert plan.detect.kinds is None
    assert "plate" in plan.thresholds.run
    assert plan.settings.detect.exclude_zone == DetectSettings().exclude_zone


def test_the_user_decides_over_both(output: Path) -> None:
    plan = make_check_plan([output], {"face-threshold": 0.6, "method": "mosaic", "preset": "fast"})
    assert plan.thresholds.run["face"] == 0.6
    assert plan.settings.redact.method == "mosaic"
    assert plan.detect.preset == "fast"


def test_what_a_run_writes_for_itself_is_not_looked_at(output: Path) -> None:
    (output / "notes.txt").touch()
    plan = make_check_plan([output], {})
    assert [file.name for file in plan.files] == ["a.png"]
    assert plan.not_looked_at == {".txt": 1}
    assert plan.known == []


def test_originals_make_pairs(output: Path, folders: Folders) -> None:
    save(folders[0] / "b.png", noise(8, 8))
    plan = make_check_plan([output], {"against": folders[0]})
    assert [file.original for file in plan.files] == [folders[0] / "a.png"]
    assert [(finding.file, finding.kind) for finding in plan.known] == [("b.png", "missing")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"write-baseline": True}, "--write-baseline needs --baseline"),
        ({"baseline": "nowhere"}, "add --write-baseline to make it"),
        ({"baseline": __file__}, "is damaged"),
        ({"report": "nowhere"}, "nowhere: No such file"),
        ({"threshold-share": 2}, "--threshold-share"),
    ],
)
def test_options_that_make_no_sense(output: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_check_plan([output], options)


def test_originals_belong_to_one_folder(output: Path, folders: Folders) -> None:
    for paths in ([output, output / "a.png"], [output / "a.png"]):
        with pytest.raises(SettingsError, match="exactly one folder"):
            make_check_plan(paths, {"against": folders[0]})


def test_nothing_to_check_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nothing to check"):
        make_check_plan([tmp_path], {})


@pytest.mark.parametrize("option", ["json", "html"])
@pytest.mark.parametrize("place", ["out/a.png", "out", "new.jpg", "in/a.png"])
def test_outputs_take_the_place_of_no_picture(output: Path, folders: Folders, option: str, place: str) -> None:
    with pytest.raises(OutputError, match="is a folder or a picture"):
        make_check_plan([output], {option: output.parent / place, "against": folders[0]})


def test_annotated_copies_go_elsewhere(output: Path) -> None:
    with pytest.raises(OutputError):
        make_check_plan([output], {"annotate": output / "marked"})


def test_a_report_with_settings_that_nobody_could_give(output: Path) -> None:
    path = output / "anonymize-report.json"
    content = json.loads(path.read_text())
    content["settings"]["face-threshold"] = 7
    path.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match="report of the anonymizing run is damaged"):
        make_check_plan([output], {})
