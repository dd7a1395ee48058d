"""Tests of weights.checksum."""

from hashlib import sha256
from pathlib import Path

import pytest

from weights.checksum import write_checksum


def test_the_line_of_the_checksum_alone_changes(tmp_path: Path) -> None:
    description = tmp_path / "model.yaml"
    description.write_text('files: [a]\nsha256: "old"\nsize: 3 # sha256: of\n')
    write_checksum(description, b"new")
    assert description.read_text() == f'files: [a]\nsha256: "{sha256(b"new").hexdigest()}"\nsize: 3 # sha256: of\n'


def test_without_a_description_it_is_said_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checksum(tmp_path / "model.yaml", b"new")
    assert not (tmp_path / "model.yaml").exists()
    assert f"3 bytes, sha256 {sha256(b'new').hexdigest()}" in capsys.readouterr().out
