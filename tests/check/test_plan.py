"""What a check will look at, and how closely, is known before any model is loaded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from check.samples import anonymize, change_report
from fakes import FixedDetector, Folders, KeenDetector, UseDetectors, face, noise, save

from anonymizer.check.baseline import Entry, to_json
from anonymizer.check.plan import CheckPlan, make_check_plan
from anonymizer.errors import OutputError, SettingsError


@pytest.fixture
def source(folders: Folders, use_detectors: UseDetectors) -> Path:
    """An input folder with one picture."""
    save(folders[0] / "a.png", noise(30, 30))
    use_detectors(KeenDetector(face(5, 5, 20, 20)))
    return folders[0]


def plan_for(*paths: Path, **options: object) -> CheckPlan:
    return make_check_plan(paths, {key.replace("_", "-"): value for key, value in options.items()})


def known_findings(plan: CheckPlan) -> list[tuple[str, str]]:
    return [(finding.file, finding.kind) for finding in plan.known]


@pytest.mark.parametrize(
    ("of_run", "given", "used"),
    [
        ({"preset": "fast"}, {}, "balanced"), ({"preset": "thorough"}, {}, "thorough"), ({}, {}, "balanced"),
        ({"preset": "thorough"}, {"preset": "fast"}, "fast"),
    ],
)  # fmt: skip
def test_preset(folders: Folders, source: Path, of_run: dict[str, object], given: dict[str, object], used: str) -> None:
    assert plan_for(anonymize(folders, of_run), **given).detect.preset == used


@pytest.mark.parametrize("projection", ["flat", "equirectangular"])
def test_projection(folders: Folders, source: Path, projection: str) -> None:
    output = anonymize(folders, {"projection": projection})
    assert plan_for(output).detect.projection == projection
    assert plan_for(output, projection="flat").detect.projection == "flat"


def test_the_run_says_how_it_redacted(folders: Folders, source: Path) -> None:
    output = anonymize(folders, {"face-margin": 0.35, "feather": 0.1, "face-threshold": 0.15})
    plan = plan_for(output)
    assert plan.settings.redact.margins["face"] == 0.35
    assert plan.settings.redact.feather == 0.1
    assert (plan.thresholds.run["face"], plan.thresholds.reported["face"]) == (0.15, 0.075)
    assert plan_for(output, feather=0.3).settings.redact.feather == 0.3


def test_what_the_run_left_alone_is_no_excuse(folders: Folders, source: Path) -> None:
    output = anonymize(folders, {"kinds": "face", "exclude-zone": "0,0 1,0 1,1 0,1"})
    plan = plan_for(output)
    assert set(plan.thresholds.run) == {"face", "plate"}
    assert (plan.detect.kinds, plan.detect.exclude_zone) == (None, ())
    assert (plan.settings.detect.kinds, plan.settings.detect.exclude_zone) == (None, ())
    assert plan_for(output, kinds="face").detect.kinds == ("face",)


@pytest.mark.parametrize(("of_run", "reported"), [(0.9, 0.1), (0.1, 0.05), (None, 0.1)])
def test_a_report_never_makes_the_gate_look_away(
    folders: Folders, source: Path, of_run: float | None, reported: float
) -> None:
    output = anonymize(folders)
    change_report(output, settings={"face-threshold": of_run, "kinds": "plate"})
    assert plan_for(output).thresholds.reported["face"] == reported


def test_a_report_with_a_setting_that_is_wrong(folders: Folders, source: Path) -> None:
    output = anonymize(folders)
    change_report(output, settings={"face-threshold": 7})
    with pytest.raises(SettingsError, match="the report of the anonymizing run is damaged: --face-threshold"):
        plan_for(output)


def test_a_report_that_is_named_decides(folders: Folders, source: Path, tmp_path: Path) -> None:
    output = anonymize(folders, {"face-threshold": 0.1})
    (output / "anonymize-report.json").rename(tmp_path / "report.json")
    assert plan_for(output).thresholds.run["face"] == 0.2
    assert plan_for(output, report=tmp_path / "report.json").thresholds.run["face"] == 0.1


def test_what_a_run_keeps_for_itself_is_not_counted(folders: Folders, source: Path) -> None:
    output = anonymize(folders)
    (output / "notes.TXT").touch()
    assert plan_for(output).not_looked_at == Counter({".txt": 1})


def test_missing_and_extra_files_are_known_before(folders: Folders, source: Path) -> None:
    save(source / "b.png", noise(30, 30))
    output = anonymize(folders)
    (output / "a.png").unlink()
    save(output / "c.png", noise(30, 30))
    plan = plan_for(output, against=source)
    assert known_findings(plan) == [("a.png", "missing"), ("c.png", "extra"), ("a.json", "extra")]
    assert [(file.name, file.original) for file in plan.files] == [("b.png", source / "b.png"), ("c.png", None)]


def test_one_folder_is_compared_with_its_originals(folders: Folders, source: Path, tmp_path: Path) -> None:
    output = anonymize(folders)
    for paths in ([output / "a.png"], [output, tmp_path]):
        with pytest.raises(SettingsError, match="--against compares with the originals of exactly one folder"):
            plan_for(*paths, against=source)
    with pytest.raises(SettingsError, match="No such file"):
        plan_for(output, against=source / "no such folder")


def test_there_must_be_something_to_check(tmp_path: Path, use_detectors: UseDetectors) -> None:
    use_detectors(FixedDetector())
    (tmp_path / "in").mkdir()
    with pytest.raises(SettingsError, match="nothing to check: no pictures or films in"):
        plan_for(tmp_path / "in")


def test_a_baseline(source: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    with pytest.raises(SettingsError, match="add --write-baseline to make it"):
        plan_for(source, baseline=known)
    with pytest.raises(SettingsError, match="--write-baseline needs --baseline FILE"):
        plan_for(source, write_baseline=True)
    assert plan_for(source, baseline=known, write_baseline=True).accepted == []
    entries = [Entry("a.png", "gps", "0")]
    known.write_bytes(to_json(entries))
    assert plan_for(source, baseline=known).accepted == entries


@pytest.mark.parametrize("content", ["{}", "", "\udcff", "[" * 100_000, '{"version": 2, "accepted": []}'])
def test_a_damaged_baseline(source: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "known.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match=r"baseline .*known\.json is damaged"):
        plan_for(source, baseline=tmp_path / "known.json", write_baseline=True)


@pytest.mark.parametrize("option", ["json", "html", "baseline"])
@pytest.mark.parametrize("name", ["out.png", "out.HEIC", "folder", "in/a.png", "in/../in/a.dat", "link"])
def test_outputs_that_would_replace_a_picture_or_a_folder(source: Path, tmp_path: Path, option: str, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (source / "a.dat").write_bytes(b"GIF89a")
    (tmp_path / "link").symlink_to(source / "a.dat")
    options: dict[str, object] = {"baseline": tmp_path / "known.json", "write_baseline": True, option: tmp_path / name}
    with pytest.raises(OutputError, match="is a folder or a picture that is checked; choose another file"):
        plan_for(source, **options)


def test_an_original_is_not_replaced_either(folders: Folders, source: Path) -> None:
    (source / "a.png").rename(source / "a.dat")
    original, output = source / "b.png", folders[1]
    save(original, noise(30, 30))
    link = folders[1].parent / "found.json"
    anonymize(folders)
    link.symlink_to(original)
    with pytest.raises(OutputError, match="choose another file"):
        plan_for(output, against=source, json=link)
    assert plan_for(output, json=link).files


@pytest.mark.parametrize("place", ["in", "in/marked", ".", "full"])
def test_folders_for_annotated_copies_that_are_refused(source: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(OutputError):
        plan_for(source, annotate=tmp_path / place)


def test_an_annotate_folder_that_is_not_empty_is_taken_with_overwrite(source: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert plan_for(source, annotate=tmp_path / "full", overwrite=True).check.annotate == tmp_path / "full"


@pytest.mark.parametrize("name", ["loop", "loop.png"])
def test_links_that_lead_to_themselves(source: Path, tmp_path: Path, name: str) -> None:
    (source / name).symlink_to(source / name)
    plan = plan_for(source, json=tmp_path / "found.json")
    expected = ["a.png", "loop.png"] if name == "loop.png" else ["a.png"]
    assert [file.name for file in plan.files] == expected
    assert plan.not_looked_at.total() == (name == "loop")


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
def test_options_that_make_no_sense(source: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_check_plan([source], options)


def test_the_user_decides_over_the_run(folders: Folders, source: Path) -> None:
    output = anonymize(folders, {"method": "solid", "face-threshold": 0.1, "preset": "thorough"})
    assert plan_for(output).settings.redact.method == "solid"
    plan = plan_for(output, face_threshold=0.6, method="mosaic", preset="fast")
    assert plan.thresholds.run["face"] == 0.6
    assert plan.settings.redact.method == "mosaic"
    assert plan.detect.preset == "fast"


def test_what_a_check_writes_is_not_looked_at_by_the_next(folders: Folders, source: Path) -> None:
    output = anonymize(folders)
    for name in ("findings.json", "look.html", "stray.html"):
        (output / name).touch()
    plan = plan_for(output, against=source, json=output / "findings.json", html=output / "look.html")
    assert known_findings(plan) == [("stray.html", "extra")]
    assert plan.not_looked_at == Counter({".html": 1})


def test_the_gate_looks_for_what_the_run_hid_and_for_what_is_looked_for_by_default(
    folders: Folders, source: Path
) -> None:
    output = anonymize(folders, {"kinds": "head"})
    assert plan_for(output).detect.kinds == ("face", "plate", "head")
    assert plan_for(output, kinds="face").detect.kinds == ("face",)


def test_a_usual_run_is_checked_for_the_usual_kinds(folders: Folders, source: Path) -> None:
    assert plan_for(anonymize(folders, {"kinds": "face"})).detect.kinds is None
