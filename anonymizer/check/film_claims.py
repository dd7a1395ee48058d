"""What the report of the anonymizing run says of how a film was written. The gate proves it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any


@dataclass(frozen=True, slots=True)
class FilmClaims:
    """Of one film."""

    copied: tuple[tuple[int, int], ...] = ()
    """Frames that are the same as in the original, to the last bit: first number, and the one behind the last."""
    muted: tuple[tuple[float, float], ...] = ()
    """When its sound is silent, seconds."""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> FilmClaims:
        """Those in the entry of a file in a report. What makes no sense there claims nothing."""
        film, edits = entry.get("film"), entry.get("edits")
        copied, muted = [], []
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            copied = [(int(first), int(last) + 1) for first, last in film["copied"]] if film else []
        for edit in edits if isinstance(edits, list) else ():
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                first, end = edit["mute"]
                muted.append((-inf if first is None else float(first), inf if end is None else float(end)))
        return cls(tuple(sorted(copied)), tuple(muted))


NO_CLAIMS = FilmClaims()
