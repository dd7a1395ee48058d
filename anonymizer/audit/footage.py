"""Do many frames of a real film, laid over each other, tell more than one?

People move by themselves here. The attacker knows where eyes, nose and mouth are in each frame of the original, lays
the frames of a stretch over each other by them, takes the mean, lets a network bring the face back where there is one,
and asks a recogniser. He compares with all other stretches, and with pictures of other people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymizer.audit.crops import cut
from anonymizer.audit.faces import Face
from anonymizer.audit.film import EVERY, redacted_frames, tracks_for
from anonymizer.audit.identify import Attack, brought_back
from anonymizer.audit.recognisers import FaceVectors
from anonymizer.audit.redactions import FromFolder, Redaction
from anonymizer.audit.scores import Floats, Truth, judge
from anonymizer.audit.training import Reversal
from anonymizer.errors import PictureError, SettingsError
from anonymizer.geometry import Box
from anonymizer.recognise.align import Landmarks
from anonymizer.recognise.landmarks import LandmarkFinder
from anonymizer.settings import RedactSettings
from anonymizer.types import Pixels8
from anonymizer.video.look import Finder, find_tracks
from anonymizer.video.source import Film, FilmFrame, open_film, to_rgb
from anonymizer.video.tracks import FilmTracks

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v", ".ts")
LATE_S = 0.1
"""By so much the frames of an output may come at other times."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Footage:
    """A film of one person."""

    name: str
    """Path below the folder, with slashes."""
    person: str
    film: Film
    places: Sequence[tuple[int, Box, Landmarks]]
    """Frame, box and landmarks of the face, in rising order, where landmarks are found in the original."""


@dataclass(frozen=True)
class Stretch:
    """Some frames of a film that follow each other, cut out by the landmarks."""

    person: str
    frames: int
    clear: Pixels8
    """The first frame before redaction, uint8 (112, 112, 3)."""
    first: Pixels8
    """The first frame."""
    mean: Pixels8
    """Of all frames."""


@dataclass
class _Growing:
    """A stretch that is still being read."""

    clear: Pixels8
    first: Pixels8
    total: npt.NDArray[np.float64]
    count: int = 0


def read_footage(
    folder: Path, finder: Finder, landmarks: LandmarkFinder, on_film: Tell = lambda name: None
) -> list[Footage]:
    """
    Args:
        folder: holds one folder of films for each person.
        on_film: told the name of each film before it is read.

    Raises:
        SettingsError: the folder holds no film of a person.
        PictureError: a film cannot be read.
    """
    paths = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
    footage = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        on_film(name)
        film = open_film(path)
        places = list(_places(film, find_tracks(film, finder, RedactSettings(), every=EVERY), landmarks))
        if places:
            footage.append(Footage(name, path.parent.name, film, places))
    if not footage:
        raise SettingsError(f"{folder} holds no folder with a film in which a face is found")
    return footage


def attack_footage(
    footage: Sequence[Footage],
    others: Sequence[Face],
    redaction: Redaction,
    finder: Finder,
    recogniser: FaceVectors,
    frames: int,
    reversal: Reversal | None = None,
    seed: int = 0,
) -> Iterator[Attack]:
    """What one frame tells, and what all frames of a stretch added up tell.

    Args:
        others: pictures of other people to choose from.
        frames: of each stretch.
        reversal: brings faces back after the frames were added up, where there is one for the redaction.

    Raises:
        PictureError: a film cannot be read.
        SettingsError: the output of another program lacks a film, or frames of it.
    """
    stretches = [one for film in footage for one in stretches_of(film, redaction, finder, frames)]
    if not stretches:
        raise SettingsError(f"no film shows {frames} frames of a face")
    people = sorted({*(one.person for one in stretches), *(face.person for face in others)})
    truth: Truth = np.array([people.index(one.person) for one in stretches], np.intp)
    of_others: Truth = np.array([people.index(face.person) for face in others], np.intp)
    clear_others = [cut(face.pixels, face.landmarks) for face in others]
    clear = recogniser.vectors_of([*(one.clear for one in stretches), *clear_others])
    hidden_others = _hidden(others, redaction)

    def judged(probes: Sequence[Pixels8], hidden: Sequence[Pixels8], what: str) -> Iterator[Attack]:
        vectors = recogniser.vectors_of(probes)
        known = np.vstack([vectors, recogniser.vectors_of(hidden)]) if hidden else vectors
        for gallery, compared in (("clear", clear), ("redacted", known)):
            whose = np.concatenate([truth, of_others[: len(compared) - len(truth)]])
            scores = _nearest(vectors, compared, whose, len(people))
            sizes = np.bincount(whose, minlength=len(people))
            name = f"{recogniser.name}, {what}, {gallery} gallery"
            yield Attack(redaction.name, name, judge(scores, truth, seed, sizes))

    for what, probes in (
        ("one frame", [one.first for one in stretches]),
        (f"{frames} frames", [one.mean for one in stretches]),
    ):
        yield from judged(probes, hidden_others, what)
        if reversal is not None:
            back, back_others = (brought_back(reversal, part) for part in (probes, hidden_others))
            yield from judged(back, back_others, f"{what}, reversed")


def stretches_of(footage: Footage, redaction: Redaction, finder: Finder, frames: int) -> Iterator[Stretch]:
    """What the attacker makes of each so many frames of a film; what is left at the end is left out."""
    known = {index: landmarks for index, _, landmarks in footage.places}
    growing: _Growing | None = None
    for index, (before, after) in enumerate(_both(footage, redaction, finder)):
        if index not in known:
            continue
        clear, seen = (cut(pixels, known[index]) for pixels in (before, after))
        if growing is None:
            growing = _Growing(clear, seen, np.zeros(seen.shape))
        growing.total += seen
        growing.count += 1
        if growing.count == frames:
            mean = np.rint(growing.total / frames).astype(np.uint8)
            yield Stretch(footage.person, frames, growing.clear, growing.first, mean)
            growing = None


def _both(footage: Footage, redaction: Redaction, finder: Finder) -> Iterator[tuple[Pixels8, Pixels8]]:
    """The frames before and after redaction."""
    if isinstance(redaction.redact, FromFolder):
        yield from both_films(footage.film, redaction.redact.folder / footage.name)
        return
    _, box, landmarks = footage.places[0]
    shown = Face(footage.name, footage.person, np.zeros((1, 1, 3), np.uint8), [], box, landmarks)
    tracks = tracks_for(footage.film, redaction, finder)
    yield from redacted_frames(footage.film.frames(), footage.film.facts, tracks, redaction, shown)


def both_films(original: Film, output: Path) -> Iterator[tuple[Pixels8, Pixels8]]:
    """The frames of a film, upright, each beside the frame of another program's output that is shown at the same time.

    Programs that write frames at an even rate leave some out, or show some twice.

    Raises:
        SettingsError: the output is missing, has another size, or shows nothing at some time.
    """
    try:
        redacted = open_film(output)
        for before, after in _at_same_times(original, redacted):
            if after is None:
                raise SettingsError(f"{output} shows nothing at the time of frame {before.index} of the original")
            pair = (
                to_rgb(before.picture, original.facts.orientation),
                to_rgb(after.picture, redacted.facts.orientation),
            )
            if pair[0].shape != pair[1].shape:
                raise SettingsError(f"{output} has another size than the original")
            yield pair
    except PictureError as error:
        raise SettingsError(f"{output}: {error}") from None


def _at_same_times(original: Film, redacted: Film) -> Iterator[tuple[FilmFrame, FilmFrame | None]]:
    """Each frame with the one that is nearest in time since the first frame; None if that is too far away."""
    others = redacted.frames()
    chosen, following = next(others, None), next(others, None)
    begin_s = other_begin_s = 0.0
    for frame in original.frames():
        if frame.index == 0:
            begin_s = original.facts.seconds(frame.time)
            other_begin_s = 0.0 if chosen is None else redacted.facts.seconds(chosen.time)
        time_s = original.facts.seconds(frame.time) - begin_s + other_begin_s

        def away_s(other: FilmFrame | None, time_s: float = time_s) -> float:
            return inf if other is None else abs(redacted.facts.seconds(other.time) - time_s)

        while away_s(following) <= away_s(chosen):
            chosen, following = following, next(others, None)
        yield frame, chosen if away_s(chosen) <= LATE_S else None


def _places(film: Film, tracks: FilmTracks, landmarks: LandmarkFinder) -> Iterator[tuple[int, Box, Landmarks]]:
    """Where the largest face of a film is."""
    areas: dict[int, float] = {}
    for index in range(tracks.frames):
        for one in tracks.seen_in(index):
            if one.kind == "face" and one.track is not None:
                areas[one.track] = areas.get(one.track, 0.0) + one.box.area
    if not areas:
        return
    largest = max(areas, key=lambda number: areas[number])
    for frame in film.frames():
        box = next((one.box for one in tracks.seen_in(frame.index) if one.track == largest), None)
        if box is None:
            continue
        marked = landmarks.find(to_rgb(frame.picture, film.facts.orientation), box)
        if marked is not None:
            yield frame.index, box, marked.landmarks


def _hidden(others: Sequence[Face], redaction: Redaction) -> list[Pixels8]:
    """The pictures of other people, redacted in the same way; none where another program made the films."""
    if isinstance(redaction.redact, FromFolder):
        return []
    return [cut(redaction.redact(face), face.landmarks) for face in others]


def _nearest(probes: Floats, gallery: Floats, whose: Truth, people: int) -> Floats:
    """How much each stretch resembles what is most similar of each person, other than itself, (N, people)."""
    similarity = probes @ gallery.T
    similarity[np.arange(len(probes)), np.arange(len(probes))] = -np.inf
    scores = np.full((len(probes), people), -np.inf)
    for person in np.unique(whose).tolist():
        scores[:, person] = similarity[:, whose == person].max(axis=1)
    return scores
