"""Tests of anonymizer.video.recorded: records of films become whole tracks again, or the film fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes import FixedDetector, face, plate
from video.film_samples import SquareDetector, write_film

from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import PictureError
from anonymizer.kinds import KINDS, Kind
from anonymizer.outlines import PolygonOutline
from anonymizer.record.detections import film_to_json
from anonymizer.run.replay import RecordedFinder
from anonymizer.settings import DetectSettings, ReadSettings, RedactSettings
from anonymizer.types import Detection, Recorded
from anonymizer.video.finder import frame_finder
from anonymizer.video.look import find_tracks
from anonymizer.video.recorded import FilmRecords, read_record, replay
from anonymizer.video.source import open_film
from anonymizer.video.survey import Survey
from anonymizer.video.tracks import FilmTracks

SIZE = (96, 64)
ZONE = Detection.of(PolygonOutline(((0.0, 40.0), (96.0, 40.0), (96.0, 64.0))), "area")


NO_DROPS = DetectSettings()


def records(drops: DetectSettings = NO_DROPS, kinds: Sequence[Kind] = KINDS) -> RecordedFinder:
    return RecordedFinder(drops, frozenset(kinds), frozenset(KINDS), takes_changed=True, sure_from={"face": 0.5})


@dataclass(frozen=True)
class Writer:
    """Writes records of films of 25 frames a second."""

    folder: Path
    frames: list[list[Detection]] = field(default_factory=list)

    def __call__(self, frames: Mapping[int, Sequence[Detection]]) -> Path:
        path = self.folder / "a.json"
        number = max(frames, default=-1) + 1
        path.write_bytes(b"".join(film_to_json((index / 25, frames.get(index, [])) for index in range(number))))
        return path


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


def tracked(number: int, x: float, score: float = 0.9) -> Detection:
    return replace(face(x, 10, x + 12, 22, score), track=number)


def in_frames(tracks: FilmTracks, frames: int = 6) -> list[list[Detection]]:
    return [replace(tracks, frames=frames).in_frame(index) for index in range(frames)]


def test_a_finder_of_records_is_one_of_films() -> None:
    assert isinstance(records(), FilmRecords)
    assert not isinstance(ModelFinder([FixedDetector()], DetectSettings()), FilmRecords)


def test_all_comes_back_as_it_was_written(write: Writer) -> None:
    extended = replace(tracked(3, 50), extent=face(50, 8, 62, 22).box)
    drawn = replace(Detection.of(PolygonOutline(((1.0, 1.0), (9.0, 1.0), (5.0, 9.0))), "face"), track=5)
    frames = {0: [tracked(1, 5, 0.0), ZONE], 1: [tracked(1, 6), extended, ZONE], 4: [drawn, plate(1, 30, 9, 34)]}
    known = read_record(write(frames), SIZE, records())
    assert in_frames(known.tracks) == [frames.get(index, []) for index in range(6)]
    assert [track.number for track in known.tracks.tracks] == [1, 3, 5]
    assert known.tracks.counts == {"face": 3, "plate": 1, "area": 1}


def test_what_stands_still_again_later_is_hidden_then_too(write: Writer) -> None:
    frames: dict[int, list[Detection]] = {0: [ZONE], 1: [ZONE], 4: [ZONE]}
    known = read_record(write(frames), SIZE, records())
    assert in_frames(known.tracks) == [frames.get(index, []) for index in range(6)]


def test_a_threshold_drops_whole_tracks_and_no_single_frame(write: Writer) -> None:
    weak, good = [tracked(1, 5, score) for score in (0.55, 0.0, 0.6)], [tracked(2, 50, s) for s in (0.3, 0.8, 0.0)]
    path = write({index: list(both) for index, both in enumerate(zip(weak, good, strict=True))})
    known = read_record(path, SIZE, records(DetectSettings(face_threshold=0.7)))
    assert in_frames(known.tracks, 3) == [[one] for one in good]
    assert known.not_counted == 0
    assert len(read_record(path, SIZE, records(DetectSettings(face_threshold=0.6))).tracks.tracks) == 2


def test_zones_drop_tracks_that_never_leave_them(write: Writer) -> None:
    path = write({0: [tracked(1, 5), tracked(2, 30)], 1: [tracked(1, 8, 0.0), tracked(2, 60)], 2: [tracked(1, 6)]})
    left = DetectSettings(exclude_zone="0,0 0.5,0 0.5,1 0,1")
    known = read_record(path, SIZE, records(left))
    assert in_frames(known.tracks, 3) == [[tracked(2, 30)], [tracked(2, 60)], []]
    assert known.not_counted == 2


def test_kinds_that_nobody_asks_for_go(write: Writer) -> None:
    path = write({0: [tracked(1, 5), replace(plate(40, 5, 60, 12), track=2), plate(1, 40, 9, 44), ZONE]})
    known = read_record(path, SIZE, records(kinds=["plate", "area"]))
    assert known.tracks.counts == {"plate": 2, "area": 1}


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ({0: [face(200, 10, 220, 20)]}, "damaged record a.json: entry 1: the box lies outside the 96 x 64 pixels"),
        (
            {0: [tracked(1, 5)], 1: [replace(plate(5, 10, 20, 20), track=1)]},
            "entry 2: track 1 is of the kind 'face' before and 'plate' here",
        ),
    ],
)
def test_entries_that_cannot_be(write: Writer, frames: dict[int, list[Detection]], reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        read_record(write(frames), SIZE, records())


def test_damaged_records_and_kinds_that_were_not_looked_for(write: Writer) -> None:
    path = write({0: [tracked(1, 5)]})
    finder = replace(records(), recorded_kinds=frozenset(["plate"]))
    with pytest.raises(PictureError, match=r"with the kind 'face', which its report does not list"):
        read_record(path, SIZE, finder)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(PictureError, match=r"has a damaged record a\.json: truncated"):
        read_record(path, SIZE, records())
    path.unlink()
    with pytest.raises(PictureError, match=r"cannot be read: No such file"):
        read_record(path, SIZE, records())


@pytest.mark.parametrize("redact", [RedactSettings(), RedactSettings(method="mosaic", cells=3)])
def test_tracks_and_their_brightness_are_those_of_the_run_that_looked(
    write: Writer, tmp_path: Path, redact: RedactSettings
) -> None:
    film = open_film(write_film(tmp_path / "a.mkv", "ffv1", 12), ReadSettings())
    finder = frame_finder(ModelFinder([SquareDetector(), FixedDetector(face(2, 3, 40, 30, 0.6))], DetectSettings()))
    found = find_tracks(film, finder, redact, every=4)
    path = write({index: found.in_frame(index) for index in range(12)})
    again = replay(Survey(film), Recorded(path, None), records(), redact).tracks
    assert again.frames == 12
    for index in range(12):
        assert again.in_frame(index) == found.in_frame(index)
    for one, other in zip(found.tracks, again.tracks, strict=True):
        assert (one.number, one.kind) == (other.number, other.kind)
        assert one.levels is not None
        assert other.levels is not None
        assert one.levels.tolist() == other.levels.tolist()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frames: {**frames, 14: [ZONE]}, "has 12 frames, and a record that speaks of frame 14"),
        (lambda frames: {0: [], 1: frames[0]}, None),
    ],
)
def test_records_of_longer_films_are_refused(
    write: Writer, tmp_path: Path, change: Callable[..., dict[int, list[Detection]]], reason: str | None
) -> None:
    film = open_film(write_film(tmp_path / "a.mkv", "ffv1", 12), ReadSettings())
    path = write(change({0: [tracked(1, 5)]}))
    if reason is None:
        assert replay(Survey(film), Recorded(path, None), records(), RedactSettings()).tracks.frames == 12
        return
    with pytest.raises(PictureError, match=reason):
        replay(Survey(film), Recorded(path, None), records(), RedactSettings())


def test_frames_at_other_times_are_refused(write: Writer, tmp_path: Path) -> None:
    times = [index * 600 for index in range(12)]
    film = open_film(write_film(tmp_path / "a.mkv", "ffv1", 12, times=times), ReadSettings())
    path = write({4: [tracked(1, 5)]})
    with pytest.raises(PictureError, match=r"shows frame 4 at 0\.188 s, its record says at 0\.160 s"):
        replay(Survey(film), Recorded(path, None), records(), RedactSettings())
