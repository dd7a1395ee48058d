"""Writes outputs to a store: each appears whole under its name, by one request, or those of a picture not at all."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from anonymizer.addresses import Address
from anonymizer.errors import OutputError, PictureError
from anonymizer.files.storage import Storage, local_folder, storage_of


def write(root: Address, contents: Mapping[Path, bytes]) -> None:
    """Puts bytes from memory under names relative to `root`, in their order. If one cannot be put, none stays.

    Raises:
        PictureError: these files cannot be written, but others may be.
        OutputError: the store is gone; no further file can be written.
    """
    with _none_or_all(storage_of(root), root, list(contents)) as storage:
        for name, content in contents.items():
            storage.write(name, content)


@contextmanager
def written_together(root: Address, names: Sequence[Path]) -> Iterator[list[Path]]:
    """Gives local places to write files to; at the end of the context they go to the store as `write` puts them.

    Raises:
        PictureError, OutputError: see `write`.
    """
    places = [local_place(root / name) for name in names]
    try:
        try:
            for place in places:
                place.unlink(missing_ok=True)
            yield places
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OutputError(f"folder for temporary files: {error.strerror}; TMPDIR names another one") from None
            raise PictureError(f"cannot be written: {error.strerror}") from None
        with _none_or_all(storage_of(root), root, names) as storage:
            for name, place in zip(names, places, strict=True):
                storage.write(name, place)
    finally:
        for place in places:
            place.unlink(missing_ok=True)


def remove(root: Address, names: Iterable[Path]) -> None:
    """
    Raises:
        OutputError: one cannot be removed, and could be mistaken for a new one.
    """
    for name in names:
        try:
            storage_of(root).remove(name)
        except OSError as error:
            if error.errno == errno.EILSEQ:  # there can be no such file
                continue
            raise OutputError(f"output file {name} of an earlier run cannot be removed: {error.strerror}") from None


def remove_unfinished(root: Address, names: Iterable[Path]) -> None:
    """Removes what a process that ended left while it wrote these outputs."""
    for name in names:
        with suppress(OSError):
            local_place(root / name).unlink(missing_ok=True)
            storage_of(root).clear_unfinished(name)


def local_place(address: Address) -> Path:
    """Where a file lies on this machine while it is on its way from or to an address: depends on nothing else, so that
    the next run removes what a killed one left.

    Raises:
        OSError: there is no folder for it.
    """
    digest = hashlib.sha256(str(address).encode("utf-8", "surrogateescape")).hexdigest()
    return local_folder() / f"{digest[:32]}.partial"


@contextmanager
def _none_or_all(storage: Storage, root: Address, names: Sequence[Path]) -> Iterator[Storage]:
    try:
        yield storage
    except BaseException as error:
        # Also where the answer was an error: the store may have done what was asked.
        remove(root, names)
        if isinstance(error, FileNotFoundError):
            raise OutputError(f"output {root}: {error.strerror}; nothing more can be written") from None
        if isinstance(error, OSError):
            raise PictureError(f"cannot be written: {error.strerror}") from None
        raise
