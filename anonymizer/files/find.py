"""Finds the pictures below a folder, and counts all other files."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from anonymizer.errors import SettingsError
from anonymizer.types import Job

_REFUSED = "leads into the output folder"
_OF_THE_SYSTEM = (".ds_store", "thumbs.db", "desktop.ini")
_APPLE_DOUBLE = "AppleDouble"
_BEGINNING = 188
"""Bytes of a packet of a transport stream, which never are all printable: each has four of header, then padding or
binary tables in the first one."""
_APPLE_DOUBLE_START = b"\x00\x05\x16\x07"


@dataclass
class Listing:
    """The pictures below the input root. Iterate once: folders are listed on the way, never all of them in memory.

    The counters and dictionaries are complete when the iteration is.
    """

    root: Path
    extensions: Sequence[str]
    """Extensions of pictures, lower case, without a dot."""
    output: Path | None
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
        folders: dict[str, list[Path]] = {}
        for folder, names in _walk(self):
            pictures = _pictures(self.root / folder, names, self.extensions)
            similar = folders.setdefault(_loose(folder.as_posix()), [])
            before = [job.target for other in similar for job in jobs_in(self.root, other, self.extensions)]
            yield from _with_lookalikes(_to_jobs(folder, pictures), before)
            similar.append(folder)
            others = sorted(set(names).difference(pictures))
            self.not_looked_at.update(kind_of_other(self.root / folder / name) for name in others)
            for name in others:
                self.on_other(folder / name)


def find_pictures(
    root: Path, extensions: Sequence[str], output: Path | None, on_other: Callable[[Path], None] = lambda path: None
) -> Listing:
    """Lists `root`. Symbolic links are followed, each folder is entered once, and `output` never; see `Listing`.

    Raises:
        SettingsError: `root` is not a folder, or cannot be listed.
    """
    try:
        os.scandir(root).close()
    except OSError as error:
        raise SettingsError(f"input folder {root}: {error.strerror}") from None
    return Listing(root, extensions, output, on_other)


def jobs_in(root: Path, folder: Path, extensions: Sequence[str]) -> list[Job]:
    """The jobs of one folder, which is relative to `root`; none if it cannot be listed."""
    try:
        with os.scandir(root / folder) as scan:
            names = sorted(entry.name for entry in scan if not _is_folder(entry))
    except OSError:
        return []
    return list(_to_jobs(folder, _pictures(root / folder, names, extensions)))


def listing_order(name: str) -> tuple[tuple[bool, str], ...]:
    """Sort key for relative paths: the order of a listing without links, files before the folders beside them."""
    *folders, file = name.split("/")
    return (*((True, folder) for folder in folders), (False, file))


def is_of_the_system(path: Path) -> bool:
    """Whether an operating system puts such a file into any folder that somebody looks at or copies."""
    return path.name.lower() in _OF_THE_SYSTEM or is_apple_double(path)


def is_apple_double(path: Path) -> bool:
    """Whether macOS wrote a file to keep there what another file system cannot hold of the one beside it."""
    if not path.name.startswith("._"):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(4) == _APPLE_DOUBLE_START
    except OSError:
        return False


def kind_of_other(path: Path) -> str:
    """As what a file that is not a picture is counted: see `Listing.not_looked_at`."""
    return _APPLE_DOUBLE if is_apple_double(path) else path.suffix.lower()


def has_extension(path: Path, extensions: Iterable[str]) -> bool:
    """Whether the name of a file ends as one of these extensions, in lower case and without a dot, asks."""
    return path.suffix.lower().removeprefix(".") in extensions


def _pictures(folder: Path, names: Sequence[str], extensions: Sequence[str]) -> list[str]:
    wanted = frozenset(extensions)
    named = [name for name in names if has_extension(Path(name), wanted)]
    return [name for name in named if not is_apple_double(folder / name) and not _is_source_text(folder / name)]


def _is_source_text(path: Path) -> bool:
    """Whether a file with the extension of transport streams is TypeScript or a translation, which share it."""
    if path.suffix.lower() != ".ts":
        return False
    try:
        with open(path, "rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return False
    return bool(beginning) and all(byte >= 0x20 or byte in b"\t\n\f\r" for byte in beginning)


def _loose(name: str) -> str:
    """Equal for all names that some file system takes for the same.

    Also for many that none does, as the file system itself has the last word.
    """
    plain = name
    if not name.isascii():
        letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).upper())
        plain = "".join(letter for letter in letters if unicodedata.category(letter) != "Cf")  # which HFS+ ignores
    return "/".join(part.rstrip(". ") for part in plain.casefold().split("/"))


def _with_lookalikes(jobs: Iterable[Job], before: Iterable[Path]) -> Iterator[Job]:
    """The jobs of a folder, each with the targets before it that may be the same file.

    Args:
        before: the targets in folders before, whose names may be that of this folder.
    """
    seen: dict[str, list[Path]] = {}
    for target in before:
        seen.setdefault(_loose(target.name), []).append(target)
    for job in jobs:
        similar = seen.setdefault(_loose(job.target.name), [])
        yield replace(job, lookalikes=tuple(similar)) if similar else job
        similar.append(job.target)


def _to_jobs(folder: Path, pictures: Sequence[str]) -> Iterator[Job]:
    records = record_names(pictures)
    taken = set(records)
    for name, record in zip(pictures, records, strict=True):
        possible = {f"{Path(name).stem}.json", f"{name}.json"}
        others = tuple(folder / other for other in sorted(possible.difference(taken)))
        yield Job(folder / name, folder / name, folder / record, others)


def record_names(pictures: Sequence[str]) -> list[str]:
    """The names of the detection files of the pictures of one folder, all different.

    `a.jpg` gets `a.json`. If another picture has the same stem (`a.png`; on some file systems `A.jpg` too), each
    keeps its whole name: `a.jpg.json`.
    """
    stems = Counter(_caseless(Path(name).stem) for name in pictures)
    taken = {_caseless(name) for name in pictures}

    def record_name(name: str) -> str:
        stem = Path(name).stem
        is_free = stems[_caseless(stem)] == 1 and _caseless(stem) not in taken
        return f"{stem if is_free else name}.json"

    return [record_name(name) for name in pictures]


def _caseless(name: str) -> str:
    """Equal for names that differ in case, or in the way in which Unicode writes a letter with its accent."""
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    )


def _walk(listing: Listing) -> Iterator[tuple[Path, list[str]]]:
    """Yields each folder, relative to the root, with the sorted names of the files in it."""
    root, real_output = listing.root, None if listing.output is None else listing.output.resolve()
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
