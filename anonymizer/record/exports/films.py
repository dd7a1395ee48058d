"""What a format of films is given, and what it gives back.

Formats of films hold objects one after the other, each with its frames; records hold frames. `courses_of` sorts one
into the other, and `as_read` goes the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from anonymizer.record.exports.values import Files, ReadBox, Size
from anonymizer.types import Detection


@dataclass(frozen=True)
class ExportedFilm:
    """A film and what a run hid in it."""

    name: str
    """Path below the output folder, with forward slashes."""
    size: Size
    frames: Sequence[Sequence[Detection]]
    """What is in each frame."""
    rate: float = 25.0
    """Frames a second, on average."""


@dataclass
class Course:
    """An object in all its frames; or what stands still in frames that follow each other."""

    track: int | None
    first: Detection
    places: dict[int, int] = field(default_factory=dict)
    """By frame, the place among the detections there."""

    def spans(self) -> list[range]:
        """Frames without a gap in between."""
        spans: list[range] = []
        for frame in sorted(self.places):
            if spans and spans[-1].stop == frame:
                spans[-1] = range(spans[-1].start, frame + 1)
            else:
                spans.append(range(frame, frame + 1))
        return spans


def courses_of(film: ExportedFilm) -> list[Course]:
    """The objects of a film, in the order in which they begin.

    A track that is twice in a frame has two courses. What has no track has one as long as it stays the same.
    """
    courses: list[Course] = []
    tracked: dict[tuple[int, str, int], Course] = {}
    still: dict[tuple[Detection, int], Course] = {}
    for frame, detections in enumerate(film.frames):
        times: dict[object, int] = {}
        for place, one in enumerate(detections):
            key = (one.track, one.kind) if one.track is not None else one
            layer = times[key] = times.get(key, -1) + 1
            if one.track is not None:
                course = tracked.setdefault((one.track, one.kind, layer), Course(one.track, one))
                is_new = not course.places
            else:
                known = still.get((one, layer))
                is_new = known is None or frame - 1 not in known.places
                course = Course(None, one) if is_new or known is None else known
                still[one, layer] = course
            if is_new:
                courses.append(course)
            course.places[frame] = place
    return courses


@dataclass(frozen=True)
class ReadFilm:
    """A film in a file, not checked yet."""

    frames: Mapping[int, Sequence[ReadBox]]
    """By frame, what is there; `group` of the boxes tells objects apart that have no number."""
    size: tuple[float, float] | None = None
    """Width and height; None: the file does not say."""
    problem: str | None = None
    """Why its objects cannot be told, if so."""


@dataclass(frozen=True)
class FilmFormat:
    """A format with files for each film, written and read without touching any file."""

    write: Callable[[ExportedFilm], Files]
    """The files of a film, by their names in its place: see `place`."""
    read: Callable[[Files, ExportedFilm], ReadFilm]
    """What the files say of a film; of the film that is known only name, size and number of frames count.

    What was written of a film comes back, in each frame, in the order of the courses.

    Raises:
        ValueError: they do not have this format.
    """
    place: str
    """What is added to the name of a film for its main file."""
    precision_px: float
    """By how much a corner may differ from what was exported, and still be the same."""


def as_read(film_format: FilmFormat, film: ExportedFilm) -> list[list[ReadBox]]:
    """What the format says of the detections in each frame of a film, in their order.

    Raises:
        ValueError: the format cannot say it.
    """
    read = film_format.read(film_format.write(film), film)
    said: list[list[ReadBox | None]] = [[None] * len(detections) for detections in film.frames]
    courses, taken = courses_of(film), dict[int, int]()
    for course in courses:
        for frame, place in course.places.items():
            boxes, index = read.frames.get(frame, ()), taken.get(frame, 0)
            if index >= len(boxes):
                raise ValueError("this format cannot hold what is in the record")
            said[frame][place] = boxes[index]
            taken[frame] = index + 1
    return [[box for box in boxes if box is not None] for boxes in said]
