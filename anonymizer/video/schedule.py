"""Which frames of a film are looked at, whatever models find in them: every so many-th, the first of each scene, and
those in which something appears.

It depends on the number of a frame and on what was shown shortly before. So several processes that look at parts of a
film look at the same frames as one that goes through all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from anonymizer.video.cuts import Thumbnail, appears, is_cut, thumbnail_of
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
        self._has_noticed = False
        """Whether something appeared since the last look that was due anyway."""

    def add(self, index: int, time_s: float, gray: Gray) -> Due:
        """Takes the next frame; the first one may be any of the film.

        Args:
            time_s: in seconds, on any clock.
            gray: its brightness, upright.
        """
        thumbnail = thumbnail_of(gray)
        before, self._thumbnail = self._thumbnail, thumbnail
        begins_scene = before is not None and is_cut(before, thumbnail)
        if self._looked_s is None:
            self._looked_s = time_s
        is_due = begins_scene or index % self._every == 0 or time_s - self._looked_s >= LOOKS_APART_S
        # Once at most between two looks, so that a camera that shakes costs twice as many looks, but not more.
        is_noticed = not is_due and not self._has_noticed and before is not None and appears(before, thumbnail)
        self._has_noticed = not is_due and (self._has_noticed or is_noticed)
        is_looked_at = is_due or is_noticed
        if is_looked_at:
            self._looked_s = time_s
        return Due(begins_scene, is_looked_at)
