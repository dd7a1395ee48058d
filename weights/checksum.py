"""The checksum of a model in its description."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import click


def write_checksum(description: Path, content: bytes) -> None:
    """Writes the SHA-256 of a model's files into the line that its description has for it, and says it.

    Args:
        description: such as model.yaml, in the same folder; may be missing.
        content: of the model's files, one after the other.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if description.is_file():
        description.write_text(re.sub(r"(?m)^sha256: .*$", f'sha256: "{sha256}"', description.read_text()))
    click.echo(f"{description.parent.name}: {len(content)} bytes, sha256 {sha256}")
