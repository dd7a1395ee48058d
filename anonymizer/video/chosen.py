"""What stays visible in a film, such as the faces of people in a gallery: each track as a whole, or not at all.

A track is looked at in frames that are spread over all of its time. What is in doubt is hidden: what is small, turned
away or blurred in most of them, what is seen clearly in few, what two frames disagree on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.recognise.choice import ShownTrack
from anonymizer.settings import RedactSettings
from anonymizer.types import Pixels8
from anonymizer.video.edited import EditedFilm, freeze_again, shown_track
from anonymizer.video.look import Film
from anonymizer.video.source import to_rgb
from anonymizer.video.tracks import FilmTracks, Rows
from anonymizer.video.view import view_of

LOOKS_APART_S = 0.5
"""Of so much time of a track one frame is looked at, that in which the object is largest."""


class Reader(Protocol):
    """Reads what is in a box; `recognise.resemblance.FaceReader` is one, of faces."""

    def read(self, rgb: Pixels8, box: Box) -> Any: ...


class TrackChoice(Protocol):
    """Says which tracks stay visible; `recognise.choice.GalleryChoice` is one."""

    @property
    def kind(self) -> Kind:
        """The kind that it decides on."""

    @property
    def by(self) -> str:
        """Who decides, for the report."""

    @property
    def reader(self) -> Reader: ...

    def judge_track(self, looks: Sequence[Any]) -> ShownTrack | None:
        """
        Args:
            looks: what the reader says of the track in some frames.
        """


def choose_tracks(
    film: Film, times_s: Sequence[float], tracks: FilmTracks, choice: TrackChoice, redact: RedactSettings
) -> EditedFilm:
    """What remains to be hidden, and what the report says of each track that stays visible. Reads the film again.

    Args:
        times_s: of all frames.
        redact: how it will be hidden, see `look.find_tracks`.

    Raises:
        PictureError: the film is damaged.
    """
    numbers = [track.number for track in tracks.tracks if track.kind == choice.kind]
    looks = _look(film, tracks, times_s, numbers, choice.reader) if numbers else {}
    judged = {number: choice.judge_track(of_track) for number, of_track in looks.items()}
    shown = _one_at_a_time(tracks, {number: one for number, one in judged.items() if one is not None})
    if not shown:
        return EditedFilm(tracks)
    done = [
        {
            "remove": {"track": number},
            "kind": choice.kind,
            "reason": one.why,
            "by": choice.by,
            "track": number,
            "found": shown_track(tracks, tracks.rows_of(number)),
        }
        for number, one in sorted(shown.items())
    ]
    left = tracks.only([track.number for track in tracks.tracks if track.number not in shown])
    return EditedFilm(freeze_again(film, left, redact), done)


def _look(
    film: Film, tracks: FilmTracks, times_s: Sequence[float], numbers: Sequence[int], reader: Reader
) -> dict[int, list[Any]]:
    """What can be said of each of some tracks, frame by frame."""
    planned: dict[int, list[tuple[int, Box]]] = defaultdict(list)
    for number in numbers:
        for frame, box in _largest(tracks.rows_of(number), times_s):
            planned[frame].append((number, box))
    found: dict[int, list[Any]] = defaultdict(list)
    view = view_of(film.facts)
    for shown in film.frames():
        if shown.index in planned:
            rgb = view.show(to_rgb(shown.picture, film.facts.orientation))
            for number, box in planned[shown.index]:
                found[number].append(reader.read(rgb, view.place(box)))
    return found


def _largest(rows: Rows, times_s: Sequence[float]) -> list[tuple[int, Box]]:
    """For each span of time the frame in which an object was seen largest, and where."""
    best: dict[int, tuple[float, int, Box]] = {}
    for row in rows[rows["is_sure"]]:
        frame, box = int(row["frame"]), Box(*row["box"].tolist())
        span = int(times_s[frame] // LOOKS_APART_S)
        best[span] = max(best.get(span, (0.0, frame, box)), (box.longer_side, frame, box), key=lambda each: each[0])
    return [(frame, box) for _, frame, box in best.values()]


def _one_at_a_time(tracks: FilmTracks, shown: Mapping[int, ShownTrack]) -> dict[int, ShownTrack]:
    """Of tracks of the same person that share a frame, the one alone that resembles that person most."""
    kept: dict[int, ShownTrack] = {}
    for number, one in sorted(shown.items(), key=lambda pair: -pair[1].cosine):
        frames = tracks.rows_of(number)["frame"]
        rivals = [other for other, known in kept.items() if one.name is not None and known.name == one.name]
        if not any(np.isin(frames, tracks.rows_of(rival)["frame"]).any() for rival in rivals):
            kept[number] = one
    return kept
