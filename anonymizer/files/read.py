"""Reads picture files from disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from anonymizer.addresses import Address, Place
from anonymizer.errors import PictureError, VanishedError
from anonymizer.files.decode import decode_picture
from anonymizer.files.picture import Picture
from anonymizer.files.storage import read_bytes
from anonymizer.settings import ReadSettings


def read_picture(path: Place, settings: ReadSettings = ReadSettings(), ahead: Path | None = None) -> Picture:
    """Reads and decodes a picture file, see `decode_picture`.

    Args:
        ahead: a copy of it that was fetched before, if it is still there.

    Raises:
        PictureError: the file cannot be read, is damaged, or is of a kind that is not handled.
        VanishedError: there is no such file.
    """
    content = b"" if ahead is None or not ahead.is_file() else _read(ahead)
    return decode_picture(content or read_file(path), settings, path.name)


def open_regular(path: Path) -> BinaryIO:
    """Opens a file for reading that is no folder, device or pipe.

    Raises:
        PictureError: it cannot be opened, or is not a regular file.
        VanishedError: there is no such file.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for its writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise VanishedError(f"cannot be opened: {error.strerror}") from None
    except OSError as error:
        raise PictureError(f"cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PictureError("is not a regular file")
    return open(descriptor, "rb")


def read_file(path: Place) -> bytes:
    """The bytes of a regular file that is not empty.

    Raises:
        PictureError: it cannot be read, is empty, or is not a regular file.
        VanishedError: there is no such file.
    """
    content = _read_from_store(path) if isinstance(path, Address) else _read(path)
    if not content:
        raise PictureError("is empty")
    return content


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise PictureError(f"cannot be read: {error.strerror}") from None


def _read_from_store(address: Address) -> bytes:
    try:
        return read_bytes(address)
    except FileNotFoundError as error:
        raise VanishedError(f"cannot be opened: {error.strerror}") from None
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
