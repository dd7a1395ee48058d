"""Files in the memory of this process that have a path, for libraries that only work on those. No disk sees them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from anonymizer.errors import PictureError

OWN_FILES = "/proc/self/fd"
"""Where a process finds what it has opened, by its descriptors. (proc(5))"""
_TOO_MUCH = {errno.ENOSPC, errno.ENOMEM, errno.EFBIG}


@cache
def has_memory_files() -> bool:
    """Whether files in memory can be opened by a path."""
    try:
        descriptor = os.memfd_create("test")
    except (AttributeError, OSError):  # not on Linux, or not allowed
        return False
    try:
        with open(f"{OWN_FILES}/{descriptor}", "wb"):
            return True
    except OSError:  # /proc is not there
        return False
    finally:
        os.close(descriptor)


@contextmanager
def memory_file(content: bytes = b"") -> Iterator[Path]:
    """The path of a new file, which only this process can open, and of which nothing is left at the end.

    The name at the end of the path is the number of its descriptor.

    Raises:
        OSError: there can be none; see `has_memory_files`.
    """
    descriptor = os.memfd_create("film")
    try:
        path = Path(OWN_FILES, str(descriptor))
        with open(path, "wb") as file:
            file.write(content)
        yield path
    finally:
        os.close(descriptor)


@contextmanager
def written_in_memory(root: Path, names: Sequence[Path]) -> Iterator[list[Path]]:
    """Gives places to write files to as `files.write.written_together` does, but nothing is left of them at the end.

    Args:
        root: is not looked at.
        names: only their number counts.

    Raises:
        PictureError: the files are larger than they may be.
    """
    with ExitStack() as files:
        try:
            yield [files.enter_context(memory_file()) for _ in names]
        except OSError as error:
            if error.errno in _TOO_MUCH:
                raise PictureError("becomes larger than may be written") from None
            raise PictureError(f"cannot be written: {error.strerror}") from None
