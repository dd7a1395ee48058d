"""Tells how far the work on a film is, but not more often than anybody needs to know."""

from __future__ import annotations

import time
from collections.abc import Callable

from anonymizer.types import Progress

SECONDS_BETWEEN_BEATS = 1.0


def beats(
    tell: Callable[[Progress], None], what: str, frames: int | None, part: tuple[float, float] = (0.0, 1.0)
) -> Callable[[int], None]:
    """What is to be called with the number of frames that are done.

    Args:
        tell: gets a text such as "looked at 82 of 132 frames", with the share of all work.
        what: is done with them.
        frames: how many there are; None: not known.
        part: where this begins and ends in all work, 0..1.
    """
    begin, end = part
    last_s = time.monotonic()

    def beat(done: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s < SECONDS_BETWEEN_BEATS:
            return
        last_s = now_s
        if frames:
            share = begin + (end - begin) * min(1.0, done / frames)
            tell(Progress(f"{what} {done} of {frames} frames", share))
        else:
            tell(Progress(f"{what} {done} frames"))

    return beat
