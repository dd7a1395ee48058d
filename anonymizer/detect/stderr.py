"""Suppresses what native libraries write to stderr while they start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

STDERR = 2
LOG_LEVEL, FATAL_ONLY = "TF_CPP_MIN_LOG_LEVEL", "3"


@contextmanager
def suppress_native_stderr() -> Iterator[None]:
    """Discards what TensorFlow and LiteRT write to stderr while they start. Their errors are exceptions.

    No setting of theirs silences all of it: they also write before settings are read. So this redirects file
    descriptor 2, **which belongs to the whole process**: until the last of several threads leaves, whatever any thread,
    or a child process started meanwhile, writes to stderr is lost. Then stderr is restored, also after an exception,
    and so is the environment variable TF_CPP_MIN_LOG_LEVEL, which TensorFlow reads once.
    """
    _redirection.enter()
    try:
        yield
    finally:
        _redirection.leave()


class _Redirection:
    """Redirects stderr from the first caller that enters until the last one leaves, in whatever threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._original: int | None = None
        """Copy of the file descriptor of stderr while it is redirected."""
        self._sets_level = False

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._sets_level = LOG_LEVEL not in os.environ
                os.environ.setdefault(LOG_LEVEL, FATAL_ONLY)
                with suppress(OSError):  # closed by the caller: nothing to suppress
                    self._original = os.dup(STDERR)
                    with open(os.devnull, "wb") as nowhere:
                        os.dup2(nowhere.fileno(), STDERR)
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            if self._sets_level:
                os.environ.pop(LOG_LEVEL, None)
            if self._original is not None:
                with suppress(OSError):
                    os.dup2(self._original, STDERR)
                os.close(self._original)
                self._original = None


_redirection = _Redirection()
