"""Brings what is checked from a store to this machine: the file, its record, its original."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from anonymizer.addresses import Address
from anonymizer.check.inputs import InputFile
from anonymizer.errors import PictureError, VanishedError
from anonymizer.files.storage import storage_of
from anonymizer.files.store_reading import fetched, remove_fetched


@contextmanager
def brought_here(file: InputFile) -> Iterator[InputFile]:
    """The same file on this machine for as long as the context lasts; that itself, if nothing of it is in a store.

    Raises:
        PictureError: it, its record or its original cannot be read.
    """
    with ExitStack() as at_end:
        root, originals = file.root, file.originals
        if isinstance(root, Address):
            root = at_end.enter_context(fetched(root, Path(file.below)))
            for name in file.names_of_records:
                if _bring_record(file, name, root):
                    break
        if isinstance(originals, Address):
            try:
                originals = at_end.enter_context(fetched(originals, Path(file.name)))
            except VanishedError as error:
                raise PictureError(f"its original {error}") from None
        yield replace(file, root=root, originals=originals)


def remove_brought(file: InputFile) -> None:
    """Removes what a process that was ended had brought."""
    remove_fetched(file.root, Path(file.below))
    if file.originals is not None:
        remove_fetched(file.originals, Path(file.name))


def _bring_record(file: InputFile, name: Path, local: Path) -> bool:
    assert isinstance(file.root, Address)
    try:
        storage_of(file.root).fetch(name, local / name)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise PictureError(f"its record cannot be read: {error.strerror}") from None
    return True
