"""Global state of Pillow, jpeglib and the standard library: set for a moment, behind one lock, and restored.

Code that calls a library that reads such state does so inside one of these contexts, which may be nested; it is never
set elsewhere. So threads that use this package do not disturb each other, and the program that imports it keeps its
own settings. Other threads of that program may see ours for a moment.

HEIC files are an exception: pillow-heif stays registered with Pillow after the first one.
"""

from __future__ import annotations

import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from PIL import Image, ImageFile

_LOCK = threading.RLock()
_BUFFER = 1 << 16  # bytes, the default of Pillow


@contextmanager
def pillow_state(allow_truncated: bool = False) -> Iterator[None]:
    """For opening and decoding by Pillow: without its limit of pixels, and without warnings about damaged metadata.

    Args:
        allow_truncated: whether to decode truncated files as far as possible.
    """
    with (
        _LOCK,
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
def private_folder(parent: str | None) -> Iterator[Path]:
    """A new folder for all temporary files that this process makes inside the context; it is removed at the end.

    Args:
        parent: folder to make it in; None for the usual one.
    """
    with (
        _LOCK,
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
