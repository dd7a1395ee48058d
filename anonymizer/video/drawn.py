"""Follows what a person drew in one frame of a film: forwards and backwards, to where it is lost, or to a cut.

What is drawn need not be anything that models know. So it is compared with what it showed a moment before, and not for
all times with what it showed when it was drawn: heads turn, and cars drive by.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from anonymizer.geometry import Box
from anonymizer.video.cuts import Thumbnail, is_cut, thumbnail_of
from anonymizer.video.flow import Gray, Patch, Scale, follow, patches_of
from anonymizer.video.look import Film, to_gray
from anonymizer.video.source import FilmFrame

RENEWED_AFTER = 8
"""Frames after which a box is compared with what it shows now: as far apart as the looks of `--preset fast`."""
WINDOW_BYTES = 96 << 20
"""Of the gray frames that are kept to follow boxes back. For what goes back further the film is read once more."""


@dataclass(frozen=True)
class Drawn:
    """What is to be followed."""

    frame: int
    """In which it was drawn."""
    box: Box
    first: int
    """It is followed back to this frame at most."""
    end: int
    """And on to the one before this one."""


@dataclass
class _Course:
    """A box on its way."""

    boxes: dict[int, Box]
    """By frame."""
    now: Box
    patch: Patch
    steps: int = 0
    holds: bool = True

    def step(self, frame: int, before: Gray, after: Gray, scale: Scale) -> None:
        """Follows the box to the next frame."""
        (trail,) = follow([self.now], [self.patch], [before, after], scale)
        self.holds = trail.holds
        if not self.holds:
            return
        self.boxes[frame] = self.now = trail.end
        self.steps += 1
        if self.steps % RENEWED_AFTER == 0:
            (self.patch,) = patches_of(after, [self.now], scale)


@dataclass
class _Backwards:
    """A box whose way back is not known to its end."""

    drawn: Drawn
    course: _Course
    frame: int
    """Up to which it is known."""


@dataclass
class _Window:
    """The last gray frames of a scene."""

    longest: int
    frames: deque[tuple[int, Gray]] = field(default_factory=deque)
    is_whole: bool = True
    """Whether it begins with the scene."""
    _thumbnail: Thumbnail | None = None

    def add(self, index: int, gray: Gray) -> bool:
        """Takes the next frame; says whether it begins a new scene."""
        thumbnail = thumbnail_of(gray)
        begins = self._thumbnail is None or is_cut(self._thumbnail, thumbnail)
        self._thumbnail = thumbnail
        if begins:
            self.frames.clear()
            self.is_whole = True
        elif len(self.frames) == self.longest:
            self.frames.popleft()
            self.is_whole = False
        self.frames.append((index, gray))
        return begins


def follow_drawn(film: Film, drawn: Sequence[Drawn]) -> list[dict[int, Box]]:
    """Where things are that were drawn in a film: a box for each frame in which each of them was not lost.

    Goes through the film once, and once more up to each drawing that goes far back.

    Raises:
        PictureError: the film is damaged.
    """
    found: list[dict[int, Box]] = [{one.frame: one.box} for one in drawn]
    waiting = _follow_on(film, drawn, found)
    while waiting:
        waiting = _follow_back(film, waiting)
    return found


def _follow_on(film: Film, drawn: Sequence[Drawn], found: Sequence[dict[int, Box]]) -> list[_Backwards]:
    """Follows to the end, and back as far as the frames in memory go; says what is left."""
    going: list[tuple[Drawn, _Course]] = []
    waiting: list[_Backwards] = []
    before: Gray | None = None
    for frame, gray, scale, window, begins in _grays(film):
        if begins:
            going = []
        for _, course in going:
            assert before is not None
            course.step(frame.index, before, gray, scale)
        going = [(one, course) for one, course in going if course.holds and frame.index + 1 < one.end]
        for one, boxes in zip(drawn, found, strict=True):
            if one.frame == frame.index:
                (patch,) = patches_of(gray, [one.box], scale)
                going.append((one, _Course(boxes, one.box, patch)))
                back = _Backwards(one, _Course(boxes, one.box, patch), frame.index)
                waiting += [] if _is_at_end(back, window, scale) else [back]
        before = gray
    return waiting


def _follow_back(film: Film, waiting: Sequence[_Backwards]) -> list[_Backwards]:
    """Follows further back, as far as the frames in memory go; says what is left."""
    left = list(waiting)
    last = max(each.frame for each in waiting)
    for frame, _, scale, window, _ in _grays(film):
        for each in [each for each in left if each.frame == frame.index]:
            if _is_at_end(each, window, scale):
                left.remove(each)
        if frame.index >= last:
            break
    return left


def _is_at_end(each: _Backwards, window: _Window, scale: Scale) -> bool:
    """Follows a box back through the frames of a window; says whether it is lost, or there is nothing before."""
    for (_, before), (index, gray) in pairwise(reversed(window.frames)):
        if index < each.drawn.first:
            return True
        each.course.step(index, before, gray, scale)
        if not each.course.holds:
            return True
        each.frame = index
    return window.is_whole


def _grays(film: Film) -> Iterator[tuple[FilmFrame, Gray, Scale, _Window, bool]]:
    """The frames of a film with what is needed to follow boxes, and whether each begins a new scene."""
    facts, window = film.facts, _Window(0)
    width, height = facts.upright_size
    for frame in film.frames():
        gray = to_gray(frame.picture, facts.orientation)
        window.longest = max(2, WINDOW_BYTES // gray.nbytes)
        begins = window.add(frame.index, gray)
        yield frame, gray, Scale(gray.shape[1] / width, gray.shape[0] / height), window, begins
