"""Reading files out of a git repository, bare or not, without a checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path


class Repository:
    """The files of the newest commit of a git repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self, under: str = "") -> list[str]:
        """All files, or those below a folder, sorted.

        Raises:
            subprocess.CalledProcessError: `folder` is no git repository, or has no commit.
        """
        command = ["git", "-C", str(self.folder), "ls-tree", "-r", "-z", "--full-tree", "--name-only", "HEAD"]
        if under:
            command += ["--", under]
        listed = subprocess.run(command, check=True, capture_output=True).stdout
        return sorted(path.decode() for path in listed.split(b"\0") if path)

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each path with the content of its file, one after the other.

        Raises:
            FileNotFoundError: The commit has no such file.
        """
        command = ["git", "-C", str(self.folder), "cat-file", "--batch"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for path in paths:
                process.stdin.write(f"HEAD:{path}\n".encode())
                process.stdin.flush()
                header = process.stdout.readline().split()
                if len(header) != 3 or header[1] != b"blob":
                    raise FileNotFoundError(f"{path} is not in {self.folder}")
                content = process.stdout.read(int(header[2]))
                process.stdout.read(1)  # the line feed behind it
                yield path, content

    def content(self, path: str) -> bytes:
        """The content of one file."""
        ((_, content),) = self.read([path])
        return content
