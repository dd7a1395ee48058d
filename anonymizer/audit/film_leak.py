"""What of labelled objects in films still shows in the output of a program: per object, per frame, and per track.

Films are encoded anew, which changes each pixel a little. So not the pixels are compared, but the detail: how much of
the gradients of the original is there in the output, at the same places and in the same directions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.footage import both_films
from anonymizer.audit.labels import Label, label_of
from anonymizer.audit.leak import TOLERANCE, shape_of
from anonymizer.errors import PictureError, SettingsError
from anonymizer.geometry import PixelBox
from anonymizer.kinds import TRAITS, Kind
from anonymizer.types import Pixels8
from anonymizer.video.source import open_film

VISIBLE = 0.25
"""An object is visible from this share of its detail on. Encoding anew leaves 0.7 and more."""
LEAST_DETAIL = 1.0
"""Mean square of the gradient, in levels, below which an object has no detail to be left: there pixels are compared."""
WORST = 20
AROUND = 0.5
"""The worst objects are shown with so much around them, as a share of their size on every side."""
SHOWN_PX = 112

Gradients = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class LabelledFilm:
    """A film of which all objects of some kinds are known in some of its frames."""

    name: str
    """Path below the folder, with slashes."""
    frames: dict[int, Sequence[tuple[str | None, Label]]]
    """Tracks and objects, by frame, from 0 on."""


@dataclass(frozen=True)
class FilmLeak:
    """A labelled object in a frame, and which share of its detail is left."""

    film: str
    frame: int
    track: str | None
    kind: Kind
    height_px: float
    left: float
    box: tuple[float, float, float, float]
    """x_min, y_min, x_max, y_max."""

    @property
    def is_visible(self) -> bool:
        return self.left > VISIBLE


@dataclass(frozen=True)
class TrackLeak:
    """An object through all labelled frames of a film."""

    film: str
    track: str
    kind: Kind
    frames: int
    visible: int
    """In so many of them."""
    longest: int
    """Longest run of labelled frames one after the other in which it is visible."""
    gaps: int
    """How often it is visible after it was hidden."""


@dataclass
class FilmLeaks:
    """Of all films."""

    objects: list[FilmLeak] = field(default_factory=list)
    frames: int = 0
    """Labelled ones that were looked at."""
    missing: list[str] = field(default_factory=list)
    """Films without an output."""
    shown: list[tuple[FilmLeak, Pixels8]] = field(default_factory=list)
    """The worst objects, each beside what was made of it."""

    def add(self, leak: FilmLeak, picture: Callable[[], Pixels8]) -> None:
        """Takes an object; what it looks like is kept of the worst ones alone."""
        self.objects.append(leak)
        if len(self.shown) < WORST or _badness(leak) < _badness(self.shown[-1][0]):
            self.shown = sorted([*self.shown, (leak, picture())], key=lambda pair: _badness(pair[0]))[:WORST]

    def frames_with_visible(self) -> int:
        """In how many frames any object is visible."""
        return len({(one.film, one.frame) for one in self.objects if one.is_visible})

    def tracks(self) -> list[TrackLeak]:
        """Of objects whose track is known; those that are visible longest first."""
        known = [one for one in self.objects if one.track is not None]
        ordered = sorted(known, key=lambda one: (*_track_of(one), one.frame))
        tracks = [_track(*of, list(leaks)) for of, leaks in groupby(ordered, key=_track_of)]
        return sorted(tracks, key=lambda one: (-one.longest, -one.visible, one.film, one.track))

    def to_json(self) -> dict[str, object]:
        return {
            "frames": self.frames,
            "frames_with_visible": self.frames_with_visible(),
            "missing": self.missing,
            "summaries": {kind: asdict(summary) for kind, summary in self.summaries()},
            "tracks": [asdict(track) for track in self.tracks()],
            "worst": [asdict(leak) for leak, _ in self.shown],
        }

    def summaries(self) -> Iterator[tuple[str, FilmSummary]]:
        """Of each kind in each film, and of each kind in all of them."""
        tracks = self.tracks()
        for kind in sorted({one.kind for one in self.objects}):
            films = sorted({one.film for one in self.objects if one.kind == kind})
            for name, chosen in [*((film, [film]) for film in films), ("all", films)]:
                leaks = [one for one in self.objects if one.kind == kind and one.film in chosen]
                of_tracks = [one for one in tracks if one.kind == kind and one.film in chosen]
                yield f"{name}: {kind}", _summary(leaks, of_tracks)


@dataclass(frozen=True)
class FilmSummary:
    """Of several objects in several frames."""

    objects: int
    visible: int
    frames: int
    frames_with_visible: int
    tracks: int
    tracks_ever_visible: int
    longest: int
    """Longest run of labelled frames in which a track is visible."""
    mean_left: float
    largest_left: float


def read_film_labels(folder: Path) -> list[LabelledFilm]:
    """What annotations.json says of films: a list of {"film", "frames": {"0": [{"kind", "track", "x_min", ...}]}}.

    Frames that are not named are not looked at. Pictures in the list, and boxes to ignore, are left out.

    Raises:
        SettingsError: the file is missing or damaged.
    """
    path = folder / "annotations.json"
    try:
        entries = [entry for entry in json.loads(path.read_bytes()) if "film" in entry]
        return [LabelledFilm(str(entry["film"]), dict(_frames(entry["frames"]))) for entry in entries]
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} is damaged: {error!r}") from None


def find_film_leaks(
    originals: Path, output: Path, films: Sequence[LabelledFilm], on_film: Callable[[], None] = lambda: None
) -> FilmLeaks:
    """
    Args:
        output: what a program made of the films, under the same names.

    Raises:
        SettingsError: a film cannot be read, or its output has other frames; or there is no output at all.
    """
    leaks = FilmLeaks()
    for film in films:
        on_film()
        if not (output / film.name).exists():
            leaks.missing.append(film.name)
            continue
        try:
            original = open_film(originals / film.name)
        except PictureError as error:
            raise SettingsError(f"{originals / film.name}: {error}") from None
        for index, (before, after) in enumerate(both_films(original, output / film.name)):
            if index in film.frames:
                leaks.frames += 1
                _compare(leaks, film, index, before, after)
    if len(leaks.missing) == len(films):
        raise SettingsError(f"{output} holds none of the films, such as {films[0].name}")
    return leaks


def detail_left(original: Pixels8, redacted: Pixels8, label: Label) -> float:
    """Which share of the detail of an object is there after redaction, 0..1."""
    part, inside = shape_of(label, (original.shape[0], original.shape[1]))
    before, after = original[part.slices], redacted[part.slices]
    if not inside.any():
        return 0.0
    (x, y), (new_x, new_y) = _gradients(before), _gradients(after)
    energy = float((x**2 + y**2)[inside].sum())
    if energy < LEAST_DETAIL * inside.sum():
        return float((cv2.absdiff(before, after).max(axis=2) <= TOLERANCE)[inside].mean())
    return float(np.clip((x * new_x + y * new_y)[inside].sum() / energy, 0, 1))


def _compare(leaks: FilmLeaks, film: LabelledFilm, index: int, before: Pixels8, after: Pixels8) -> None:
    for track, label in film.frames[index]:
        left = detail_left(before, after, label)
        leak = FilmLeak(film.name, index, track, label.kind, label.box.height, left, label.box.xyxy)
        leaks.add(leak, lambda label=label: _beside(before, after, label))  # type: ignore[misc]


def _beside(before: Pixels8, after: Pixels8, label: Label) -> Pixels8:
    """An object and what was made of it, (SHOWN_PX, 2 * SHOWN_PX, 3)."""
    size = (before.shape[0], before.shape[1])
    part = PixelBox.around(label.box, size, margin=AROUND).inside(size)
    crops = (cv2.resize(pixels[part.slices], (SHOWN_PX, SHOWN_PX)) for pixels in (before, after))
    return np.asarray(np.hstack([*crops]), np.uint8)


def _gradients(pixels: Pixels8) -> Gradients:
    gray = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    x, y = (cv2.Scharr(gray, cv2.CV_32F, *order) / 16 for order in ((1, 0), (0, 1)))
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _track_of(leak: FilmLeak) -> tuple[str, str, Kind]:
    return leak.film, str(leak.track), leak.kind


def _badness(leak: FilmLeak) -> tuple[float, float]:
    return -round(leak.left, 2), -leak.height_px


def _frames(frames: dict[str, list[dict[str, object]]]) -> Iterator[tuple[int, Sequence[tuple[str | None, Label]]]]:
    for number, boxes in frames.items():
        counted = [box for box in boxes if not box.get("ignore") and box["kind"] in TRAITS]
        tracks = (None if box.get("track") is None else str(box["track"]) for box in counted)
        yield int(number), list(zip(tracks, map(label_of, counted), strict=True))


def _track(film: str, track: str, kind: Kind, leaks: Sequence[FilmLeak]) -> TrackLeak:
    runs = [(is_visible, len(list(run))) for is_visible, run in groupby(leaks, key=lambda one: one.is_visible)]
    visible = [length for is_visible, length in runs if is_visible]
    gaps = sum(is_visible for is_visible, _ in runs[1:])
    return TrackLeak(film, track, kind, len(leaks), sum(visible), max(visible, default=0), gaps)


def _summary(leaks: Sequence[FilmLeak], tracks: Sequence[TrackLeak]) -> FilmSummary:
    left = np.array([one.left for one in leaks])
    return FilmSummary(
        objects=len(leaks),
        visible=sum(one.is_visible for one in leaks),
        frames=len({(one.film, one.frame) for one in leaks}),
        frames_with_visible=len({(one.film, one.frame) for one in leaks if one.is_visible}),
        tracks=len(tracks),
        tracks_ever_visible=sum(one.visible > 0 for one in tracks),
        longest=max((one.longest for one in tracks), default=0),
        mean_left=float(left.mean()),
        largest_left=float(left.max()),
    )
