"""Tells how far the work on a film is, but not more often than anybody needs to know."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS_BETWEEN_BEATS = 1.0


def beats(tell: Callable[[str], None], what: str, frames: int | None) -> Callable[[int], None]:
    """What is to be called with the number of frames that are done.

    Args:
        tell: gets a text such as "looked at 82 of 132 frames".
        what: is done with them.
        frames: how many there are; None: not known.
    """
    last_s = time.monotonic()

    def beat(done: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= SECONDS_BETWEEN_BEATS:
            last_s = now_s
            tell(f"{what} {done} of {frames} frames" if frames else f"{what} {done} frames")

    return beat
