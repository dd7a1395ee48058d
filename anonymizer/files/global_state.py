"""Global state of Pillow, jpeglib and the standard library: set for a moment, behind one lock, and restored.

Code that calls a library that reads such state does so inside one of these contexts, which may be nested; it is never
set elsewhere. So threads that use this package do not disturb each other, and the program that imports it keeps its
own settings. Other threads of that program may see ours for a moment.

HEIC files are an exception: pillow-heif stays registered with Pillow after the first one.
"""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

from PIL import Image, ImageFile

from anonymizer.files.library_messages import library_runs
from anonymizer.files.memory import OWN_FILES, has_memory_files

_LOCK = threading.RLock()
_IN_MEMORY = "/dev/shm"  # on Linux
_BUFFER = 1 << 16  # bytes, the default of Pillow


@contextmanager
def pillow_state(allow_truncated: bool = False) -> Iterator[None]:
    """For opening and decoding by Pillow: without its limit of pixels, and without warnings about damaged metadata.

    Args:
        allow_truncated: whether to decode truncated files as far as possible.
    """
    with (
        _LOCK,
        library_runs(),
        warnings.catch_warnings(),
        _replaced(Image, "MAX_IMAGE_PIXELS", None),  # decode_picture has a limit of its own, for all formats
        _replaced(ImageFile, "LOAD_TRUNCATED_IMAGES", allow_truncated),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def pillow_buffer(size: int = _BUFFER) -> Iterator[None]:
    """For encoding by Pillow with a buffer of at least so many bytes.

    Progressive JPEG files need a buffer for the whole file. PNG files depend on it, too: it is the size of their
    chunks.
    """
    with _LOCK, _replaced(ImageFile, "MAXBLOCK", max(_BUFFER, size)):
        yield


@contextmanager
def private_files(module: ModuleType) -> Iterator[Callable[[], str]]:
    """For a library that only works on files: makes new ones, of which nothing is left at the end.

    Where the system can, they are in the memory of this process, and have no place in any folder: neither /dev/shm,
    which is small in containers, nor a folder for temporary files is needed, and no killed process leaves them behind.
    Elsewhere they are in a new folder, in memory if there is such a place.

    Args:
        module: the part of the library that makes temporary files itself, by `tempfile`, and removes them by `os`.

    Raises:
        OSError: files cannot be made anywhere.
    """
    if not has_memory_files():
        with _private_folder(_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None) as folder:
            yield lambda: str(folder / f"{len(list(folder.iterdir()))}.tmp")
        return
    with ExitStack() as open_files:

        def new_file() -> str:
            descriptor = os.memfd_create("picture")
            open_files.callback(os.close, descriptor)
            return f"{OWN_FILES}/{descriptor}"

        temporary = SimpleNamespace(NamedTemporaryFile=lambda **_: open(new_file(), "wb"))  # noqa: SIM115 - it closes it
        emptied = SimpleNamespace(remove=lambda path: os.truncate(path, 0))
        with _LOCK, library_runs(), _replaced(module, "tempfile", temporary), _replaced(module, "os", emptied):
            yield new_file


@contextmanager
def _private_folder(parent: str | None) -> Iterator[Path]:
    """A new folder for all temporary files that this process makes inside the context; it is removed at the end.

    Args:
        parent: folder to make it in; None for the usual one.
    """
    with (
        _LOCK,
        library_runs(),
        _replaced(tempfile, "tempdir", tempfile.tempdir),
        tempfile.TemporaryDirectory(dir=parent) as folder,
        _replaced(tempfile, "tempdir", folder),
    ):
        yield Path(folder)


@contextmanager
def _replaced(module: ModuleType, name: str, value: object) -> Iterator[None]:
    usual = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, usual)
