"""What an earlier run recorded of a film, as tracks again: whole ones, of which no frame is uncovered.

A track stays if the best of its scores reaches the threshold of its kind, and if it lies in any frame where zones let
it count. Entries without a track stand still, each in its frames; they stay or go by themselves.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from anonymizer.detect.zones import keep_in_zones
from anonymizer.errors import PictureError
from anonymizer.kinds import GIVEN_KINDS, Kind
from anonymizer.record.detections import check_place, film_from_json
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection, Job, Recorded, Source
from anonymizer.video.frozen import Freezer
from anonymizer.video.survey import Survey
from anonymizer.video.tracks import FilmTracks, RowList, Still, Track, in_order

MAX_TIME_OFF_S = 0.001
"""Times in records are rounded to microseconds."""


@runtime_checkable
class FilmRecords(Protocol):
    """Knows which records may be used, and what of them; `run.replay.RecordedFinder` is one."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is taken from them."""

    @property
    def drops(self) -> DetectSettings:
        """Its thresholds and zones drop more than was dropped when the records were made."""

    @property
    def sure_from(self) -> Mapping[Kind, float]:
        """Scores from which on detections counted by themselves when the records were made; without an entry, all."""

    def record_of(self, job: Job | None) -> Recorded:
        """
        Raises:
            PictureError: there is none.
        """

    def check_source(self, now: Source, recorded: Recorded) -> None:
        """
        Raises:
            PictureError: the record is of another file.
        """

    def check_kinds(self, kinds: Collection[Kind], path: Path) -> None:
        """
        Raises:
            PictureError: a record has a kind that nobody looked for.
        """


@dataclass
class FilmRecord:
    """What a record says of a film."""

    tracks: FilmTracks
    not_counted: int = 0
    """How many sightings were dropped because zones say that nothing counts there."""
    _frames: array[int] = field(default_factory=lambda: array("q"))
    _times: array[float] = field(default_factory=lambda: array("d"))

    def check_times(self, survey: Survey) -> None:
        """
        Raises:
            PictureError: the frames of the film come at other times than the record says.
        """
        for frame, time_s in zip(self._frames, self._times, strict=True):
            if frame >= len(survey.times):
                raise PictureError(f"has {len(survey.times)} frames, and a record that speaks of frame {frame}")
            now_s = survey.facts.seconds(survey.times[frame])
            if abs(now_s - time_s) > MAX_TIME_OFF_S:
                raise PictureError(f"shows frame {frame} at {now_s:.3f} s, its record says at {time_s:.3f} s")


def replay(survey: Survey, recorded: Recorded, records: FilmRecords, redact: RedactSettings) -> FilmRecord:
    """What is to be hidden in each frame of a film by its record. Goes through the film once.

    Args:
        redact: how it will be hidden, see `look.find_tracks`.

    Raises:
        PictureError: the film or the record is damaged, or the record is of another film.
    """
    known = read_record(recorded.path, survey.facts.upright_size, records)
    freezer = Freezer(known.tracks, survey.facts, redact)
    for frame in survey.frames():
        freezer.add(frame)
    known.check_times(survey)
    known.tracks = _of_frames(freezer.finish(), len(survey.times))
    return known


def read_record(path: Path, size: tuple[int, int], records: FilmRecords) -> FilmRecord:
    """The tracks of a record; what their redactions show is not known.

    Args:
        size: width and height of the upright frames.

    Raises:
        PictureError: the record is damaged.
    """
    reader = _Reader((size[1], size[0]), records)
    try:
        with open(path, "rb") as file:
            for frame, time_s, detection in film_from_json(file):
                reader.add(frame, time_s, detection)
    except OSError as error:
        raise PictureError(f"has a record {path.name} that cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise PictureError(f"has a damaged record {path.name}: {error}") from None
    records.check_kinds({*reader.kinds.values(), *reader.still_kinds}, path)
    return reader.finish()


class _Reader:
    """Sorts the entries of a record."""

    def __init__(self, size: tuple[int, int], records: FilmRecords) -> None:
        """
        Args:
            size: height and width of the upright frames.
        """
        self._size = size
        self._records = records
        self._rows = RowList()
        self.kinds: dict[int, Kind] = {}
        """Of the tracks, by number."""
        self.still_kinds: set[Kind] = set()
        self._best: dict[int, float] = {}
        """Scores, by track."""
        self._counted: set[int] = set()
        """Tracks that lie in any frame where zones let them count."""
        self._sightings: dict[int, int] = {}
        self._going: dict[Detection, tuple[int, int]] = {}
        """What stands still, with its first frame and the one after its last."""
        self._stills: list[Still] = []
        self._dropped = 0
        self._entries = 0
        self._frames, self._times = array("q"), array("d")

    def add(self, frame: int, time_s: float | None, detection: Detection) -> None:
        """
        Raises:
            ValueError: the entry cannot be of such a film.
        """
        self._entries += 1
        try:
            check_place(detection, self._size)
            if detection.track is not None:
                self._follow(detection.track, frame, detection)
            else:
                self._keep_still(frame, detection)
        except ValueError as error:
            raise ValueError(f"entry {self._entries}: {error}") from None
        if time_s is not None and (not self._frames or self._frames[-1] != frame):
            self._frames.append(frame)
            self._times.append(time_s)

    def _follow(self, number: int, frame: int, detection: Detection) -> None:
        kind = self.kinds.setdefault(number, detection.kind)
        if kind != detection.kind:
            raise ValueError(f"track {number} is of the kind {kind!r} before and {detection.kind!r} here")
        is_seen = detection.score > 0
        is_sure = is_seen and detection.score >= self._records.sure_from.get(kind, 0.0)
        self._rows.see(number, frame, detection, is_sure)
        self._best[number] = max(detection.score, self._best.get(number, 0.0))
        self._sightings[number] = self._sightings.get(number, 0) + is_seen
        if self._counts_there(detection):
            self._counted.add(number)

    def _keep_still(self, frame: int, detection: Detection) -> None:
        self.still_kinds.add(detection.kind)
        drops, kind = self._records.drops, detection.kind
        if kind not in self._records.kinds or detection.score < (drops.threshold_of(kind) or 0.0):
            return
        if not self._counts_there(detection):
            self._dropped += 1
            return
        first, end = self._going.get(detection, (frame, frame))
        if end < frame:
            self._stills.append(Still(detection, first, end))
            first = frame
        self._going[detection] = first, frame + 1

    def _counts_there(self, detection: Detection) -> bool:
        """Whether zones let it count."""
        if detection.kind in GIVEN_KINDS:
            return True
        return bool(keep_in_zones([detection], self._size, self._records.drops))

    def finish(self) -> FilmRecord:
        drops = self._records.drops
        reaching = {
            number
            for number, kind in self.kinds.items()
            if kind in self._records.kinds and self._best[number] >= (drops.threshold_of(kind) or 0.0)
        }
        outside = reaching - self._counted
        still = [*self._stills, *(Still(one, *frames) for one, frames in self._going.items())]
        tracks = [Track(number, self.kinds[number]) for number in sorted(self.kinds)]
        rows = in_order(self._rows.rows())
        frames = int(rows["frame"].max(initial=-1)) + 1
        outlines, silhouettes = self._rows.outlines, self._rows.silhouettes
        known = FilmTracks(frames, tracks, rows, outlines=outlines, silhouettes=silhouettes)
        dropped = self._dropped + sum(self._sightings[number] for number in outside)
        return FilmRecord(known.only(reaching - outside).with_stills(still), dropped, self._frames, self._times)


def _of_frames(tracks: FilmTracks, frames: int) -> FilmTracks:
    """The same of a film with so many frames."""
    last = max([int(tracks.rows["frame"].max(initial=-1)) + 1, *(still.end for still in tracks.stills)])
    if last > frames:
        raise PictureError(f"has {frames} frames, and a record that speaks of frame {last - 1}")
    return replace(tracks, frames=frames)
