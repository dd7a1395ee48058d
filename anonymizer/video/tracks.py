"""Tracks: what is found in some frames of a film, linked to objects that are hidden without a gap.

Detections are linked in two stages, as in ByteTrack (Y. Zhang et al., ECCV 2022): first those at or above their
threshold, the *sure* ones, then weaker ones. Weak ones count only in tracks that several sure ones confirm. Cover is
only ever added: each sure detection is hidden in its frame, whatever it is linked to.

Nothing here knows pixels. `look` says where boxes move between the frames that were looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box, hull
from anonymizer.kinds import KINDS, Kind
from anonymizer.outlines import Outline, PolygonOutline, moved_polygon
from anonymizer.redact.cells import Levels
from anonymizer.redact.scene import Seed
from anonymizer.redact.targets import seed_of
from anonymizer.types import Detection

SURE_TO_CONFIRM = 2
"""With so many sure detections a track is confirmed: its weak ones count, and it is hidden wherever it was followed."""
SEEN_TO_CONFIRM = 3
"""So many detections confirm it, too, if one of them is sure. A readable plate that drives by was seen with scores of
0.43, 0.60 and 0.38; of the false alarms with one sure detection in three films none was seen so often."""
SAME = 0.3
"""Intersection over union, of boxes twice as large, from which on a detection may be of a track. Small fast objects
hardly overlap themselves."""

_STILLS_TOGETHER = 256
_ROUNDING_S = 1e-6
"""Times are compared with this tolerance."""
_ROW = np.dtype(
    [
        ("frame", np.int32),
        ("track", np.int32),
        ("score", np.float64),
        ("box", np.float64, 4),
        ("hidden", np.float64, 4),
        ("is_sure", np.bool_),
        ("outline", np.int32),
        ("silhouette", np.int32),
    ]
)
"""hidden: the redaction box. score: 0 in frames in which no model saw the object. outline, silhouette: index of the
exact shape and of the silhouette, -1 where it is not known."""
Rows: TypeAlias = npt.NDArray[np.void]
"""Structured, see `_ROW`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For how long an object is hidden that no model sees."""

    gap_s: float = 1.0
    """Two sightings of an object at most so far apart belong together, and it is hidden in between. For so long at most
    is it followed before its first sighting and after its last one, where the picture shows that it is still there."""
    grace_s: float = 0.2
    """For so long is it hidden before that and after, in any case."""


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of one object in all frames."""

    number: int
    """From 1 on, in the order in which the tracks begin. Those that are left when others are dropped keep theirs."""
    kind: Kind
    levels: Levels | None = None
    """Brightness that its redaction shows in every frame; None: not known."""


@dataclass(frozen=True, slots=True)
class Still:
    """What is hidden in the same place in frames that follow each other, such as a zone; no track."""

    detection: Detection
    first: int
    end: int
    """The frame after the last one."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A silhouette, which goes along with the box of its object; small in memory."""

    corners: npt.NDArray[np.float64]
    """(N, 2)"""
    box: Box
    """The redaction box that it was drawn for."""

    @classmethod
    def of(cls, silhouette: PolygonOutline, box: Box) -> Carried:
        """One that was drawn for a redaction box."""
        return cls(np.array(silhouette.corners), box)

    def to(self, box: Box) -> PolygonOutline:
        """The silhouette where the object has another box; just as it was drawn where it has the same."""
        x, y = self.corners.T.tolist()
        there = PolygonOutline(tuple(zip(x, y, strict=True)))
        return there if box == self.box else moved_polygon(there, self.box, box)


@dataclass(frozen=True)
class FilmTracks:
    """What is hidden in each frame of a film.

    A film of hours has millions of rows, so that they lie in one array and become detections frame by frame.
    """

    frames: int
    tracks: Sequence[Track]
    """By number."""
    rows: Rows
    """By frame, then by track."""
    cuts: Sequence[int] = ()
    """First frames of new scenes."""
    looks: int = 0
    """How many frames models looked at."""
    outlines: Sequence[Outline] = ()
    """Exact shapes that the rows name."""
    silhouettes: Sequence[Carried] = ()
    """Those that the rows name; several rows may share one."""
    stills: Sequence[Still] = ()
    """What is hidden besides."""

    def in_frame(self, index: int) -> list[Detection]:
        """What is hidden in a frame: tracks with their numbers, then what stands still. The score is 0 where no model
        saw the object.

        Raises:
            IndexError: the film has no such frame.
        """
        if not 0 <= index < self.frames:
            raise IndexError(f"frame {index} of {self.frames}")
        near = self._stills_near.get(index // _STILLS_TOGETHER, ())
        return [*self.seen_in(index), *(still.detection for still in near if still.first <= index < still.end)]

    def seen_in(self, index: int, only_sure: bool = False) -> list[Detection]:
        """What of the tracks is in a frame; of those that are sure there alone, if asked for."""
        first, end = np.searchsorted(self.rows["frame"], (index, index + 1))
        rows = self.rows[first:end]
        return [self.detection(row) for row in (rows[rows["is_sure"]] if only_sure else rows)]

    def detection(self, row: np.void) -> Detection:
        """What a row says."""
        values: Any = row.item()
        _, track, score, box, hidden, _, outline, silhouette = values
        seen, covered = Box(*box), Box(*hidden)
        extent = None if covered == seen else covered
        if outline >= 0:
            return Detection(seen, score, self._of_number[track].kind, outline=self.outlines[outline], track=track)
        drawn = self.silhouettes[silhouette].to(covered) if silhouette >= 0 else None
        return Detection(seen, score, self._of_number[track].kind, extent, track=track, silhouette=drawn)

    def levels_of(self, number: int) -> Levels | None:
        """What the redaction of a track shows."""
        return self._of_number[number].levels

    def seed_of(self, number: int) -> Seed:
        """Of what is drawn at random over a track, in all of its frames: by where it begins, which differs from film to
        film. Places that followed from the number alone would be known to everybody."""
        return self._seeds[number]

    @cached_property
    def _seeds(self) -> Mapping[int, Seed]:
        numbers, first = np.unique(self.rows["track"], return_index=True)
        boxes = [Box(*box) for box in self.rows["hidden"][first].tolist()]
        return {number: (number, *seed_of(box)) for number, box in zip(numbers.tolist(), boxes, strict=True)}

    @cached_property
    def _stills_near(self) -> Mapping[int, Sequence[Still]]:
        """Those that are hidden in any of so many frames: there may be one for each frame of a long film."""
        near: dict[int, list[Still]] = {}
        for still in self.stills:
            for part in range(still.first // _STILLS_TOGETHER, (still.end - 1) // _STILLS_TOGETHER + 1):
                near.setdefault(part, []).append(still)
        return near

    @cached_property
    def _of_number(self) -> Mapping[int, Track]:
        return {track.number: track for track in self.tracks}

    @property
    def counts(self) -> dict[Kind, int]:
        """Tracks of each kind that has any, and what stands still."""
        kinds = [*(track.kind for track in self.tracks), *(still.detection.kind for still in self.stills)]
        return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}

    def with_stills(self, stills: Sequence[Still]) -> FilmTracks:
        """The same with more that stands still."""
        return replace(self, stills=(*self.stills, *stills))

    def with_levels(self, levels: Mapping[int, Levels | None]) -> FilmTracks:
        """The same with what the redaction of tracks shows, by their numbers."""
        return replace(self, tracks=[replace(one, levels=levels.get(one.number)) for one in self.tracks])

    def rows_of(self, number: int) -> Rows:
        """Those of a track."""
        of_track: Rows = self.rows[self.rows["track"] == number]
        return of_track

    def only(self, numbers: Collection[int]) -> FilmTracks:
        """The same without the other tracks."""
        return self.with_rows(self.rows[np.isin(self.rows["track"], list(numbers))])

    def with_rows(self, rows: Rows) -> FilmTracks:
        """The same with some of its rows; tracks that have none any more go."""
        left = frozenset(np.unique(rows["track"]).tolist())
        return replace(self, tracks=[track for track in self.tracks if track.number in left], rows=rows)

    def with_track(self, number: int, kind: Kind, added: RowList) -> FilmTracks:
        """The same with more rows of a track, which may be new."""
        rows = added.rows()
        rows["outline"][rows["outline"] >= 0] += len(self.outlines)
        rows["silhouette"][rows["silhouette"] >= 0] += len(self.silhouettes)
        is_new = number not in self._of_number
        return replace(
            self,
            tracks=[*self.tracks, Track(number, kind)] if is_new else self.tracks,
            rows=in_order(np.concatenate([self.rows, rows])),
            outlines=[*self.outlines, *added.outlines],
            silhouettes=[*self.silhouettes, *added.silhouettes],
        )

    def with_silhouettes(self, drawn: Mapping[int, PolygonOutline], rows: npt.NDArray[np.int64]) -> FilmTracks:
        """The same with silhouettes.

        Args:
            drawn: by the index of the row in which each was seen.
            rows: (N,), for each row the index of the one whose silhouette it shares, -1 for none.
        """
        numbers = {row: len(self.silhouettes) + number for number, row in enumerate(drawn)}
        added = [Carried.of(one, Box(*self.rows[row]["hidden"].tolist())) for row, one in drawn.items()]
        known = self.rows.copy()
        shares = rows >= 0
        known["silhouette"][shares] = [numbers[row] for row in rows[shares].tolist()]
        return replace(self, rows=known, silhouettes=[*self.silhouettes, *added])


def match(
    expected: Sequence[tuple[Kind, Box]], found: Sequence[Detection], thresholds: Mapping[Kind, float]
) -> list[int | None]:
    """Which object each detection is of: the best overlaps first, sure detections before all weak ones.

    Args:
        expected: where objects should be now.
        thresholds: scores from which on detections are sure.

    Returns:
        For each detection the index of an object, or None. No two have the same one.
    """
    chosen: list[int | None] = [None] * len(found)
    taken: set[int] = set()
    overlaps = likenesses([one.box for one in found], [box for _, box in expected])
    pairs = np.argwhere(overlaps >= SAME)
    is_sure = np.array([one.score >= thresholds[one.kind] for one in found], bool)
    order = np.lexsort((-overlaps[tuple(pairs.T)], ~is_sure[pairs[:, 0]]))
    for number, index in pairs[order].tolist():
        is_free = chosen[number] is None and index not in taken
        if is_free and expected[index][0] == found[number].kind:
            chosen[number] = index
            taken.add(index)
    return chosen


def likenesses(some: Sequence[Box], others: Sequence[Box]) -> npt.NDArray[np.float64]:
    """(N, M): intersection over union of boxes twice as large, 0 to 1."""
    one, other = _doubled(some)[:, np.newaxis], _doubled(others)
    shared = (np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])).clip(0).prod(axis=2)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=-1) for boxes in (one, other)]
    union = areas[0] + areas[1] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def _doubled(boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    corners = np.array([box.xyxy for box in boxes]).reshape(-1, 4)
    halves = (corners[:, 2:] - corners[:, :2]) / 2
    return np.hstack([corners[:, :2] - halves, corners[:, 2:] + halves])


def bridge(
    first: tuple[int, Box], last: tuple[int, Box], from_first: Mapping[int, Box], from_last: Mapping[int, Box]
) -> dict[int, Box]:
    """What to hide of an object in all frames between two sightings.

    Args:
        first: frame and box of the earlier sighting.
        last: of the later one.
        from_first: where the object is in some of the frames, followed from the first sighting on; there may be none.
        from_last: the same, followed backwards from the last one.

    Returns:
        For each frame the hull of both, or the one that is known; otherwise what lies between the nearest ones known.
    """
    boxes: dict[int, Box] = {}
    known = dict([first, last])
    for frame in range(first[0] + 1, last[0]):
        there = [boxes_of[frame] for boxes_of in (from_first, from_last) if frame in boxes_of]
        if there:
            known[frame] = boxes[frame] = hull(there)
    for frame in range(first[0] + 1, last[0]):
        if frame not in boxes:
            before = max(other for other in known if other < frame)
            after = min(other for other in known if other > frame)
            boxes[frame] = _between(known[before], known[after], (frame - before) / (after - before))
    return boxes


def _between(one: Box, other: Box, share: float) -> Box:
    return Box(*(a + share * (b - a) for a, b in zip(one.xyxy, other.xyxy, strict=True)))


@dataclass
class RowList:
    """Rows of tracks, as they come; small in memory."""

    outlines: list[Outline] = field(default_factory=list)
    silhouettes: list[Carried] = field(default_factory=list)
    _whole: array[int] = field(default_factory=lambda: array("q"))
    """Frame, track, whether a detection there is sure, and the indices of its outline and silhouette, row by row."""
    _parts: array[float] = field(default_factory=lambda: array("d"))
    """Score, box and redaction box."""

    def see(self, track: int, frame: int, detection: Detection, is_sure: bool) -> None:
        """A track in a frame, as a detection says."""
        if detection.outline is not None:
            self.outlines.append(detection.outline)
        outline = -1 if detection.outline is None else len(self.outlines) - 1
        self._whole.extend((frame, track, is_sure, outline, self._silhouette(detection)))
        self._parts.extend((detection.score, *detection.box.xyxy, *detection.redaction_box.xyxy))

    def hide(self, track: int, frame: int, box: Box) -> None:
        """A track in a frame in which nobody saw it."""
        self._whole.extend((frame, track, False, -1, -1))
        self._parts.extend((0.0, *box.xyxy, *box.xyxy))

    def _silhouette(self, detection: Detection) -> int:
        """The index of a detection's silhouette; -1 if it has none."""
        if detection.silhouette is None:
            return -1
        self.silhouettes.append(Carried.of(detection.silhouette, detection.redaction_box))
        return len(self.silhouettes) - 1

    def rows(self) -> Rows:
        """All of them, in the order in which they came."""
        whole = np.frombuffer(self._whole, np.int64).reshape(-1, 5)
        parts = np.frombuffer(self._parts, np.float64).reshape(-1, 9)
        rows = np.zeros(len(whole), _ROW)
        rows["frame"], rows["track"], rows["is_sure"], rows["outline"], rows["silhouette"] = whole.T
        rows["score"], rows["box"], rows["hidden"] = parts[:, 0], parts[:, 1:5], parts[:, 5:]
        return rows


def in_order(rows: Rows) -> Rows:
    """By frame, then by track."""
    return rows[np.lexsort((rows["track"], rows["frame"]))]


@dataclass
class TrackBuilder:
    """Gathers the rows of tracks while a film is read, and closes them at its end."""

    limits: Limits
    _kinds: list[Kind] = field(default_factory=list)
    _levels: dict[int, Levels | None] = field(default_factory=dict)
    _rows: RowList = field(default_factory=RowList)

    def begin(self, kind: Kind) -> int:
        """A new track; returns its number for the other functions."""
        self._kinds.append(kind)
        return len(self._kinds) - 1

    def has_levels(self, track: int) -> bool:
        """Whether it is settled what the redaction of a track shows."""
        return track in self._levels

    def set_levels(self, track: int, levels: Levels | None) -> None:
        """Settles what the redaction of a track shows; None: nothing."""
        self._levels[track] = levels

    def see(self, track: int, frame: int, detection: Detection, is_sure: bool) -> None:
        """A sighting of a track in a frame."""
        self._rows.see(track, frame, detection, is_sure)

    def hide(self, track: int, boxes: Mapping[int, Box]) -> None:
        """Hides a track in frames in which no model saw it."""
        for frame, box in boxes.items():
            self._rows.hide(track, frame, box)

    def finish(self, times: Sequence[float], cuts: Sequence[int] = (), looks: int = 0) -> FilmTracks:
        """Drops what no sure detections confirm, and adds the time of grace at both ends of what is left.

        Args:
            times: of all frames, in seconds.
            cuts: first frames of new scenes, rising; no track goes across one.
            looks: how many frames models looked at.
        """
        rows = self._rows.rows()
        rows = rows[np.lexsort((rows["frame"], rows["track"]))]
        rows = rows[_is_kept(rows, times, self.limits.grace_s)]
        graces = list(_graces(rows, times, cuts, self.limits.grace_s))
        rows = np.concatenate([rows, *graces]) if graces else rows
        rows = in_order(rows)
        old, first = np.unique(rows["track"], return_index=True)
        order = old[np.argsort(first, kind="stable")]
        new = np.zeros(len(self._kinds) + 1, np.int32)
        new[order] = np.arange(1, len(order) + 1)
        rows["track"] = new[rows["track"]]
        rows = in_order(rows)
        tracks = [
            Track(number, self._kinds[number_before], self._levels.get(number_before))
            for number, number_before in enumerate(order.tolist(), start=1)
        ]
        outlines, silhouettes = self._rows.outlines, self._rows.silhouettes
        return FilmTracks(len(times), tracks, rows, tuple(cuts), looks, outlines, silhouettes=silhouettes)


def _is_kept(rows: Rows, times: Sequence[float], grace_s: float) -> npt.NDArray[np.bool_]:
    """(N,): which rows count: all of a confirmed track, of any other those in the time of grace around a sure one.

    Args:
        rows: by track, then by frame.
    """
    kept = np.zeros(len(rows), bool)
    clock = np.asarray(times, np.float64)
    for part in _parts_of_tracks(rows):
        sure = rows["is_sure"][part]
        if _is_confirmed(rows[part]):
            kept[part] = True
        elif sure.any():
            moments = clock[rows["frame"][part]]
            kept[part] = np.abs(moments - moments[sure][0]) <= grace_s + _ROUNDING_S
    return kept


def _is_confirmed(of_track: Rows) -> bool:
    """Whether the detections of a track confirm each other."""
    sure = int(of_track["is_sure"].sum())
    return sure >= SURE_TO_CONFIRM or (sure > 0 and int((of_track["score"] > 0).sum()) >= SEEN_TO_CONFIRM)


def _parts_of_tracks(rows: Rows) -> Iterator[slice]:
    """Where each track lies in rows by track."""
    starts = np.flatnonzero(np.diff(rows["track"], prepend=-1))
    yield from map(slice, starts.tolist(), [*starts[1:].tolist(), len(rows)])


def _graces(rows: Rows, times: Sequence[float], cuts: Sequence[int], grace_s: float) -> Iterator[Rows]:
    """What is hidden beyond both ends of each track: its box there, held still.

    The time counts from the end of what is known of a track; where a single detection is not confirmed, from that one.

    Args:
        rows: by track, then by frame.
    """
    borders = frozenset(cuts)
    for part in _parts_of_tracks(rows):
        of_track = rows[part]
        sure = np.flatnonzero(of_track["is_sure"])
        is_confirmed = _is_confirmed(of_track)
        for end, step in ((of_track[0], -1), (of_track[-1], 1)):
            since = end if is_confirmed else of_track[sure[0]]
            reach = times[since["frame"]] + step * grace_s
            frames = list(frames_up_to(reach, int(end["frame"]), step, times, borders))
            held = np.repeat(end[np.newaxis], len(frames))
            held["frame"], held["score"], held["is_sure"] = frames, 0.0, False
            held["box"], held["outline"], held["silhouette"] = held["hidden"], -1, -1
            yield held


def frames_up_to(reach_s: float, frame: int, step: int, times: Sequence[float], cuts: frozenset[int]) -> Iterator[int]:
    """The frames after one (step 1) or before it (step -1), up to a time or a cut."""
    other = frame + step
    while 0 <= other < len(times) and step * (reach_s - times[other]) >= -_ROUNDING_S:
        if max(other, other - step) in cuts:
            return
        yield other
        other += step
