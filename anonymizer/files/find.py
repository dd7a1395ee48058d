"""Finds the pictures below a folder, and counts everything that is not one."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.errors import OutputError, SettingsError
from anonymizer.types import Job


@dataclass
class Listing:
    """What lies below the input root."""

    jobs: list[Job] = field(default_factory=list)
    """In a stable order: folder by folder, the names in each sorted, links to folders last."""
    others: list[Path] = field(default_factory=list)
    """Files that are no pictures by their extension."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Folders that could not be listed, relative to the root, with the reason."""
    repeated: dict[str, str] = field(default_factory=dict)
    """Links to folders that were entered already, with the path by which that was."""

    @property
    def not_looked_at(self) -> Counter[str]:
        """The other files, counted by their extension (lower case, "" for none)."""
        return Counter(path.suffix.lower() for path in self.others)


def find_pictures(root: Path, extensions: Sequence[str], output: Path | None = None) -> Listing:
    """Everything below `root`, symbolic links followed, each folder once.

    Args:
        root: the input folder.
        extensions: those of pictures, lower case, without a dot.
        output: the output folder, which may not exist yet; None if nothing will be written.

    Raises:
        SettingsError: `root` is not a folder, or cannot be listed.
        OutputError: a link in the input leads into the output, whose files would be read and replaced.
    """
    try:
        os.scandir(root).close()
    except OSError as error:
        raise SettingsError(f"input folder {root}: {error.strerror}") from None

    listing = Listing()
    suffixes = {f".{extension}" for extension in extensions}
    for folder, names in _walk(root, output, listing):
        pictures = [name for name in names if Path(name).suffix.lower() in suffixes]
        listing.jobs += _to_jobs(folder, pictures)
        listing.others += [folder / name for name in names if Path(name).suffix.lower() not in suffixes]
    return listing


def _to_jobs(folder: Path, pictures: Sequence[str]) -> list[Job]:
    records = record_names(pictures)
    jobs = []
    for name, record in zip(pictures, records, strict=True):
        possible = {f"{Path(name).stem}.json", f"{name}.json"}
        others = tuple(folder / other for other in sorted(possible.difference(records)))
        jobs.append(Job(folder / name, folder / name, folder / record, others))
    return jobs


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


def _walk(root: Path, output: Path | None, listing: Listing) -> Iterator[tuple[Path, list[str]]]:
    """Yields each folder, relative to the root, with the sorted names of the files in it."""
    real_output = None if output is None else output.resolve()
    entered: dict[tuple[int, int], Path] = {}
    folders, links = [Path()], deque[Path]()
    while folders or links:
        # Links wait until all real folders are done, so that those keep their own names.
        folder = folders.pop() if folders else links.popleft()
        try:
            status = (root / folder).stat()
            identity = (status.st_dev, status.st_ino)
            if identity in entered:
                listing.repeated[folder.as_posix()] = entered[identity].as_posix()
                continue
            entered[identity] = folder
            with os.scandir(root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            listing.unreadable[folder.as_posix()] = f"folder cannot be listed: {error.strerror}"
            continue
        if real_output is not None:
            _refuse_output(root / folder, entries, real_output)
        yield folder, [entry.name for entry in entries if not _is_folder(entry)]
        below = [entry for entry in entries if _is_folder(entry)]
        folders += [folder / entry.name for entry in reversed(below) if not entry.is_symlink()]
        links += [folder / entry.name for entry in below if entry.is_symlink()]


def _refuse_output(folder: Path, entries: Sequence[os.DirEntry[str]], real_output: Path) -> None:
    """Only a link can lead into the output: it does not lie below the input."""
    for path in [folder, *(folder / entry.name for entry in entries if entry.is_symlink())]:
        try:
            leads_into_output = path.resolve().is_relative_to(real_output)
        except (OSError, RuntimeError):  # a link that leads to itself
            continue
        if leads_into_output:
            raise OutputError(f"input {path} leads into the output folder; remove the link, or choose another output")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # for example a link that leads to itself
        return False
