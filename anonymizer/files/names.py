"""The names of pictures and of what is written beside them, and when names are taken for the same."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from anonymizer.types import Job


def listing_order(name: str) -> tuple[tuple[bool, str], ...]:
    """Sort key for relative paths: the order of a listing without links, files before the folders beside them."""
    *folders, file = name.split("/")
    return (*((True, folder) for folder in folders), (False, file))


def has_extension(path: Path, extensions: Iterable[str]) -> bool:
    """Whether the name of a file ends as one of these extensions, in lower case and without a dot, asks."""
    return path.suffix.lower().removeprefix(".") in extensions


def to_jobs(folder: Path, pictures: Sequence[str]) -> Iterator[Job]:
    """The jobs of the pictures of one folder."""
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
    stems = Counter(caseless(Path(name).stem) for name in pictures)
    taken = {caseless(name) for name in pictures}

    def record_name(name: str) -> str:
        stem = Path(name).stem
        is_free = stems[caseless(stem)] == 1 and caseless(stem) not in taken
        return f"{stem if is_free else name}.json"

    return [record_name(name) for name in pictures]


def caseless(name: str) -> str:
    """Equal for names that differ in case, or in the way in which Unicode writes a letter with its accent."""
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    )


def loose(name: str) -> str:
    """Equal for all names that some file system takes for the same.

    Also for many that none does, as the file system itself has the last word.
    """
    plain = name
    if not name.isascii():
        letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).upper())
        plain = "".join(letter for letter in letters if unicodedata.category(letter) != "Cf")  # which HFS+ ignores
    return "/".join(part.rstrip(". ") for part in plain.casefold().split("/"))
