"""The first pass over a film: looks at frames with models, and follows what is found through all frames.

`find_tracks(film, finder, redact, limits, every)` returns `FilmTracks`, which `paint.Painter` hides in the second pass.

Only some frames are looked at, every k-th. Where boxes go in between, optical flow says from both sides: forwards from
the frame looked at before, backwards from the one after; what either says is hidden. Where flow loses an object, or
both sides contradict each other, the frame in the middle is looked at too, and so on. An object that appears is
followed back to where it began, one that is gone is followed on, as long as the picture shows it. At scene cuts the
last frame before and the first one after are looked at.

In memory are the frames since the last look, and small gray copies of those in the second before.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from av.video.frame import VideoFrame

from anonymizer.files.orientation import turn_upright
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.redact.cells import Levels
from anonymizer.settings import Preset, RedactSettings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.facts import FilmFacts
from anonymizer.video.flow import Gray, Patch, Scale, Trail, follow, patches_of
from anonymizer.video.frozen import freeze
from anonymizer.video.schedule import Schedule
from anonymizer.video.source import FilmFrame, to_rgb
from anonymizer.video.tracks import SAME, FilmTracks, Limits, TrackBuilder, bridge, likenesses, match

USUAL = Limits()
EVERY: Mapping[Preset, int] = {"fast": 8, "balanced": 5, "crowd": 5, "thorough": 1}
"""Each how many-th frame is looked at, by preset."""
FLOW_SIDE = 960
"""Longer side of the gray frames in which boxes are followed, in pixels, at most."""
PAST_FRAMES = 32
"""So many gray frames are kept to follow back what appears, at most."""
DOUBTFUL_SHARE = 0.125
"""More frames are looked at where flow is in doubt about more than this share of the sure objects."""
AGREE = 0.5
"""Intersection over union from which on both sides say the same about an object."""


class Finder(Protocol):
    """Says what is in a single frame; `finder.FrameFinder` is one."""

    @property
    def thresholds(self) -> Mapping[Kind, float]:
        """What it looks for, with the score from which on a detection is sure."""

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        """What is in an upright frame, uint8 (H, W, 3), RGB; also weak detections, which tracks may confirm.

        Raises:
            PictureError: nothing can be said about the frame.
        """


class Film(Protocol):
    """What is asked of a film; `source.Film` is one."""

    @property
    def facts(self) -> FilmFacts: ...

    def frames(self) -> Iterable[FilmFrame]: ...


def find_tracks(
    film: Film, finder: Finder, redact: RedactSettings, limits: Limits = USUAL, every: int = 1
) -> FilmTracks:
    """What is to be hidden in each frame of a film.

    Args:
        redact: how it will be hidden. What a redaction shows of an object is settled here, once for all frames.
        every: each how many-th frame is looked at, at least.

    Raises:
        PictureError: the film is damaged, or nothing can be said about a frame.
    """
    look = _Look(film.facts, finder, redact, limits, every)
    for frame in film.frames():
        look.add(frame)
    return look.finish()


def to_gray(frame: VideoFrame, orientation: int, longest_side: int = FLOW_SIDE) -> Gray:
    """The brightness of a frame, upright, shrunk to a longest side: uint8 (H, W)."""
    factor = min(1.0, longest_side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * factor)), max(1, round(frame.height * factor))
    if frame.format.name in _BRIGHTNESS_FIRST:
        plane = frame.planes[0]
        stored: Gray = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : frame.height, : frame.width
        ]
    else:
        stored = np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)
    shrunk = cv2.resize(stored, (width, height), interpolation=cv2.INTER_AREA) if factor < 1 else stored.copy()
    return turn_upright(np.asarray(shrunk, np.uint8), orientation)


_BRIGHTNESS_FIRST = frozenset(
    ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray")
)
"""Pixel formats whose first plane is the brightness of all pixels in 8 bits."""


@dataclass
class _Frame:
    """A frame since the last look."""

    index: int
    picture: VideoFrame
    gray: Gray
    rgb: Pixels8 | None = None
    found: Sequence[Detection] | None = None
    """None: not looked at."""
    levels: Mapping[int, Levels | None] | None = None
    """Of what is sure, by the identity of the detection; None: not needed so far."""


@dataclass
class _Followed:
    """An object while it is followed."""

    track: int
    seen: int
    """Frame of its last sighting."""
    detection: Detection
    """As it was seen there."""
    patch: Patch
    now: Box
    """Where its box is in the last frame that was looked at."""
    begun: int
    """Frame of its first sighting."""
    holds: bool = True
    """Whether flow has not lost it since it was seen."""
    is_sure: bool = False
    """Whether any of its detections was."""
    trail: dict[int, Box] = field(default_factory=dict)
    """What to hide in the frames since."""


class _Look:
    """One way through a film."""

    def __init__(self, facts: FilmFacts, finder: Finder, redact: RedactSettings, limits: Limits, every: int) -> None:
        self._facts = facts
        self._finder = finder
        self._redact = redact
        self._limits = limits
        self._schedule = Schedule(facts, every)
        self._builder = TrackBuilder(limits)
        self._times = array("d")
        self._cuts: list[int] = []
        self._pending: list[_Frame] = []
        """The frame that was looked at last, and those after it."""
        self._past: deque[Gray] = deque(maxlen=PAST_FRAMES)
        """Those of the same scene before."""
        self._followed: list[_Followed] = []
        self._looks = 0

    def add(self, frame: FilmFrame) -> None:
        """Takes the next frame."""
        gray, time_s = to_gray(frame.picture, self._facts.orientation), self._facts.seconds(frame.time)
        due = self._schedule.add(frame.index, time_s, gray)
        if due.begins_scene:
            self._end_scene()
            self._cuts.append(frame.index)
        self._times.append(time_s)
        self._pending.append(_Frame(frame.index, frame.picture, gray))
        if due.is_looked_at:
            self._close()

    def finish(self) -> FilmTracks:
        """What is to be hidden, after the last frame."""
        self._end_scene()
        return self._builder.finish(self._times, self._cuts, self._looks)

    def _end_scene(self) -> None:
        if len(self._pending) > 1:
            self._close()
        for one in self._followed:
            self._builder.hide(one.track, one.trail)
        self._followed, self._pending = [], []
        self._past.clear()

    def _close(self) -> None:
        """Links what the last of the pending frames shows with what the one looked at before it shows."""
        self._connect(self._pending)
        self._past.extend(frame.gray for frame in self._pending[:-1])
        self._pending = self._pending[-1:]

    def _connect(self, frames: Sequence[_Frame]) -> None:
        """From a frame that was looked at to a later one; in the first frame of a scene from that to itself."""
        found = self._found_in(frames[-1])
        grays = [frame.gray for frame in frames]
        patches = list(patches_of(grays[-1], [one.box for one in found], self._scale(grays[-1])))
        # What was never seen for sure is not worth following: it may be noise.
        known = self._followed
        ahead = self._follow(
            [one.now for one in known],
            [one.patch for one in known],
            [one.is_sure and one.holds for one in known],
            grays,
        )
        expected = [(one.detection.kind, trail.end) for one, trail in zip(known, ahead, strict=True)]
        chosen = match(expected, found, self._finder.thresholds)
        is_worth = [
            self._is_sure(one) or (index is not None and known[index].is_sure)
            for one, index in zip(found, chosen, strict=True)
        ]
        back = self._follow([one.box for one in found], patches, is_worth, grays[::-1])
        if len(frames) > 2 and self._is_doubtful(frames[0].index, found, chosen, ahead, back):
            middle = len(frames) // 2
            self._connect(frames[: middle + 1])
            self._connect(frames[middle:])
            return
        self._move_on(frames[1:], ahead)
        matched = [None if index is None else self._followed[index] for index in chosen]
        self._trace_back(frames[0].index, frames[-1].index, found, matched, patches, back)
        for detection, one, patch, trail in zip(found, matched, patches, back, strict=True):
            self._see(frames[-1], detection, one, patch, trail)
        self._drop_lost(frames[-1].index)
        frames[-1].rgb = None

    def _found_in(self, frame: _Frame) -> Sequence[Detection]:
        if frame.found is None:
            self._looks += 1
            frame.rgb = to_rgb(frame.picture, self._facts.orientation)
            frame.found = self._finder.find(frame.rgb)
        return frame.found

    def _is_doubtful(
        self,
        first: int,
        found: Sequence[Detection],
        chosen: Sequence[int | None],
        ahead: Sequence[Trail],
        back: Sequence[Trail],
    ) -> bool:
        """Whether flow cannot say where a sure object is between two frames that were looked at."""
        is_known = {
            index: one.seen == first and self._is_sure(one.detection) for index, one in enumerate(self._followed)
        }
        doubtful = sum(is_known[index] and not trail.holds for index, trail in enumerate(ahead))
        for detection, index, trail in zip(found, chosen, back, strict=True):
            if self._is_sure(detection):
                other = ahead[index] if index is not None and is_known[index] else None
                doubtful += not trail.holds or (other is not None and other.holds and not _agree(other, trail))
        return doubtful > DOUBTFUL_SHARE * sum(map(self._is_sure, found))

    def _move_on(self, frames: Sequence[_Frame], ahead: Sequence[Trail]) -> None:
        """Moves what is followed to the last of some frames."""
        for one, trail in zip(self._followed, ahead, strict=True):
            if one.holds:
                pairs = zip(frames, trail.boxes, strict=False)
                one.trail |= {frame.index: carried(one.detection, box) for frame, box in pairs}
            one.now, one.holds = trail.end, one.holds and trail.holds

    def _trace_back(
        self,
        first: int,
        last: int,
        found: Sequence[Detection],
        matched: list[_Followed | None],
        patches: Sequence[Patch],
        back: list[Trail],
    ) -> None:
        """Follows what appears back to where it began, or to where an object was lost: then both are the same.

        Args:
            first: the frame that was looked at before.
            last: the one in which something was found.
            matched: for each detection the object that it is of; others are added.
            back: for each detection where it was, up to the first frame; frames before that are added.
        """
        for number, trail in self._past_trails(first, found, matched, patches, back):
            back[number] = trail
        lost = {one.track: one for one in self._followed}
        for one in matched:
            if one is not None:
                del lost[one.track]
        for number, detection in enumerate(found):
            if matched[number] is None:
                met = next((one for one in lost.values() if _meets(back[number], last, detection, one)), None)
                if met is not None:
                    matched[number] = lost.pop(met.track)

    def _past_trails(
        self,
        first: int,
        found: Sequence[Detection],
        matched: Sequence[_Followed | None],
        patches: Sequence[Patch],
        back: Sequence[Trail],
    ) -> Iterator[tuple[int, Trail]]:
        """The trails of sure detections that go back beyond the first frame, up to the limit of time, by their number.

        That is of those that begin, of those whose object was never seen for sure before, and of those whose object was
        seen before the first frame.
        """
        begins = [
            number
            for number, (detection, one) in enumerate(zip(found, matched, strict=True))
            if back[number].holds and self._is_sure(detection) and (one is None or not one.is_sure or one.seen < first)
        ]
        grays = [*self._past, *(frame.gray for frame in self._pending)]
        times = self._times[self._pending[0].index - len(self._past) : first + 1]
        earliest_s = self._times[first] - self._limits.gap_s
        before = [gray for gray, time_s in zip(grays, times, strict=False) if time_s >= earliest_s]
        ends, shown = [back[number].end for number in begins], [patches[number] for number in begins]
        for number, past in zip(begins, self._follow(ends, shown, [True] * len(begins), before[::-1]), strict=True):
            yield number, Trail([*back[number].boxes, *past.boxes], past.end, past.holds)

    def _see(self, frame: _Frame, detection: Detection, one: _Followed | None, patch: Patch, back: Trail) -> None:
        """Adds a detection to the object that it is of, or begins a new one."""
        is_sure = self._is_sure(detection)
        behind = {frame.index - by: carried(detection, box) for by, box in enumerate(back.boxes, start=1)}
        if one is None:
            track = self._builder.begin(detection.kind)
            one = _Followed(track, frame.index, detection, patch, detection.box, frame.index)
            self._followed.append(one)
            self._builder.hide(one.track, behind)
        else:
            ends = (one.seen, one.detection.redaction_box), (frame.index, detection.redaction_box)
            self._builder.hide(one.track, bridge(*ends, one.trail, behind))
            if is_sure and not one.is_sure:
                self._builder.hide(one.track, {index: box for index, box in behind.items() if index < one.begun})
        self._builder.see(one.track, frame.index, detection, is_sure)
        if is_sure and not self._builder.has_levels(one.track):
            self._builder.set_levels(one.track, self._frozen(frame, detection))
        one.seen, one.detection, one.patch, one.now = frame.index, detection, patch, detection.box
        one.holds, one.trail, one.is_sure = True, {}, one.is_sure or is_sure

    def _frozen(self, frame: _Frame, detection: Detection) -> Levels | None:
        """What the redaction of a detection will show in every frame."""
        if frame.levels is None:
            assert frame.rgb is not None
            assert frame.found is not None
            # Of what is not sure nobody knows yet whether it will be hidden.
            sure = [one for one in frame.found if self._is_sure(one)]
            of_sure = zip(sure, freeze(frame.rgb, sure, self._redact), strict=True)
            frame.levels = {id(one): levels for one, levels in of_sure}
        return frame.levels[id(detection)]

    def _drop_lost(self, now: int) -> None:
        """Gives up objects that were not seen for too long, or never for sure."""
        for one in self._followed:
            if self._is_given_up(one, now):
                self._builder.hide(one.track, one.trail)
        self._followed = [one for one in self._followed if not self._is_given_up(one, now)]

    def _is_given_up(self, one: _Followed, now: int) -> bool:
        return one.seen < now and (not one.is_sure or self._times[now] - self._times[one.seen] > self._limits.gap_s)

    def _is_sure(self, detection: Detection) -> bool:
        return detection.score >= self._finder.thresholds[detection.kind]

    def _follow(
        self, boxes: Sequence[Box], patches: Sequence[Patch], is_worth: Sequence[bool], grays: Sequence[Gray]
    ) -> list[Trail]:
        """Follows those boxes that are worth it; the others count as lost."""
        chosen = [index for index, is_one in enumerate(is_worth) if is_one]
        scale = self._scale(grays[0])
        followed = follow([boxes[index] for index in chosen], [patches[index] for index in chosen], grays, scale)
        trails = [Trail([], box, False) for box in boxes]
        for index, trail in zip(chosen, followed, strict=True):
            trails[index] = trail
        return trails

    def _scale(self, gray: Gray) -> Scale:
        width, height = self._facts.upright_size
        return Scale(gray.shape[1] / width, gray.shape[0] / height)


def _agree(ahead: Trail, back: Trail) -> bool:
    """Whether both trails of an object, from either side, say the same about the frame in the middle."""
    steps = len(ahead.boxes)
    middle = (steps - 1) // 2
    return ahead.boxes[middle].iou(back.boxes[steps - 2 - middle]) >= AGREE


def _meets(trail: Trail, index: int, detection: Detection, lost: _Followed) -> bool:
    """Whether the trail of a detection in a frame leads back to where an object was last seen."""
    by = index - lost.seen - 1
    if detection.kind != lost.detection.kind or not 0 <= by < len(trail.boxes):
        return False
    return float(likenesses([trail.boxes[by]], [lost.detection.box])[0, 0]) >= SAME


def carried(detection: Detection, box: Box) -> Box:
    """The redaction box of a detection whose box has moved."""
    was, hidden = detection.box, detection.redaction_box
    by_x, by_y = box.width / max(was.width, 1.0), box.height / max(was.height, 1.0)
    return Box(
        box.x_min - (was.x_min - hidden.x_min) * by_x,
        box.y_min - (was.y_min - hidden.y_min) * by_y,
        box.x_max + (hidden.x_max - was.x_max) * by_x,
        box.y_max + (hidden.y_max - was.y_max) * by_y,
    )
