import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest

from anonymizer.cli.help import OTHER
from anonymizer.cli.main import anonymize, run
from anonymizer.cli.options import COMMON, GroupedOption
from anonymizer.kinds import MODEL_KINDS
from anonymizer.settings import ALL_SETTINGS, CHECK_SETTINGS, GROUPS, SERVE_SETTINGS, key_of


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert run([*command, "--help"]) == 0
    return capsys.readouterr().out


def sections(text: str) -> dict[str, str]:
    """The lines below each heading of a help text."""
    parts: dict[str, list[str]] = {"": []}
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            parts[line.removesuffix(":")] = []
        else:
            parts[list(parts)[-1]].append(line)
    return {name: "\n".join(lines) for name, lines in parts.items()}


def options_in(group: str) -> list[str]:
    """The options that a section of a help text explains."""
    return re.findall(r"^  (?:-\w, )?--(\S+)", group, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "parts"),
    [([], ALL_SETTINGS), (["config"], ALL_SETTINGS), (["check"], CHECK_SETTINGS), (["serve"], SERVE_SETTINGS)],
)
def test_every_option_is_in_a_group(
    capsys: pytest.CaptureFixture[str], command: list[str], parts: tuple[type, ...]
) -> None:
    text = help_of(capsys, *command)
    groups = sections(text)
    names = [name for name in groups if name not in ("", "Commands", "Positional arguments")]
    assert names == [name for name in (COMMON, *GROUPS, OTHER) if name in names]
    assert "Options" not in groups
    for key in [*(key_of(setting) for part in parts for setting in fields(part)), "config", "help"]:
        assert sum(key in options_in(group) for group in groups.values()) == 1, key
    assert options_in(groups[OTHER]) == (["help"] if command else ["version", "help"])


def test_the_common_options_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys)
    assert options_in(sections(text)[COMMON]) == [
        *("input", "image-output", "overwrite", "dry-run", "kinds"),
        *(f"{kind}-threshold" for kind in MODEL_KINDS),
        *("preset", "method", "metadata"),
    ]
    assert text.index(COMMON) < min(text.index(f"\n{group}:") for group in GROUPS if f"\n{group}:" in text)


@pytest.mark.parametrize("command", [[], ["check"], ["config"], ["models"], ["report"], ["report", "merge"], ["serve"]])
def test_every_command_has_an_example(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    example = help_of(capsys, *command).partition("Example")[2]
    assert "anonymize " in example.splitlines()[1]


def test_all_options_of_settings_know_their_group() -> None:
    (check,) = [command for name, command in anonymize.commands.items() if name == "check"]
    for command in (anonymize, check):
        options = [option for option in command.params if isinstance(option, click.Option)]
        others = {option.name for option in options if not isinstance(option, GroupedOption)}
        assert others <= {"version"}


@pytest.mark.parametrize("command", [[], ["check"], ["config"], ["models"], ["report", "merge"], ["serve"]])
def test_help_loads_nothing_slow(command: list[str]) -> None:
    script = (
        "import sys; from anonymizer.cli.main import run; code = run(sys.argv[1:]);"
        "sys.exit(code or bool({'numpy', 'cv2', 'tensorflow', 'PIL', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script, *command, "--help"], capture_output=True, check=False)
    assert done.returncode == 0, done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pictures", "out"], "try: anonymize --input pictures --image-output out"),
        (["my pictures", "out", "-q"], "try: anonymize --input 'my pictures' --image-output out"),
        (["-q", "a", "b", "--method", "solid"], "try: anonymize --input a --image-output b"),
        (["."], "try: anonymize --input . --image-output OUTPUT"),
        ([".", "--overwrite"], "try: anonymize --input . --image-output OUTPUT"),
        (["chek", "out"], "'chek' is not a command; did you mean 'anonymize check'?"),
        (["modles"], "'modles' is not a command; did you mean 'anonymize models'?"),
        (
            ["nowhere"],
            "'nowhere' is not a command; commands are audit, check, config, detections, models, plan, report",
        ),
    ],
)
def test_folders_and_misspelt_commands_get_advice(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


COMPLETE = """
eval "$(_ANONYMIZE_COMPLETE=bash_source anonymize)"
COMP_WORDS=({words}); COMP_CWORD={number}; _anonymize_completion anonymize; echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("anonymize ch", "check"),
        ("anonymize --face-t", "--face-threshold"),
        ("anonymize check --pres", "--preset"),
        ("anonymize --method so", "solid"),
        ("anonymize --shape ''", "ellipse box silhouette"),
    ],
)
def test_completion_in_a_shell(tmp_path: Path, words: str, completed: str) -> None:
    program = tmp_path / "anonymize"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m anonymizer "$@"\n')
    program.chmod(0o755)
    script = f"PATH={tmp_path}:$PATH\n" + COMPLETE.format(words=words, number=len(words.split()) - 1)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == completed.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    script = (
        "import os, sys; os.environ['_ANONYMIZE_COMPLETE'] = sys.argv[1]; from anonymizer.cli.main import run\n"
        "try: run([])\nexcept SystemExit as end: code = end.code\n"
        "sys.exit(code or bool({'numpy', 'cv2', 'tensorflow', 'PIL', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, f"{shell}_source"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done
    assert "_ANONYMIZE_COMPLETE" in done.stdout
