"""The hook for pre-commit: it sees the pictures of every format, and its entry is a command that works."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from anonymizer.check.thresholds import choose_thresholds
from anonymizer.formats import EXTENSIONS
from anonymizer.settings import DetectSettings

REPOSITORY = Path(__file__).parent.parent
ORIGINAL = REPOSITORY / "images/originals/astronaut.png"


@pytest.fixture(scope="module")
def hook() -> dict[str, Any]:
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert isinstance(hook, dict)
    return hook


def run_hook(hook: dict[str, Any], picture: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs the entry as pre-commit does: the arguments of the user behind it, then the files."""
    program, *entry = shlex.split(hook["entry"])
    assert program == "anonymize"
    command = [sys.executable, "-m", "anonymizer", *entry, *arguments, picture.name]
    return subprocess.run(command, cwd=picture.parent, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_files_of_every_extension_are_looked_at(hook: dict[str, Any], extension: str) -> None:
    assert re.search(hook["files"], f"some folder/a.{extension}")
    assert re.search(hook["files"], f"A.{extension.upper()}")
    assert not re.search(hook["files"], f"{extension}.txt")
    assert not re.search(hook["files"], f"not_a_{extension}")


def test_nothing_but_the_extensions_is_listed(hook: dict[str, Any]) -> None:
    (listed,) = re.findall(r"\(([a-z0-9|]+)\)\$$", hook["files"])
    assert listed.split("|") == list(EXTENSIONS)


def test_no_type_narrows_what_the_extensions_choose(hook: dict[str, Any]) -> None:
    assert not {"types", "types_or", "exclude", "exclude_types"} & {*hook}


def test_the_thresholds_are_those_from_which_the_gate_is_sure(hook: dict[str, Any]) -> None:
    sure = choose_thresholds(DetectSettings(), DetectSettings(), 1).sure
    expected = f"--face-threshold {round(sure['face'], 4)} --plate-threshold {round(sure['plate'], 4)}"
    assert expected in hook["entry"]


@pytest.mark.slow
@pytest.mark.parametrize("extension", ["png", "gif", "avif"])
def test_the_entry_finds_a_face(hook: dict[str, Any], tmp_path: Path, extension: str) -> None:
    picture = tmp_path / f"astronaut.{extension}"
    Image.open(ORIGINAL).convert("RGB").save(picture)
    done = run_hook(hook, picture)
    assert done.returncode == 1, done.stderr
    assert f"{picture.name} " in done.stdout + done.stderr


@pytest.mark.slow
def test_the_entry_passes_an_innocent_picture(hook: dict[str, Any], tmp_path: Path) -> None:
    picture = Path(shutil.copy(REPOSITORY / "images/originals/coffee.png", tmp_path))
    done = run_hook(hook, picture)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run_hook(hook, picture, "--plate-threshold", "0.3").returncode == 1, "what the user gives must win"
