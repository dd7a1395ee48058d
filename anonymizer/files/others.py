"""Files that are not pictures, whatever their names say, and as what they are counted."""

from __future__ import annotations

from anonymizer.addresses import Place
from anonymizer.files.storage import read_beginning

_OF_THE_SYSTEM = (".ds_store", "thumbs.db", "desktop.ini")
_APPLE_DOUBLE = "AppleDouble"
_BEGINNING = 188
"""Bytes of a packet of a transport stream, which never are all printable: each has four of header, then padding or
binary tables in the first one."""
_APPLE_DOUBLE_START = b"\x00\x05\x16\x07"


def is_of_the_system(path: Place) -> bool:
    """Whether an operating system puts such a file into any folder that somebody looks at or copies."""
    return path.name.lower() in _OF_THE_SYSTEM or is_apple_double(path)


def is_apple_double(path: Place) -> bool:
    """Whether macOS wrote a file to keep there what another file system cannot hold of the one beside it."""
    if not path.name.startswith("._"):
        return False
    try:
        return read_beginning(path, len(_APPLE_DOUBLE_START)) == _APPLE_DOUBLE_START
    except OSError:
        return False


def kind_of_other(path: Place) -> str:
    """As what a file that is not a picture is counted: see `Listing.not_looked_at`."""
    return _APPLE_DOUBLE if is_apple_double(path) else path.suffix.lower()


def is_source_text(path: Place) -> bool:
    """Whether a file with the extension of transport streams is TypeScript or a translation, which share it."""
    if path.suffix.lower() != ".ts":
        return False
    try:
        beginning = read_beginning(path, _BEGINNING)
    except OSError:
        return False
    return bool(beginning) and all(byte >= 0x20 or byte in b"\t\n\f\r" for byte in beginning)
