"""Suppresses what native libraries write to stderr while they start."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

STDERR = 2

_lock = Lock()
_users = 0
"""How many callers are inside `suppress_native_stderr` now, in all threads."""
_original: int | None = None
"""Copy of the file descriptor of stderr while it is redirected."""


@contextmanager
def suppress_native_stderr() -> Iterator[None]:
    """Discards what TensorFlow and LiteRT write to stderr while they start. Their errors are exceptions.

    No setting of theirs silences all of it: they also write before settings are read. So this redirects file
    descriptor 2, **which belongs to the whole process**: until the last of several threads leaves, whatever any thread
    or a child process started meanwhile writes to stderr is lost. Then stderr is restored, also after an exception. The
    environment variable TF_CPP_MIN_LOG_LEVEL is set to 3 for good, unless the caller has set it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _users, _original
    with _lock:
        if _users == 0:
            with suppress(OSError):  # closed by the caller: nothing to suppress
                _original = os.dup(STDERR)
                with open(os.devnull, "wb") as nowhere:
                    os.dup2(nowhere.fileno(), STDERR)
        _users += 1


def _leave() -> None:
    global _users, _original
    with _lock:
        _users -= 1
        if _users == 0 and _original is not None:
            with suppress(OSError):
                os.dup2(_original, STDERR)
            os.close(_original)
            _original = None
