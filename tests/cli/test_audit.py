import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from audit import drawn
from recognise.faces import astronaut, senator

from anonymizer.cli.main import run


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Two people, three pictures of each in different light."""
    for name, picture in (("eileen", astronaut()[:260, 100:360]), ("senator", senator())):
        (tmp_path / "faces" / name).mkdir(parents=True)
        for number, light in enumerate((0.7, 0.85, 1.0)):
            lit = (picture * light).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "faces" / name / f"{number}.png"), lit[:, :, ::-1])
    return tmp_path / "faces"


def call(*arguments: object) -> int:
    return run(["audit", *map(str, arguments)])


def test_people_are_told_where_nothing_is_hidden(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "audit"
    assert call("identify", faces, "--redaction", "none", "--redaction", "solid", "--output", output) == 0
    attacks = json.loads((output / "identify.json").read_text())["attacks"]
    reached = {(each["redaction"], each["attacker"]): each["rank_1"]["value"] for each in attacks}
    assert reached["none", "SFace, clear gallery"] == 1
    assert "\n| none | SFace, clear gallery | 1.000" in capsys.readouterr().out
    assert str(tmp_path) not in (output / "identify.json").read_text()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_a_network_is_trained_and_used(faces: Path, tmp_path: Path) -> None:
    few = ("--side", 32, "--epochs", 1, "--copies", 1)
    assert call("reverse", faces, "--redaction", "pixelate-16", "--output", tmp_path / "net", *few) == 0
    assert (tmp_path / "net" / "reverse.html").is_file()
    experiment = tmp_path / "experiment.yaml"
    experiment.write_text("faces: faces\nredactions: [pixelate-16]\nreversals: {pixelate-16: net}\n")
    assert call("identify", "--experiment", experiment, "--output", tmp_path / "audit") == 0
    assert "SFace, reversed, clear gallery" in (tmp_path / "audit" / "identify.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["identify"], "say which faces are attacked"),
        (["identify", "missing"], "is not a folder"),
        (["identify", "missing", "--redaction", "blur"], "none of none, default"),
        (["identify", "missing", "--reversal", "net"], "expected NAME=DIR"),
        (["identify", "missing", "--reversal", "default=net"], "holds no network"),
        (["identify", "missing", "--experiment", "e.yaml"], "leave out the other options"),
        (["film", "missing"], "is not a folder"),
        (["film", "missing", "--films", "missing", "--filmed", "2"], "leave it out with --films"),
        (["plates", "missing"], "annotations.json"),
        (["plates"], "say which plates are read"),
        (["plates", "missing", "--drawn", "20"], "one of both"),
        (["leak", "missing", "missing"], "annotations.json"),
        (["utility", "missing"], "input folder"),
        (["utility", "."], "holds no picture"),
        (["utility", ".", "--model", "missing.tflite"], "holds no picture"),
        (["reverse", "missing"], "is not a folder"),
        (["reverse", "missing", "--side", "50"], "a multiple of 8"),
    ],
)
def test_a_wrong_option_is_named(
    arguments: Sequence[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(*arguments, "--output", tmp_path / "output") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_leaks_of_an_output_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, level in (("originals", 90), ("output", 200)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "a.png"), np.full((60, 60, 3), level, np.uint8))
    box = {"kind": "face", "x_min": 10, "y_min": 10, "x_max": 30, "y_max": 40}
    (tmp_path / "originals" / "annotations.json").write_text(json.dumps([{"image": "a.png", "boxes": [box]}]))
    folders = tmp_path / "originals", tmp_path / "output"
    assert call("leak", *folders, "--output", tmp_path / "leaks") == 0
    assert "| face | 1 | 1.000 | 0 | 0.000 |" in capsys.readouterr().out
    assert call("leak", *folders, "--group", "crowds", "--output", tmp_path / "leaks") == 2
    experiment = tmp_path / "leaks.yaml"
    experiment.write_text("pictures: originals\nredacted: output\n")
    assert call("leak", "--experiment", experiment, "--output", tmp_path / "cited") == 0
    assert (tmp_path / "cited" / "leak.md").read_text() == (tmp_path / "leaks" / "leak.md").read_text()


def test_leaks_of_films_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [drawn.draw(1, 0)] * 3
    drawn.write_film(tmp_path / "films" / "a.mp4", frames)
    drawn.write_film(tmp_path / "output" / "a.mp4", frames)
    box = {"kind": "face", "track": "k", "x_min": 44, "y_min": 34, "x_max": 116, "y_max": 130}
    entries = [{"film": "a.mp4", "frames": {"0": [box], "2": [box]}}]
    (tmp_path / "films" / "annotations.json").write_text(json.dumps(entries))
    folders = tmp_path / "films", tmp_path / "output"
    assert call("leak", *folders, "--output", tmp_path / "leaks") == 0
    assert "| all: face | 2 | 2 | 2 | 2 | 1 | 1 | 2 frames |" in capsys.readouterr().out
    assert "data:image/png;base64," in (tmp_path / "leaks" / "leak.html").read_text()
    assert call("leak", *folders, "--look-again", "--output", tmp_path / "leaks") == 2
    assert "are for pictures" in capsys.readouterr().err


def test_the_costs_of_redaction_are_told(faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("utility", faces, "--redaction", "solid", "--limit", 2, "--output", tmp_path / "costs") == 0
    assert "| 2 of 2 | 0 levels in 0.00% of the pixels | 1.000 |" in capsys.readouterr().out
    assert json.loads((tmp_path / "costs" / "utility.json").read_text())["pictures"] == "faces"


def test_an_experiment_stands_for_the_options(faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment = tmp_path / "costs.yaml"
    experiment.write_text("pictures: faces\nlimit: 1\nredactions: {none: , dark: {method: solid, color: '#000000'}}\n")
    assert call("utility", "--experiment", experiment, "--output", tmp_path / "costs") == 0
    names = [row["redaction"] for row in json.loads((tmp_path / "costs" / "utility.json").read_text())["redactions"]]
    assert names == ["none", "dark"]
    experiment.write_text("pictures: faces\nlimits: 1\n")
    assert call("utility", "--experiment", experiment, "--output", tmp_path / "costs") == 2
    assert "limits: expected pictures, redactions" in capsys.readouterr().err
    experiment.write_text("pictures: [faces]\n")
    assert call("utility", "--experiment", experiment, "--output", tmp_path / "costs") == 2
    assert "is not what the option takes" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_an_experiment_says_what_is_brought_back(faces: Path, tmp_path: Path) -> None:
    experiment = tmp_path / "reversal.yaml"
    few = "side: 32\nepochs: 1\ncopies: 1\n"
    experiment.write_text(f"faces: faces\ntest_faces: faces\nredaction: {{dark: {{method: solid}}}}\n{few}")
    assert call("reverse", "--experiment", experiment, "--output", tmp_path / "net") == 0
    result = json.loads((tmp_path / "net" / "reverse.json").read_text())
    assert (result["redaction"], result["side_px"], result["faces"]) == ("dark", 32, result["held_out"])
    experiment.write_text("faces: faces\nredaction: {dark: , light: }\n")
    assert call("reverse", "--experiment", experiment, "--output", tmp_path / "net") == 2


def test_one_person_cannot_be_told_from_others(faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (faces / "senator").iterdir():
        path.unlink()
    assert call("identify", faces, "--output", tmp_path / "output") == 2
    assert "shows one person" in (said := capsys.readouterr().err)
    assert "one folder of pictures for each person, or identity.json" in said
