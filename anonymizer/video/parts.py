"""Parts of a film in which several processes look at the same time, before one of them goes through it all.

What models find in a frame depends on its pixels alone. So a process looks at the frames of a part that will be looked
at anyway, and the one that makes the film asks its own models only about the others. What comes out is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from anonymizer.video.finder import FrameFinder
from anonymizer.video.look import to_gray
from anonymizer.video.schedule import Schedule
from anonymizer.video.source import Film, FilmFrame, to_rgb

PART_FRAMES = 96
"""Frames of a part, about: a second of work with `fast`, ten with `thorough`."""


@dataclass(frozen=True)
class FilmPart:
    """Some frames next to each other."""

    film: Film
    first: int
    """Index of the first one."""
    times: Sequence[int]
    """When each is shown."""
    is_last: bool
    """Whether the film ends with it."""


def parts_of(film: Film) -> list[FilmPart]:
    """The parts of a film, if possible from key frame to key frame; one or none for a short film.

    Raises:
        PictureError: the film cannot be read.
    """
    packets = film.packet_times()
    if not packets:
        return []
    keys = [index for index, (_, is_key) in enumerate(packets) if is_key]
    borders = [*_borders(len(packets), keys), len(packets)]
    times = [time for time, _ in packets]
    return [
        FilmPart(film, begin, times[begin:end], end == len(times))
        for begin, end in zip([0, *borders], borders, strict=False)
    ]


def _borders(frames: int, keys: Sequence[int]) -> Iterator[int]:
    """Where further parts begin: at the key frame nearest to the usual length, if one is near."""
    begin, half = 0, PART_FRAMES // 2
    while frames - begin > PART_FRAMES + half:
        wanted = begin + PART_FRAMES
        near = [key for key in keys if wanted - half <= key <= min(wanted + half, frames - half)]
        begin = min(near, key=lambda key: abs(key - wanted), default=wanted)
        yield begin


def look_ahead(
    part: FilmPart, finder: FrameFinder, every: int, on_frame: Callable[[int], None] = lambda number: None
) -> dict[bytes, bytes]:
    """What models find in a part, see `FrameFinder.note`.

    Args:
        every: each how many-th frame of the film is looked at, at least.
        on_frame: called with the number of frames so far.

    Raises:
        PictureError: the film cannot be read, or nothing can be said about a frame.
    """
    facts = part.film.facts
    schedule = Schedule(facts, every)

    def looked_at() -> Iterator[FilmFrame]:
        before: FilmFrame | None = None
        for number, frame in enumerate(part.film.frames_at(part.first, part.times), start=1):
            due = schedule.add(frame.index, facts.seconds(frame.time), to_gray(frame.picture, facts.orientation))
            if due.begins_scene and before is not None:
                yield before
            if due.is_looked_at:
                yield frame
            before = None if due.is_looked_at else frame
            on_frame(number)
        if part.is_last and before is not None:
            yield before

    return dict(finder.note(to_rgb(frame.picture, facts.orientation)) for frame in looked_at())
