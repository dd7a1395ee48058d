"""Which frames of a film are looked at, whatever models find in them.

It depends on the number of a frame and on what was shown shortly before. So several processes that look at parts of a
film look at the same frames as one that goes through all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from anonymizer.video.cuts import Thumbnail, is_cut, thumbnail_of
from anonymizer.video.facts import FilmFacts
from anonymizer.video.flow import Gray

LOOKS_APART_S = 0.35
"""At least one frame in this time is looked at, in films with few frames a second."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done with a frame."""

    begins_scene: bool
    """Then the frame before it is looked at, too."""
    is_looked_at: bool


class Schedule:
    """Takes the frames of a film one after the other."""

    def __init__(self, facts: FilmFacts, every: int) -> None:
        """
        Args:
            every: each how many-th frame is looked at, at least.
        """
        in_time = every if not facts.rate else max(1, ceil(LOOKS_APART_S * facts.rate))
        self._every = min(every, in_time)
        self._thumbnail: Thumbnail | None = None
        self._looked_s: float | None = None
        """Time of the last frame that was looked at."""

    def add(self, index: int, time_s: float, gray: Gray) -> Due:
        """Takes the next frame; the first one may be any of the film.

        Args:
            time_s: in seconds, on any clock.
            gray: its brightness, upright.
        """
        thumbnail = thumbnail_of(gray)
        begins_scene = self._thumbnail is not None and is_cut(self._thumbnail, thumbnail)
        self._thumbnail = thumbnail
        if self._looked_s is None:
            self._looked_s = time_s
        waits_s = time_s - self._looked_s
        is_looked_at = begins_scene or index % self._every == 0 or waits_s >= LOOKS_APART_S
        if is_looked_at:
            self._looked_s = time_s
        return Due(begins_scene, is_looked_at)
