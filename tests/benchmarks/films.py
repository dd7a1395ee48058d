"""How well films are covered, and at what cost: tracks beside single frames.

    python -m tests.benchmarks.films FILM... --preset fast --every 1 --every 5 --every 8

Each FILM that has a NAME.json beside it, see `film_maker`, is judged by it:
    hidden    share of the objects in all frames that are hidden: 90 % of the box lies in one that is widened as for
              redaction
    full      share of the objects that are hidden in every frame
    gaps      how often an object that was hidden is visible, before it is hidden again; and in how many frames
    nothing   boxes on nothing, and all boxes
and all by
    tracks    their number, the gaps in them (always 0), and how many of them lie in one look alone
    looks     frames that models looked at
    ms        CPU time per frame in models, and besides: decoding, optical flow, linking

A model is asked once about a frame; other rows read the answer from memory.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anonymizer.detect.frames import load_finder
from anonymizer.kinds import TRAITS, Kind
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.finder import FrameFinder, frame_finder
from anonymizer.video.look import find_tracks
from anonymizer.video.source import Film, open_film, to_rgb
from anonymizer.video.tracks import FilmTracks, Limits

from .metrics import COVERED_SHARE, Boxes, areas, shared

ON_NOTHING = 0.3
"""A box that holds less than this share of each object is on nothing."""

Cover = Callable[[int], Sequence[Detection]]
"""What is hidden in a frame."""


class _Remembered:
    """Asks a finder once about each frame, and measures how long that takes."""

    def __init__(self, finder: FrameFinder) -> None:
        self._finder = finder
        self._answers: dict[bytes, tuple[Sequence[Detection], float]] = {}
        self.spent_s = 0.0
        """CPU time of the answers that were asked for, also of those from memory."""
        self.waited_s = 0.0
        """Of the answers that were not in memory."""
        self.not_counted = 0

    @property
    def thresholds(self) -> dict[Kind, float]:
        return dict(self._finder.thresholds)

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        key = pixels.tobytes()[::97]
        if key not in self._answers:
            start = time.process_time()
            found = self._finder.find(pixels)
            taken_s = time.process_time() - start
            self._answers[key] = found, taken_s
            self.waited_s += taken_s
        found, taken_s = self._answers[key]
        self.spent_s += taken_s
        return found


def main() -> None:
    options = _parse()
    cv2.setNumThreads(1)
    print("| film | row | hidden | full | gaps | nothing | tracks, gaps, single | looks | ms models + besides |")
    print("| --- " * 9 + "|")
    for path in options.films:
        settings = DetectSettings(kinds=options.kinds, preset=options.preset)
        finder = _Remembered(frame_finder(load_finder(settings)))
        film = open_film(path)
        truth_path = path.with_suffix(".json")
        truth = json.loads(truth_path.read_text())["boxes"] if truth_path.exists() else None
        for every in options.every or [1, 3, 5, 8]:
            limits = Limits(options.gap, options.grace)
            _print_tracks(f"every {every}", path, film, finder, truth, limits, every)
        if options.single:
            _print_single(path, film, finder, truth)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--kinds", default=None)
    parser.add_argument("--every", action="append", type=int, help="a row that looks at every so many-th frame")
    parser.add_argument("--gap", type=float, default=Limits().gap_s)
    parser.add_argument("--grace", type=float, default=Limits().grace_s)
    parser.add_argument("--single", action="store_true", help="also a row with each frame by itself")
    return parser.parse_args()


def _print_tracks(
    row: str, path: Path, film: Film, finder: _Remembered, truth: Any, limits: Limits, every: int
) -> None:
    finder.spent_s = finder.waited_s = 0.0
    start = time.process_time()
    tracks = find_tracks(film, finder, RedactSettings(), limits, every)
    besides_s = time.process_time() - start - finder.waited_s
    judged = ["-"] * 4 if truth is None else _judge(truth, tracks.in_frame)
    per_frame = [f"{1000 * seconds / tracks.frames:.1f}" for seconds in (finder.spent_s, besides_s)]
    cells = [*judged, _tracks_in(tracks), f"{tracks.looks} of {tracks.frames}", " + ".join(per_frame)]
    print("| " + " | ".join([path.name, row, *cells]) + " |", flush=True)


def _tracks_in(tracks: FilmTracks) -> str:
    gaps = single = 0
    for track in tracks.tracks:
        of_track = tracks.rows[tracks.rows["track"] == track.number]
        gaps += int((np.diff(np.sort(of_track["frame"])) > 1).sum())
        single += int((of_track["score"] > 0).sum() == 1)
    return f"{len(tracks.tracks)}, {gaps}, {single}"


def _print_single(path: Path, film: Film, finder: _Remembered, truth: Any) -> None:
    finder.spent_s, found = 0.0, []
    for frame in film.frames():
        in_frame = finder.find(to_rgb(frame.picture, film.facts.orientation))
        found.append([one for one in in_frame if one.score >= finder.thresholds[one.kind]])
    judged = ["-"] * 4 if truth is None else _judge(truth, lambda index: found[index])
    cells = [*judged, "-", str(len(found)), f"{1000 * finder.spent_s / len(found):.1f}"]
    print("| " + " | ".join([path.name, "single frames", *cells]) + " |", flush=True)


def _judge(truth: Sequence[Sequence[Sequence[Any]]], cover: Cover) -> list[str]:
    is_hidden: dict[int, list[bool]] = {}
    nothing = boxes = 0
    for index, objects in enumerate(truth):
        hidden = _widened(cover(index))
        inside = _shares(np.array([one[3:] for one in objects], np.float64).reshape(-1, 4), hidden)
        for (number, _, is_ignored, *_), shares in zip(objects, inside, strict=True):
            if not is_ignored:
                is_hidden.setdefault(number, []).append(bool(shares.max(initial=0) >= COVERED_SHARE))
        boxes += len(hidden)
        nothing += int((inside.max(axis=0, initial=0) < ON_NOTHING).sum())
    frames = [hidden for of_object in is_hidden.values() for hidden in of_object]
    gaps = [length for of_object in is_hidden.values() for length in _gaps(of_object)]
    return [
        f"{np.mean(frames):.3f} of {len(frames)}",
        f"{np.mean([all(of_object) for of_object in is_hidden.values()]):.3f} of {len(is_hidden)}",
        f"{len(gaps)} / {sum(gaps)}",
        f"{nothing} of {boxes}",
    ]


def _widened(found: Sequence[Detection]) -> Boxes:
    corners = np.array([one.redaction_box.xyxy for one in found], np.float64).reshape(-1, 4)
    margins = np.array([TRAITS[one.kind].margin for one in found]).reshape(-1, 1)
    by = margins * (corners[:, 2:] - corners[:, :2])
    return np.hstack([corners[:, :2] - by, corners[:, 2:] + by])


def _shares(objects: Boxes, hidden: Boxes) -> Boxes:
    """(N, M): the share of each object that lies in each box."""
    return np.asarray(shared(objects, hidden) / np.maximum(areas(objects), 1e-9)[:, np.newaxis])


def _gaps(is_hidden: Sequence[bool]) -> list[int]:
    """Lengths of the stretches in which an object is visible that was hidden before and is hidden after."""
    hidden = np.flatnonzero(is_hidden)
    return [int(step) - 1 for step in np.diff(hidden) if step > 1]


if __name__ == "__main__":
    main()
