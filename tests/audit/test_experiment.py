from pathlib import Path

import pytest

from anonymizer.audit.experiment import read_experiment, read_values
from anonymizer.audit.redactions import Ours
from anonymizer.errors import SettingsError
from anonymizer.settings import RedactSettings


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text(
        "faces: people\nredactions: {default: , few: {cells: 3}}\nreversals: {default: net}\nfacenet: f.h5\nseed: 4\n"
    )
    read = read_experiment(path)
    assert read.faces == tmp_path / "people"
    assert [row.name for row in read.redactions] == ["default", "few"]
    assert read.redactions[1].redact == Ours(RedactSettings(cells=3))
    assert read.reversals == {"default": tmp_path / "net"}
    assert read.facenet == tmp_path / "f.h5"
    assert read.seed == 4


def test_redactions_may_be_a_list(tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text("faces: people\nredactions: [none, solid]\n")
    assert [row.name for row in read_experiment(path).redactions] == ["none", "solid"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("{", "is not YAML"),
        ("redactions: [none]", "expected keys"),
        ("faces: x\nmethods: [none]", "methods: expected faces"),
        ("faces: x\nredactions: none", "map names"),
        ("faces: x\nseed: many", "map names"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "experiment.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_experiment(path)


def test_values_are_those_of_known_keys(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text("faces: people\nframes: 3\n")
    assert read_values(file, ["faces", "frames"]) == {"faces": "people", "frames": 3}
    with pytest.raises(SettingsError, match="frames: expected faces"):
        read_values(file, ["faces"])
    file.write_text("- faces\n")
    with pytest.raises(SettingsError, match="expected keys such as faces"):
        read_values(file, ["faces"])
