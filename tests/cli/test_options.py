"""Settings as options of the command line, and back."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from anonymizer.cli.options import GroupedOption, complete_options, effective_options, setting_options
from anonymizer.errors import SettingsError
from anonymizer.settings import RedactSettings, RunSettings, VerbositySettings


def given(*arguments: str) -> dict[str, object]:
    """What a command with all options gets for these arguments, but for what is not given."""
    taken: dict[str, object] = {}

    @click.command()
    @setting_options()
    def command(**options: object) -> None:
        taken.update({name: value for name, value in options.items() if value is not None})

    done = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return taken


def test_options_that_are_not_given_stay_open() -> None:
    assert given() == {}


def test_options_are_texts_or_switches() -> None:
    assert given("--face-threshold", "many", "--overwrite", "--no-write-detections") == {
        "face_threshold": "many",
        "overwrite": True,
        "write_detections": False,
    }
    assert given("-q", "--config", "a.yaml") == {"quiet": True, "config": Path("a.yaml")}


def test_verbosity_counts() -> None:
    assert given("-vv") == {"verbose": 2}
    assert given("--verbose", "--no-verbose") == {"verbose": 1, "no_verbose": True}
    assert effective_options(None, {"verbose": 1, "no_verbose": True}) == {"verbose": 0}


def test_commands_take_the_options_of_their_parts_alone() -> None:
    @click.command()
    @setting_options([RunSettings])
    def command(**options: object) -> None: ...

    names = {option.name for option in command.params}
    assert {"input", "limit", "config"} <= names
    assert not {"method", "verbose"} & names


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "anonymize.yaml"
    config.write_text("face-threshold: 0.3\nverbose: true\nlimit: 4\n")
    line = {"face_threshold": "0.9", "no_verbose": True, "limit": None}
    assert effective_options(config, line) == {"face-threshold": "0.9", "verbose": 0, "limit": 4}
    with pytest.raises(SettingsError, match="No such file"):
        effective_options(tmp_path / "nowhere.yaml", {})


def test_complete_options_are_checked_and_plain() -> None:
    options = complete_options({"face-threshold": "0.5", "kinds": "plate,face"})
    assert (options["face-threshold"], options["kinds"]) == (0.5, "face,plate")
    assert complete_options(options) == options
    with pytest.raises(SettingsError, match="--face-threshold"):
        complete_options({"face-threshold": "2"})


@pytest.mark.parametrize(
    ("option", "incomplete", "offered"),
    [
        ("method", "s", [("solid", "plain")]),
        ("method", "x", []),
        ("shape", "", [("ellipse", "plain"), ("box", "plain"), ("silhouette", "plain")]),
        ("input", "pic", [("pic", "dir")]),
        ("report", "r", [("r", "file")]),
        ("limit", "1", []),
    ],
)
def test_what_a_shell_offers(option: str, incomplete: str, offered: list[tuple[str, str]]) -> None:
    @click.command()
    @setting_options()
    def command(**options: object) -> None: ...

    (parameter,) = [parameter for parameter in command.params if parameter.name == option]
    items = parameter.shell_complete(click.Context(command), incomplete)
    assert [(item.value, item.type) for item in items] == offered


def test_the_help_of_an_option_ends_with_its_default() -> None:
    @click.command()
    @setting_options([RunSettings, RedactSettings, VerbositySettings])
    def command(**options: object) -> None: ...

    texts = {option.name: option.help for option in command.params if isinstance(option, GroupedOption)}
    for name, default in (("overwrite", "no-overwrite"), ("method", "gaussian"), ("timeout", "600.0")):
        text = texts[name]
        assert text is not None
        assert text.endswith(f"  [default: {default}]"), text
    assert "default" not in (texts["limit"] or "")


def test_every_setting_has_an_option() -> None:
    @click.command()
    @setting_options()
    def command(**options: object) -> None: ...

    assert all(isinstance(option, GroupedOption) for option in command.params)
    names = {option.name for option in command.params}
    assert names == {*(key.replace("-", "_") for key in complete_options({})), "config", "no_verbose"}
