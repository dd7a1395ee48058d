"""The quality at which lossy pictures are re-encoded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

_QUALITIES = (60, 70, 80, 87, 95)


def at_matched_quality(encode: Callable[[int], bytes], size: int) -> bytes:
    """The picture at the lowest quality at which it is as large as the source, or at the highest of `_QUALITIES`.

    Re-encoding at the quality of the source gives about the same size, since lost details need no bytes.

    Args:
        encode: returns the encoded picture for a quality of 0 to 100.
        size: of the source, in bytes.
    """
    once = cache(encode)
    index = bisect_left(_QUALITIES, size, hi=len(_QUALITIES) - 1, key=lambda quality: len(once(quality)))
    return once(_QUALITIES[index])
