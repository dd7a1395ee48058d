"""Parts of films in which several processes look at the same time, before one of them checks it all.

What models see in a frame depends on its pixels alone, so that what is found is the same. See `video.parts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anonymizer.check.inputs import InputFile
from anonymizer.check.plan import CheckPlan
from anonymizer.pipeline import Finder
from anonymizer.video.facts import FilmFacts
from anonymizer.video.finder import FrameFinder, viewing
from anonymizer.video.groups import Spans
from anonymizer.video.parts import FilmPart, parts_of
from anonymizer.video.source import open_film, to_rgb
from anonymizer.video.trimmed import trim


@dataclass(frozen=True)
class LookPart:
    """A part of a checked film, or of its original."""

    part: FilmPart
    shown_as: FilmFacts
    """Those of the checked film: how models are shown both."""
    left_out: tuple[tuple[int, int], ...] = ()
    """Frames that nobody needs to look at: first number, and the one behind the last."""


def looks_at(file: InputFile, plan: CheckPlan) -> list[LookPart]:
    """The parts of a film and of its original.

    Raises:
        PictureError: one of them cannot be read.
    """
    settings, video = plan.settings.read, plan.settings.video
    film = open_film(file.path, settings)
    parts = [LookPart(part, film.facts) for part in parts_of(film)]
    if file.original is None:
        return parts
    original = trim(open_film(file.original, settings), video.video_from, video.video_to)
    # Copied frames are seen in the film itself; the check proves that they are the same.
    return parts + [LookPart(part, film.facts, file.claims.copied) for part in parts_of(original)]


def look_ahead(
    look: LookPart, finder: Finder, every: int, on_frame: Callable[[int], None] = lambda number: None
) -> dict[bytes, bytes]:
    """What models see in a part, see `FrameFinder.note`.

    Args:
        every: each how many-th frame of the film is looked at.
        on_frame: called with the number of frames so far.

    Raises:
        PictureError: the film cannot be read, or nothing can be said about a frame.
    """
    found, part, left_out = FrameFinder(viewing(finder, look.shown_as), {}), look.part, Spans(look.left_out)
    known = {}
    for number, frame in enumerate(part.film.frames_at(part.first, part.times), start=1):
        if frame.index % every == 0 and frame.index not in left_out:
            digest, seen = found.note(to_rgb(frame.picture, part.film.facts.orientation))
            known[digest] = seen
        on_frame(number)
    return known
