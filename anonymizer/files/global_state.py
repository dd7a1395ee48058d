"""The state that Pillow, jpeglib and the standard library share in a process: what they read of it is set for a moment,
behind one lock, and put back.

Whoever calls a library that reads such state does so within one of these contexts; nobody sets it elsewhere. So calls
of this package from several threads do not disturb each other, and the program that imports it finds its own settings
unchanged. They may be nested.
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
_BUFFER = 1 << 16  # bytes, as Pillow has it


@contextmanager
def pillow_state(allow_truncated: bool = False) -> Iterator[None]:
    """For opening and decoding by Pillow: no limit of pixels, no warnings of damaged metadata.

    Args:
        allow_truncated: whether pictures whose data end too early are decoded as far as they go.
    """
    with (
        _LOCK,
        warnings.catch_warnings(),
        _replaced(Image, "MAX_IMAGE_PIXELS", None),  # files.read checks its own limit, for all formats
        _replaced(ImageFile, "LOAD_TRUNCATED_IMAGES", allow_truncated),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def pillow_buffer(size: int = _BUFFER) -> Iterator[None]:
    """For encoding by Pillow, where the size of its buffer matters: in bytes, no less than usual.

    Progressive JPEG files need one for the whole file. PNG files are cut into chunks of this size.
    """
    with _LOCK, _replaced(ImageFile, "MAXBLOCK", max(_BUFFER, size)):
        yield


@contextmanager
def private_folder(parent: str | None) -> Iterator[Path]:
    """A new folder, in which temporary files of this process are made meanwhile; it is removed at the end.

    Args:
        parent: where to make it; None for the usual place.
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
