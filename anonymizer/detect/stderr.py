"""Keeps native libraries from talking."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STDERR = 2


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Sends what TensorFlow and LiteRT say on stderr while they start nowhere. Their errors are exceptions.

    No setting of theirs silences all of it: they also announce themselves before settings are read.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        stderr = os.dup(STDERR)
    except OSError:  # closed by the caller
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), STDERR)
        yield
    finally:
        with suppress(OSError):
            os.dup2(stderr, STDERR)
        os.close(stderr)
