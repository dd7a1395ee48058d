"""What people change about what is hidden in a film; see `record.edits` for what they write.

What is drawn in a frame follows what is there, and is a track from then on. What is drawn without a frame stands still
for a span of time, or always. What is removed goes as a whole track, or for a span.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf
from typing import Any, TypeAlias

import numpy as np

from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.outlines import moved, place_to_plain
from anonymizer.record.edits import DEFAULT_KIND, SAME_FROM, Edit, Place, Span, approve, meant, to_entry
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, FrameDetections
from anonymizer.video.drawn import Drawn, follow_drawn
from anonymizer.video.facts import FilmFacts
from anonymizer.video.frozen import Freezer
from anonymizer.video.look import Film
from anonymizer.video.tracks import FilmTracks, Limits, RowList, Rows, Still, frames_up_to

PATH_EVERY = 8
"""The report tells where a track went that stays visible, for every so many of its frames."""
Frames: TypeAlias = tuple[int, int]
"""The first one, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A place that stays visible in some frames where all else is hidden."""

    place: Place
    first: int
    end: int


@dataclass(frozen=True)
class EditedFilm:
    """A film after its edits."""

    tracks: FilmTracks
    done: Sequence[Mapping[str, object]] = ()
    """What each edit did, for the report; see `record.edits.Edited`."""
    kept: Sequence[Kept] = ()

    def kept_in(self, frame: int) -> list[Place]:
        """The places that stay visible in a frame."""
        return [one.place for one in self.kept if one.first <= frame < one.end]


def edit_film(
    film: Film,
    times_s: Sequence[float],
    tracks: FilmTracks,
    edits: Sequence[Edit],
    name: str,
    redact: RedactSettings,
    limits: Limits,
    knows_numbers: bool,
) -> EditedFilm:
    """What is to be hidden in a film after its edits. Reads the film again where something was drawn or has changed.

    Args:
        times_s: of all frames.
        name: of the file of edits.
        redact: how it will be hidden, see `look.find_tracks`.
        knows_numbers: whether people have seen the numbers of the tracks, in a record.

    Raises:
        PictureError: an edit does not fit the film, or what it changes is not there.
    """
    if not edits:
        return EditedFilm(tracks)
    work = _Work(film.facts.upright_size, times_s, _end_of(film.facts, times_s), tracks, limits, knows_numbers)
    planned: list[tuple[Edit, Frames]] = []
    for edit in edits:
        with _naming(name, edit):
            planned.append((edit, work.frames_of(edit)))
    drawn = {
        edit.number: Drawn(edit.frame, _box_of(edit.place), *frames)
        for edit, frames in planned
        if edit.action == "add" and edit.frame is not None and edit.place is not None
    }
    courses = dict(zip(drawn, follow_drawn(film, list(drawn.values())) if drawn else [], strict=True))
    for edit, frames in planned:
        with _naming(name, edit):
            work.apply(edit, frames, courses.get(edit.number, {}))
    edited = work.tracks
    if edited.rows is not tracks.rows or edited.tracks is not tracks.tracks:
        edited = freeze_again(film, edited, redact)
    return EditedFilm(edited, work.done, work.kept)


def freeze_again(film: Film, tracks: FilmTracks, redact: RedactSettings) -> FilmTracks:
    """The tracks with what their redactions show, so that a replay of their record paints the same.

    Raises:
        PictureError: the film is damaged.
    """
    freezer = Freezer(tracks, film.facts, redact)
    for frame in film.frames():
        freezer.add(frame)
    return freezer.finish()


def shown_track(tracks: FilmTracks, rows: Rows) -> dict[str, object]:
    """Where a track was that stays visible, for the report: its best sighting, and its path.

    Args:
        rows: of the track, by frame, one or more.
    """
    best = rows[int(rows["score"].argmax())]
    sampled = [*rows[::PATH_EVERY], *([] if (len(rows) - 1) % PATH_EVERY == 0 else [rows[-1]])]
    return {
        "box": [float(side) for side in best["hidden"]],
        "score": float(best["score"]),
        "path": [[int(row["frame"]), *(round(float(side), 1) for side in row["hidden"])] for row in sampled],
    }


def _end_of(facts: FilmFacts, times_s: Sequence[float]) -> float:
    """When the last frame ends to be shown, in seconds: as the file says, or as long after it as any other lasts."""
    said_s = -inf if facts.end is None else facts.seconds(facts.end)
    if said_s > times_s[-1]:
        return said_s
    return times_s[-1] + max((after - before for before, after in pairwise(times_s)), default=inf)


@contextmanager
def _naming(name: str, edit: Edit) -> Iterator[None]:
    """Names the entry whose edit does not fit."""
    try:
        yield
    except ValueError as error:
        raise PictureError(f"does not fit its edits, {name} entry {edit.number}: {error}") from None


@dataclass
class _Work:
    """Applies edits one after the other."""

    size: tuple[int, int]
    """Width and height."""
    times_s: Sequence[float]
    end_s: float
    """When the last frame ends to be shown."""
    tracks: FilmTracks
    limits: Limits
    knows_numbers: bool
    done: list[Mapping[str, object]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def frames_of(self, edit: Edit) -> Frames:
        """The frames of the span of an edit.

        Raises:
            ValueError: the edit is none of films, or does not fit this one.
        """
        if edit.action == "resize":
            raise ValueError("a track of a film cannot be resized: remove it, and draw it anew in one of its frames")
        if edit.action == "relabel" and edit.span is not None:
            raise ValueError("a track is of one kind for all its life: leave out the span")
        if edit.action == "keep" and edit.frame is not None:
            raise ValueError("a place in a film is kept for a span, and not for a frame")
        if edit.track is not None and not self.knows_numbers:
            raise ValueError("the numbers of tracks are those of records, which --detections names; give box and frame")
        if edit.action in ("remove", "relabel") and edit.place is not None and edit.frame is None:
            raise ValueError(f"say in which 'frame' it is, from 0 on, or name its track: {edit.action}: {{track: 1}}")
        if edit.frame is not None and edit.frame >= len(self.times_s):
            raise ValueError(f"frame {edit.frame} is beyond the {len(self.times_s)} frames of the film")
        width, height = self.size
        if edit.action in ("add", "keep") and edit.place and not _box_of(edit.place).touches((height, width)):
            raise ValueError(f"its place lies outside the {width} x {height} pixels of the film")
        first, end = self._frames_in(edit.span, shows=edit.action in ("remove", "keep"))
        if first >= end and edit.action != "mute":
            raise ValueError("the film shows no frame in its span")
        if edit.action == "add" and edit.frame is not None and not first <= edit.frame < end:
            raise ValueError(f"frame {edit.frame} does not lie in its span")
        return first, end

    def _frames_in(self, span: Span | None, shows: bool) -> Frames:
        """The frames that are on the screen at any time of a span; if it shows something, those that begin in it."""
        if span is None:
            return 0, len(self.times_s)
        if span[0] >= self.end_s:
            return len(self.times_s), len(self.times_s)
        first = bisect_left(self.times_s, span[0]) if shows else max(0, bisect_right(self.times_s, span[0]) - 1)
        return first, bisect_right(self.times_s, span[1])

    def apply(self, edit: Edit, frames: Frames, course: Mapping[int, Box]) -> None:
        """
        Args:
            frames: those of its span.
            course: where it is, if it was drawn in a frame.

        Raises:
            ValueError: what it changes is not there.
        """
        entry = {"entry": edit.number, **to_entry(edit)}
        del entry["file"]
        if edit.action == "add" and edit.frame is None:
            self.tracks = self.tracks.with_stills([Still(_detection(edit), *frames)])
        elif edit.action == "add":
            entry["track"] = self._add(edit, frames, course)
        elif edit.action == "keep":
            self._keep(edit, frames)
            entry["frames"] = [frames[0], frames[1] - 1]
        elif edit.action in ("remove", "relabel"):
            entry |= self._change(edit, frames)
        self.done.append(entry)

    def _add(self, edit: Edit, frames: Frames, course: Mapping[int, Box]) -> int:
        """Adds what was drawn to the track that it is of, or as a new one; returns its number."""
        assert edit.frame is not None
        detection, rows = _detection(edit), RowList()
        number = self._number_of(detection, edit.frame)
        for frame, box in self._with_grace(course, frames).items():
            there = detection if frame == edit.frame else _moved(detection, box)
            rows.see(number, frame, there, is_sure=frame == edit.frame)
        self.tracks = self.tracks.with_track(number, detection.kind, rows)
        return number

    def _number_of(self, detection: Detection, frame: int) -> int:
        """Of the track of this kind that it lies on; else a new one."""
        near = [
            (one.redaction_box.iou(detection.box), one.track)
            for one in self.tracks.seen_in(frame)
            if one.kind == detection.kind and one.track is not None
        ]
        likeness, number = max(near, default=(0.0, 0))
        return number if likeness >= SAME_FROM else max((one.number for one in self.tracks.tracks), default=0) + 1

    def _with_grace(self, course: Mapping[int, Box], frames: Frames) -> dict[int, Box]:
        """The course, and what is hidden beyond both ends of it, held still."""
        boxes = dict(course)
        for end, step in ((min(course), -1), (max(course), 1)):
            reach_s = self.times_s[end] + step * self.limits.grace_s
            for frame in frames_up_to(reach_s, end, step, self.times_s, frozenset()):
                if frames[0] <= frame < frames[1]:
                    boxes[frame] = course[end]
        return boxes

    def _keep(self, edit: Edit, frames: Frames) -> None:
        """Keeps a place, and takes away what models found there; see `record.edits.approve`."""
        assert edit.place is not None
        self.kept.append(Kept(edit.place, *frames))
        rows = self.tracks.rows
        counts = np.ones(len(rows), bool)
        for index in np.flatnonzero((rows["frame"] >= frames[0]) & (rows["frame"] < frames[1])).tolist():
            one = self.tracks.detection(rows[index])
            counts[index] = bool(approve(edit.place, FrameDetections([one])).detections)
        if not counts.all():
            self.tracks = self.tracks.with_rows(rows[counts])

    def _change(self, edit: Edit, frames: Frames) -> dict[str, object]:
        """Removes or relabels; returns what the report says of it."""
        if edit.track is not None:
            known = next((one for one in self.tracks.tracks if one.number == edit.track), None)
            if known is None or known.kind != edit.kind:
                raise ValueError(f"the film has no track {edit.track} of the kind {edit.kind!r}")
            return self._change_track(edit, edit.track, frames)
        assert edit.frame is not None
        found = meant(edit, self.tracks.in_frame(edit.frame))
        if found.track is not None:
            return self._change_track(edit, found.track, frames)
        return self._change_still(edit, found, frames)

    def _change_track(self, edit: Edit, number: int, frames: Frames) -> dict[str, object]:
        tracks, rows = self.tracks, self.tracks.rows
        is_meant = rows["track"] == number
        if edit.label is not None:
            relabelled = [replace(one, kind=edit.label) if one.number == number else one for one in tracks.tracks]
            self.tracks = replace(tracks, tracks=relabelled)
        else:
            is_meant &= (rows["frame"] >= frames[0]) & (rows["frame"] < frames[1])
            if not is_meant.any():
                raise ValueError(f"track {number} is not hidden in its span")
            self.tracks = tracks.with_rows(rows[~is_meant])
        return {"track": number, "found": shown_track(tracks, rows[is_meant])}

    def _change_still(self, edit: Edit, found: Detection, frames: Frames) -> dict[str, object]:
        assert edit.frame is not None
        stills = list(self.tracks.stills)
        still = next(one for one in stills if one.detection == found and one.first <= edit.frame < one.end)
        stills.remove(still)
        if edit.label is not None:
            stills.append(replace(still, detection=replace(found, kind=edit.label)))
        else:
            first, end = max(still.first, frames[0]), min(still.end, frames[1])
            parts = ((still.first, first), (end, still.end)) if first < end else ((still.first, still.end),)
            stills += [replace(still, first=begin, end=until) for begin, until in parts if begin < until]
        self.tracks = replace(self.tracks, stills=stills)
        box = place_to_plain(found.outline or found.redaction_box)
        path: list[Any] = [[frame, *found.redaction_box.xyxy] for frame in (still.first, still.end - 1)]
        return {"found": {**box, "score": found.score, "path": path}}


def _box_of(place: Place | None) -> Box:
    assert place is not None
    return place if isinstance(place, Box) else place.box


def _detection(edit: Edit) -> Detection:
    assert edit.place is not None
    outline = None if isinstance(edit.place, Box) else edit.place
    return Detection(_box_of(edit.place), 1.0, edit.kind or DEFAULT_KIND, outline=outline)


def _moved(drawn: Detection, box: Box) -> Detection:
    """What was drawn in another frame, where nobody has seen it."""
    if drawn.outline is None:
        return replace(drawn, box=box, score=0.0)
    outline = moved(drawn.outline, drawn.box, box)  # type: ignore[arg-type]
    return replace(drawn, box=outline.box, score=0.0, outline=outline)
