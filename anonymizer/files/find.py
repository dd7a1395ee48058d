"""Finds the pictures below a folder, and counts everything that is not one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.errors import SettingsError
from anonymizer.types import Job


@dataclass
class Listing:
    """What lies below the input root.

    `jobs` are in a stable order: the files of a folder by name, then its subfolders by name.
    """

    jobs: list[Job] = field(default_factory=list)
    not_looked_at: Counter[str] = field(default_factory=Counter)
    """Files that are no pictures by their extension, counted by it (lower case, "" for none)."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Folders that could not be listed, relative to the root, with the reason."""


def find_pictures(root: Path, extensions: Sequence[str], output: Path | None = None) -> Listing:
    """Everything below `root`, symbolic links followed, each folder once on any way down.

    Args:
        root: the input folder.
        extensions: those of pictures, lower case, without a dot.
        output: a folder that is not entered even if a link leads there.

    Raises:
        SettingsError: `root` is not a folder, or cannot be listed.
    """
    try:
        os.scandir(root).close()
    except OSError as error:
        raise SettingsError(f"input folder {root}: {error.strerror}") from None

    listing = Listing()
    suffixes = {f".{extension}" for extension in extensions}
    forbidden = {identity for identity in [_identity(output)] if identity}
    for folder, names in _walk(root, Path(), forbidden, listing):
        pictures = [name for name in names if Path(name).suffix.lower() in suffixes]
        for name, record in zip(pictures, record_names(pictures), strict=True):
            listing.jobs.append(Job(folder / name, folder / name, folder / record))
        others = set(names).difference(pictures)
        listing.not_looked_at.update(Path(name).suffix.lower() for name in others)
    return listing


def record_names(pictures: Sequence[str]) -> list[str]:
    """The names of the detection files of the pictures of one folder, all different.

    `a.jpg` gets `a.json`. Where that could be meant for a twin (`a.jpg` and `a.png`; on some file systems
    `A.jpg` too), a picture keeps its whole name: `a.jpg.json`.
    """
    stems = Counter(Path(name).stem.casefold() for name in pictures)
    taken = {name.casefold() for name in pictures}

    def record_name(name: str) -> str:
        stem = Path(name).stem
        is_free = stems[stem.casefold()] == 1 and stem.casefold() not in taken
        return f"{stem if is_free else name}.json"

    return [record_name(name) for name in pictures]


def _walk(
    root: Path, folder: Path, ancestors: set[tuple[int, int]], listing: Listing
) -> Iterator[tuple[Path, list[str]]]:
    """Yields each folder (relative) with the names of the files in it."""
    identity = _identity(root / folder)
    if identity is None or identity in ancestors:
        return  # a link that leads back up
    try:
        with os.scandir(root / folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        listing.unreadable[folder.as_posix()] = f"folder cannot be listed: {error.strerror}"
        return
    yield folder, [entry.name for entry in entries if not _is_folder(entry)]
    for entry in entries:
        if _is_folder(entry):
            yield from _walk(root, folder / entry.name, ancestors | {identity}, listing)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # for example a link that leads to itself
        return False


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Device and inode: the same for every way that leads to one folder."""
    try:
        status = os.stat(path) if path is not None else None
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status else None
