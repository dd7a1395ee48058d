"""Finds the pictures below a folder, and counts all other files."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from anonymizer.addresses import Address, Place
from anonymizer.errors import SettingsError
from anonymizer.files.names import has_extension as has_extension
from anonymizer.files.names import listing_order as listing_order
from anonymizer.files.names import loose, to_jobs
from anonymizer.files.names import record_names as record_names
from anonymizer.files.others import is_apple_double as is_apple_double
from anonymizer.files.others import is_of_the_system as is_of_the_system
from anonymizer.files.others import is_source_text
from anonymizer.files.others import kind_of_other as kind_of_other
from anonymizer.files.storage import storage_of
from anonymizer.files.store_listing import StoreListing
from anonymizer.types import Job

_REFUSED = "leads into the output folder"


@dataclass
class Listing:
    """The pictures below the input root. Iterate once: folders are listed on the way, never all of them in memory.

    The counters and dictionaries are complete when the iteration is.
    """

    root: Place
    extensions: Sequence[str]
    """Extensions of pictures, lower case, without a dot."""
    output: Place | None
    """The output folder, which may not exist yet; None if nothing will be written."""
    on_other: Callable[[Path], None] = lambda path: None
    """Called with each file that has another extension, relative to the root."""
    not_looked_at: Counter[str] = field(default_factory=Counter)
    """Number of files per other extension (lower case, "" for none). What macOS keeps beside a file, under its name
    behind `._`, counts as "AppleDouble", whatever its extension."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Reasons for folders that were not entered and links that were not followed, by path relative to the root."""
    repeated: dict[str, str] = field(default_factory=dict)
    """Links to folders that were entered already, with the path by which they were entered."""

    def __iter__(self) -> Iterator[Job]:
        """In a stable order: folder by folder, the names in each sorted, links to folders last."""
        root = self.root
        if isinstance(root, Address):
            is_exact = isinstance(self.output, Address) and storage_of(self.output).is_exact
            found = StoreListing(root, self.extensions, self.not_looked_at, self.unreadable, self.on_other, is_exact)
            yield from found
            return
        folders: dict[str, list[Path]] = {}
        for folder, names in _walk(root, self.output if isinstance(self.output, Path) else None, self):
            pictures = _pictures(root / folder, names, self.extensions)
            similar = folders.setdefault(loose(folder.as_posix()), [])
            before = [job.target for other in similar for job in jobs_in(root, other, self.extensions)]
            yield from _with_lookalikes(to_jobs(folder, pictures), before)
            similar.append(folder)
            others = sorted(set(names).difference(pictures))
            self.not_looked_at.update(kind_of_other(root / folder / name) for name in others)
            for name in others:
                self.on_other(folder / name)


def find_pictures(
    root: Place, extensions: Sequence[str], output: Place | None, on_other: Callable[[Path], None] = lambda path: None
) -> Listing:
    """Lists `root`. Symbolic links are followed, each folder is entered once, and `output` never; see `Listing`.

    Raises:
        SettingsError: `root` is not a folder, or cannot be listed.
    """
    try:
        if isinstance(root, Address):
            next(storage_of(root).list(), None)
        else:
            os.scandir(root).close()
    except OSError as error:
        raise SettingsError(f"input folder {root}: {error.strerror}") from None
    return Listing(root, extensions, output, on_other)


def jobs_in(root: Place, folder: Path, extensions: Sequence[str]) -> list[Job]:
    """The jobs of one folder, which is relative to `root`; none if it cannot be listed."""
    if isinstance(root, Address):
        try:
            return list(StoreListing(root, extensions).jobs_in(folder))
        except OSError:
            return []
    try:
        with os.scandir(root / folder) as scan:
            names = sorted(entry.name for entry in scan if not _is_folder(entry))
    except OSError:
        return []
    return list(to_jobs(folder, _pictures(root / folder, names, extensions)))


def _pictures(folder: Path, names: Sequence[str], extensions: Sequence[str]) -> list[str]:
    wanted = frozenset(extensions)
    named = [name for name in names if has_extension(Path(name), wanted)]
    return [name for name in named if not is_apple_double(folder / name) and not is_source_text(folder / name)]


def _with_lookalikes(jobs: Iterable[Job], before: Iterable[Path]) -> Iterator[Job]:
    """The jobs of a folder, each with the targets before it that may be the same file.

    Args:
        before: the targets in folders before, whose names may be that of this folder.
    """
    seen: dict[str, list[Path]] = {}
    for target in before:
        seen.setdefault(loose(target.name), []).append(target)
    for job in jobs:
        similar = seen.setdefault(loose(job.target.name), [])
        yield replace(job, lookalikes=tuple(similar)) if similar else job
        similar.append(job.target)


def _walk(root: Path, output: Path | None, listing: Listing) -> Iterator[tuple[Path, list[str]]]:
    """Yields each folder, relative to the root, with the sorted names of the files in it."""
    real_output = None if output is None else output.resolve()
    output_identity = _identity(real_output)  # it may be mounted inside the input, under another path
    entered: dict[tuple[int, int], Path] = {}
    folders, links = [Path()], deque[Path]()
    while folders or links:
        # Links come after all real folders, which are so entered under their own names.
        folder = folders.pop() if folders else links.popleft()
        try:
            status = (root / folder).stat()
            identity = (status.st_dev, status.st_ino)
            if identity in entered:
                listing.repeated[folder.as_posix()] = entered[identity].as_posix()
                continue
            entered[identity] = folder
            if identity == output_identity or _leads_into(root / folder, real_output):
                listing.unreadable[folder.as_posix()] = _REFUSED
                continue
            with os.scandir(root / folder) as scan:  # names only: a folder may hold millions of files
                entries = sorted((entry.name, _is_folder(entry), entry.is_symlink()) for entry in scan)
        except OSError as error:
            listing.unreadable[folder.as_posix()] = f"folder cannot be listed: {error.strerror}"
            continue
        outputs = {name for name, _, is_link in entries if is_link and _leads_into(root / folder / name, real_output)}
        listing.unreadable |= {(folder / name).as_posix(): _REFUSED for name in sorted(outputs)}
        below = [(name, is_link) for name, is_folder, is_link in entries if is_folder and name not in outputs]
        files = [name for name, is_folder, _ in entries if not is_folder and name not in outputs]
        del entries
        yield folder, files
        folders += [folder / name for name, is_link in reversed(below) if not is_link]
        links += [folder / name for name, is_link in below if is_link]


def _identity(folder: Path | None) -> tuple[int, int] | None:
    try:
        status = None if folder is None else folder.stat()
    except OSError:  # it does not exist yet
        return None
    return None if status is None else (status.st_dev, status.st_ino)


def _leads_into(path: Path, real_output: Path | None) -> bool:
    """Whether the path leads into the output folder through a link: outputs would be read and replaced."""
    try:
        return real_output is not None and path.resolve().is_relative_to(real_output)
    except (OSError, RuntimeError):  # a link that leads to itself
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # for example a link that leads to itself
        return False
