"""The quality at which a lossy picture is encoded once more."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

_QUALITIES = (60, 70, 80, 87, 95)


def at_matched_quality(encode: Callable[[int], bytes], size: int) -> bytes:
    """The picture at the lowest quality that makes it as large as the source, or at the highest of those tried.

    A second encoding at the quality of the first gives about the same size: what the first took away costs nothing.

    Args:
        encode: the encoded picture for a quality of 0 to 100.
        size: of the source, in bytes.
    """
    once = cache(encode)
    index = bisect_left(_QUALITIES, size, hi=len(_QUALITIES) - 1, key=lambda quality: len(once(quality)))
    return once(_QUALITIES[index])
