"""What decoders of libraries write to stderr, such as libtiff and libjpeg: caught, and logged with the picture's name.

They write to file descriptor 2, **which belongs to the whole process**. So only processes that are our own redirect it,
see `catch_messages`, and only while such a library runs. In a program that imports this package it stays as it is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock, local

logger = logging.getLogger(__name__)

STDERR = 2
_MOST = 20  # distinct lines of each picture
_ROOM = 1 << 16  # bytes, what a pipe holds: libraries lose what is more


class _Catcher:
    """Redirects stderr while it is switched on and a library runs."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.switched_on = 0
        self.depth = 0
        self.of_thread = local()

    def lines(self) -> list[str] | None:
        """Where the lines of the picture go that this thread works on."""
        return getattr(self.of_thread, "lines", None)


_catcher = _Catcher()


@contextmanager
def catch_messages() -> Iterator[None]:
    """Lets `library_runs` catch messages: only for a process that is our own."""
    with _catcher.lock:
        _catcher.switched_on += 1
    try:
        yield
    finally:
        with _catcher.lock:
            _catcher.switched_on -= 1


@contextmanager
def messages_of(picture: str) -> Iterator[None]:
    """Logs the messages about one picture, each only once, at the level of information."""
    lines: list[str] = []
    _catcher.of_thread.lines = lines
    try:
        yield
    finally:
        _catcher.of_thread.lines = None
        distinct = list(dict.fromkeys(lines))
        for line in distinct[:_MOST]:
            logger.info("%s: a library says: %s", picture, line)
        if len(distinct) > _MOST:
            logger.info("%s: and %d further messages of libraries", picture, len(distinct) - _MOST)


@contextmanager
def library_runs() -> Iterator[None]:
    """Around calls of libraries that write to stderr; may be nested. Only one thread at a time gets into it."""
    with _catcher.lock:
        if not _catcher.switched_on or _catcher.depth:
            yield
            return
        read_end, write_end = os.pipe()
        original: int | None = None
        _catcher.depth += 1
        try:
            os.set_blocking(write_end, False)
            with suppress(OSError):  # closed by the caller: nothing to catch
                original = os.dup(STDERR)
                os.dup2(write_end, STDERR)
            yield
        finally:
            _catcher.depth -= 1
            if original is not None:
                os.dup2(original, STDERR)
                os.close(original)
            os.close(write_end)
            with open(read_end, "rb") as pipe:
                caught = pipe.read(_ROOM) if original is not None else b""
            _take(caught.decode("utf-8", "replace"))


def _take(text: str) -> None:
    found = [line.strip() for line in text.splitlines() if line.strip()]
    lines = _catcher.lines()
    if lines is not None:
        lines += found
        return
    for line in found:
        logger.debug("a library says: %s", line)
