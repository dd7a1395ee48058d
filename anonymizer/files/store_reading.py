"""Brings single files of a store to this machine, for what cannot be read from memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from anonymizer.addresses import Address, Place
from anonymizer.errors import PictureError, SettingsError, VanishedError
from anonymizer.files.storage import storage_of
from anonymizer.files.store_writing import local_place

_BROUGHT = (".json", ".yaml", ".yml")
"""Records, reports, and edits beside them."""


@contextmanager
def fetched(root: Place, name: Path) -> Iterator[Path]:
    """A local folder in which a file lies under the same name as below `root`; `root` itself if that is local.

    Raises:
        PictureError: it cannot be read.
        VanishedError: there is no such file.
    """
    if isinstance(root, Path):
        yield root
        return
    remove_fetched(root, name)
    folder = _folder_of(root, name)
    try:
        _fetch(root, name, folder / name)
        yield folder
    finally:
        remove_fetched(root, name)


def remove_fetched(root: Place, name: Path) -> None:
    """Removes what a process that ended had brought."""
    if isinstance(root, Address):
        shutil.rmtree(_folder_of(root, name), ignore_errors=True)


@contextmanager
def records_fetched(root: Place) -> Iterator[Path]:
    """A local folder with all JSON and YAML files below `root`, and of the same name; `root` itself if that is local.

    Raises:
        SettingsError: they cannot be read.
    """
    if isinstance(root, Path):
        yield root
        return
    with tempfile.TemporaryDirectory(prefix="anonymize-") as temporary:
        folder = Path(temporary) / (root.name or root.root)
        folder.mkdir()
        try:
            _fetch_records(root, folder)
        except OSError as error:
            raise SettingsError(f"{root}: {error.strerror}") from None
        yield folder


def _fetch_records(root: Address, folder: Path) -> None:
    folders = [Path()]
    while folders:
        below = folders.pop()
        for page in storage_of(root).list(below):
            for entry in page:
                name = below / entry.name
                if PurePosixPath(entry.name).name != entry.name or entry.name in (".", ".."):
                    continue  # no run wrote it
                if entry.is_folder:
                    folders.append(name)
                elif name.suffix.lower() in _BROUGHT:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(storage_of(root).read(name))


def _folder_of(root: Address, name: Path) -> Path:
    return local_place(root / name).with_suffix(".fetched")


def _fetch(root: Address, name: Path, local: Path) -> None:
    try:
        local.parent.mkdir(parents=True)
        storage_of(root).fetch(name, local)
    except FileNotFoundError as error:
        raise VanishedError(f"cannot be opened: {error.strerror}") from None
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
