"""Silhouettes of the objects in a film: drawn where models saw an object, and carried along to the frames around."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.outlines import PolygonOutline, moved_polygon
from anonymizer.types import Detection, Pixels8
from anonymizer.video.look import Film
from anonymizer.video.source import to_rgb
from anonymizer.video.tracks import FilmTracks, Rows
from anonymizer.video.view import View, view_of


class Drawer(Protocol):
    """Draws silhouettes; `detect.silhouettes.Silhouettes` does."""

    def lacks(self, one: Detection) -> bool: ...

    def drawn(self, one: Detection, shown: Pixels8) -> Detection: ...


def draw_silhouettes(film: Film, tracks: FilmTracks, drawer: Drawer) -> FilmTracks:
    """The tracks with the silhouettes of objects that are hidden by them. Reads the film again, if there are such.

    Raises:
        PictureError: the film is damaged, or the network gave no usable answer.
    """
    planned = _planned(tracks, drawer)
    if not planned:
        return tracks
    view, drawn = view_of(film.facts), dict[int, PolygonOutline]()
    for frame in film.frames():
        if frame.index in planned:
            shown = view.show(to_rgb(frame.picture, film.facts.orientation))
            for row in planned[frame.index]:
                silhouette = _drawn(tracks.detection(tracks.rows[row]), shown, view, drawer)
                if silhouette is not None:
                    drawn[row] = silhouette
    return tracks.with_silhouettes(drawn, _nearest(tracks.rows, drawn)) if drawn else tracks


def _planned(tracks: FilmTracks, drawer: Drawer) -> dict[int, list[int]]:
    """By frame, the rows in which models were sure of an object whose silhouette is to be drawn."""
    planned: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(tracks.rows["is_sure"]).tolist():
        if drawer.lacks(tracks.detection(tracks.rows[row])):
            planned[int(tracks.rows["frame"][row])].append(row)
    return planned


def _drawn(one: Detection, shown: Pixels8, view: View, drawer: Drawer) -> PolygonOutline | None:
    """In pixels of the frame, of which detectors may see another view."""
    place = Detection(view.place(one.redaction_box), one.score, one.kind)
    silhouette = drawer.drawn(place, shown).silhouette
    return None if silhouette is None else moved_polygon(silhouette, place.box, one.redaction_box)


def _nearest(rows: Rows, drawn: dict[int, PolygonOutline]) -> npt.NDArray[np.int64]:
    """(N,): for each row without a shape, the row of its track, nearest in time, whose silhouette it shares; or -1."""
    shared = np.full(len(rows), -1, np.int64)
    sources = np.array(sorted(drawn), np.int64)
    is_free = (rows["outline"] < 0) & (rows["silhouette"] < 0)
    for track in np.unique(rows["track"][sources]).tolist():
        of_track = np.flatnonzero((rows["track"] == track) & is_free)
        known = sources[rows["track"][sources] == track]
        frames = rows["frame"][known].astype(np.int64)
        after = np.searchsorted(frames, rows["frame"][of_track]).clip(0, len(frames) - 1)
        before = (after - 1).clip(0)
        apart = np.abs(frames[[before, after]] - rows["frame"][of_track])
        shared[of_track] = known[np.where(apart[0] < apart[1], before, after)]
    return shared
