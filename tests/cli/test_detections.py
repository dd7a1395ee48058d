import json
from pathlib import Path

import pytest
from check.samples import anonymize, save_moving
from fakes import FixedDetector, Folders, UseDetectors, face, noise, plate, save
from stores import fill, in_memory

from anonymizer.cli.detections import FORMAT_NAMES
from anonymizer.cli.main import run
from anonymizer.record.exports.formats import EXPORT_FORMATS, FILM_FORMATS


@pytest.fixture
def recorded(folders: Folders, use_detectors: UseDetectors) -> Path:
    """The output of a run over two pictures, each with a face and a plate, and a broken one."""
    for name in ("a.png", "b.png"):
        save(folders[0] / name, noise(40, 50))
    use_detectors(FixedDetector(face(5, 5, 15, 15), plate(20, 20, 30, 30), kinds=["face", "plate"]))
    return anonymize(folders)


def test_formats_are_those_of_the_table() -> None:
    """The command line repeats them, since --help must not wait for NumPy."""
    assert (*EXPORT_FORMATS, *FILM_FORMATS) == FORMAT_NAMES


def test_export_and_import(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, corrected = tmp_path / "labels", tmp_path / "corrected"
    capsys.readouterr()
    assert run(["detections", "export", str(recorded), "--format", "coco", "--output", str(labels)]) == 0
    assert capsys.readouterr().out == f"2 pictures (2 faces, 2 plates): {labels}\n"
    file = labels / "instances_default.json"
    content = json.loads(file.read_bytes())
    content["annotations"][0]["bbox"] = [1, 1, 20, 20]
    content["categories"][1]["name"] = "licence"
    file.write_text(json.dumps(content))
    command = ["detections", "import", str(file), "--format", "coco", "--against", str(recorded)]
    assert run([*command, "--into", str(corrected), "--map", "licence=plate"]) == 0
    assert capsys.readouterr().out == (
        f"a.png: 1 face added, 1 face removed\n2 pictures, 1 of them corrected: {corrected}\n"
    )


def test_quiet(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, corrected = tmp_path / "labels", tmp_path / "corrected"
    capsys.readouterr()
    assert run(["detections", "export", str(recorded), "--format", "csv", "--output", str(labels), "-q"]) == 0
    command = ["detections", "import", str(labels), "--format", "csv", "--against", str(recorded), "--quiet"]
    assert run([*command, "--into", str(corrected)]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_what_an_animation_leaves_out_is_said(
    folders: Folders,
    use_detectors: UseDetectors,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    format_name: str,
) -> None:
    save_moving(folders[0] / "moving.gif", *(noise(40, 50, seed=seed) for seed in range(3)))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    command = ["detections", "export", str(anonymize(folders)), "--format", format_name, "--quiet"]
    capsys.readouterr()
    assert run([*command, "--output", str(tmp_path / "labels")]) == 0
    text = "of its frames only the first is exported, without 2 detections in others, which an import keeps"
    assert capsys.readouterr().err == f"anonymize: warning: moving.gif: {text}\n"


def test_runs_in_stores(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contents = {p.relative_to(recorded).as_posix(): p.read_bytes() for p in recorded.rglob("*.*")}
    stored = fill(in_memory({}).parent / "out", contents)
    for place, labels in ((recorded, tmp_path / "one"), (stored, tmp_path / "other")):
        assert run(["detections", "export", str(place), "--format", "label-studio", "--output", str(labels)]) == 0
    assert (tmp_path / "one" / "tasks.json").read_text() == (tmp_path / "other" / "tasks.json").read_text()
    capsys.readouterr()
    printed = []
    for place in (recorded, stored):
        assert run(["detections", "stats", str(place)]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    command = [
        "detections",
        "import",
        str(tmp_path / "other"),
        "--format",
        "label-studio",
        "--into",
        str(tmp_path / "new"),
    ]
    assert run([*command, "--against", str(stored)]) == 0
    assert run(["detections", "stats", str(stored / "nothing")]) == 2
    assert f"{stored}/nothing is not the output folder of a run" in capsys.readouterr().err


def test_the_usual_output(recorded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["detections", "export", str(recorded), "--format", "label-studio"]) == 0
    assert "?d=out/a.png" in (tmp_path / "detections-label-studio" / "tasks.json").read_text()


def test_pictures_that_the_tool_shows(recorded: Path, tmp_path: Path) -> None:
    output, pictures = tmp_path / "labels", tmp_path / "originals"
    command = ["detections", "export", str(recorded), "--format", "label-studio", "--output", str(output)]
    assert run([*command, "--pictures", str(pictures)]) == 0
    assert "?d=originals/a.png" in (output / "tasks.json").read_text()


def test_problems(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (recorded / "a.json").write_text("[")
    labels = tmp_path / "labels"
    assert run(["detections", "export", str(recorded), "--format", "yolo", "--output", str(labels)]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("anonymize: failed: a.png: has a damaged record a.json: truncated")
    assert "1 picture (1 face, 1 plate)" in said.out
    (labels / "labels/train/b.txt").write_text("7 0.5 0.5 0.1 0.1\n")
    command = ["detections", "import", str(labels), "--format", "yolo", "--against", str(recorded)]
    assert run([*command, "--into", str(tmp_path / "corrected")]) == 1
    said = capsys.readouterr()
    assert "failed: b.png: labels/train/b.txt, line 1: 'class 7' is not one of face, plate," in said.err
    assert "0 pictures, 0 of them corrected" in said.out


def test_pictures_that_are_not_named(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("name,kind,x_min,y_min,x_max,y_max\na.png,,,,,\n")
    command = ["detections", "import", str(tmp_path / "a.csv"), "--format", "csv", "--against", str(recorded)]
    assert run([*command, "--into", str(tmp_path / "corrected")]) == 0
    assert "1 of them corrected, 1 not named and kept as they were" in capsys.readouterr().out


def test_stats(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, picture = tmp_path / "page.html", tmp_path / "charts.png"
    command = ["detections", "stats", str(recorded), "--html", str(page), "--png", str(picture), "--top", "1"]
    capsys.readouterr()
    assert run(command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "2 pictures, 0 of them without detections"
    assert said[-2:] == ["  a.png: 1 tiny face, 1 tiny plate", "  and 1 more"]
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert picture.read_bytes().startswith(b"\x89PNG")
    (recorded / "a.json").unlink()
    assert run(command) == 1
    assert "  a.png: has no record: a.json is missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["export", "OUT", "--format", "tiff"], 2, "'tiff' is not one of"),
        (["export", "NOTHING", "--format", "coco"], 2, "is not the output folder of a run: it holds no report"),
        (["export", "OUT", "--format", "coco", "--output", "OUT"], 4, "which holds the anonymized pictures"),
        (["import", "OUT", "--format", "csv", "--against", "OUT", "--into", "NEW"], 2, "holds no file of the format"),
        (["stats", "NOTHING"], 2, "is not the output folder of a run: it holds no report"),
        (["stats", "OUT", "--png", "OUT/a.png"], 4, "which holds the anonymized pictures; choose another place"),
        (["stats", "OUT", "--html", "OUT/../out/x"], 4, "which holds the anonymized pictures; choose another place"),
        (
            ["import", "OUT", "--format", "csv", "--against", "OUT", "--into", "NEW", "--map", "a=cat"],
            2,
            "--map a=cat: is not NAME=KIND with one of face, plate",
        ),
    ],
)
def test_exit_codes(
    recorded: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"OUT": str(recorded), "NEW": str(recorded.parent / "new"), "NOTHING": str(recorded.parent)}
    before = (recorded / "a.png").read_bytes()
    named = [places.get(each, each).replace("OUT/", f"{recorded}/") for each in arguments]
    assert run(["detections", *named]) == code
    assert (recorded / "a.png").read_bytes() == before
    assert message in capsys.readouterr().err
    assert not (recorded.parent / "new").exists()
