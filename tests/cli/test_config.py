from pathlib import Path

import pytest
import yaml

from anonymizer.cli.main import run
from anonymizer.formats import EXTENSIONS


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["config", *arguments]) == 0
    return capsys.readouterr().out


def test_prints_what_can_be_fed_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = printed(
        capsys,
        "--face-threshold",
        "0.1",
        "--kinds",
        "plate,face",
        "--overwrite",
        "--input",
        "Ä",
        "--obfuscation-kernel",
        "65,3,19",
    )
    options = yaml.safe_load(text)
    assert options["face-threshold"] == 0.1
    assert options["kinds"] == "face,plate"
    assert options["overwrite"] is True
    assert options["obfuscation-kernel"] == "65,3,19"
    config = tmp_path / "anonymize.yaml"
    config.write_text(text, encoding="utf-8")
    assert printed(capsys, "--config", str(config)) == text


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "anonymize.yaml"
    config.write_text("face-threshold: 0.3\nplate-threshold: 0.4\noverwrite: true\n")
    options = yaml.safe_load(printed(capsys, "--config", str(config), "--face-threshold", "0.9", "--no-overwrite"))
    assert (options["face-threshold"], options["plate-threshold"], options["overwrite"]) == (0.9, 0.4, False)
    assert options["image-extensions"] == ",".join(EXTENSIONS)


def test_wrong_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--limit", "many"]) == 2
    assert "--limit: 'many' is not a number" in capsys.readouterr().err


def test_verbosity_can_be_repeated_and_taken_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "anonymize.yaml"
    config.write_text("verbose: true\n")
    given = [[], ["-v"], ["-vv"], ["--verbose", "--verbose"], ["--config", str(config)]]
    given += [["--config", str(config), option] for option in ("-vv", "--no-verbose")]
    found = [yaml.safe_load(printed(capsys, *arguments, "--log", "a.log")) for arguments in given]
    assert [options["verbose"] for options in found] == [0, 1, 2, 2, 1, 2, 0]
    assert found[0]["log"] == "a.log"
