"""Do many frames of a redacted film tell more than one?

A shaky camera films each picture, the program redacts the film and encodes it, and the attacker reads its frames. He
knows how the camera moved and where eyes, nose and mouth are. He takes one frame; or lays all frames over each other
and takes their mean; or takes the mean of what a recogniser says of several frames; and lets a network bring the face
back, where there is one. Then he compares with clear pictures, with other redacted films, or asks a classifier that he
trained on redacted films of the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from anonymizer.audit.crops import cut
from anonymizer.audit.faces import Face, scaled
from anonymizer.audit.film import shake
from anonymizer.audit.film_files import look_at, read_frames, redact_film, write_frames
from anonymizer.audit.identify import Attack, brought_back
from anonymizer.audit.recognisers import FaceVectors
from anonymizer.audit.redactions import Redaction
from anonymizer.audit.retrained import features_of, trained_scores
from anonymizer.audit.scores import Floats, Truth, judge, nearest
from anonymizer.audit.training import Reversal
from anonymizer.detect.frames import ModelFinder
from anonymizer.types import Pixels8

LEAST_SIDE_PX = 160
"""Smaller pictures are enlarged before they are filmed, to a longer side of so many pixels."""
ASKED = 4
"""Of so many frames the recogniser is asked one by one."""
_NAME = "film.mkv"


@dataclass(frozen=True)
class Sighting:
    """What the attacker cuts out of the redacted film of a face, uint8 (112, 112, 3) each."""

    frames: Sequence[Pixels8]
    """Some frames, the first one first."""
    mean: Pixels8
    """Of all frames."""


class FilmAttackers:
    """All attackers on films, on one set of faces."""

    def __init__(
        self,
        faces: Sequence[Face],
        finder: ModelFinder,
        recogniser: FaceVectors,
        frames: int,
        seed: int = 0,
        on_film: Callable[[], None] = lambda: None,
        filmed: int | None = None,
    ) -> None:
        """
        Args:
            finder: says what is in single frames.
            frames: of each film.
            seed: of the camera and the classifiers.
            on_film: called before each film.
            filmed: so many pictures of each person are filmed, from the first to the last; the others stand in the
                clear gallery alone. By default all are filmed.
        """
        self._faces = [scaled(face, max(1, LEAST_SIDE_PX / max(face.pixels.shape[:2]))) for face in faces]
        self._finder, self._recogniser, self._frames = finder, recogniser, frames
        self._seed, self._on_film = seed, on_film
        people = sorted({face.person for face in faces})
        self._people = len(people)
        self._whose: Truth = np.array([people.index(face.person) for face in faces], np.intp)
        self._filmed = _spread(self._whose, filmed)
        """Which faces are filmed."""
        self._truth: Truth = self._whose[self._filmed]
        self._clear = recogniser.vectors_of([cut(face.pixels, face.landmarks) for face in self._faces])
        self._known: dict[int, dict[bytes, bytes]] = {}
        """What models found in each film before anything was hidden."""

    def attack(self, redaction: Redaction, reversal: Reversal | None = None) -> Iterator[Attack]:
        """What every attacker reaches on a redaction.

        Args:
            reversal: brings faces back, where there is a network for the redaction.

        Raises:
            PictureError: a film cannot be redacted.
        """
        sightings = [self._sighting(number, redaction) for number in self._filmed.tolist()]
        firsts, means = [one.frames[0] for one in sightings], [one.mean for one in sightings]
        added_up = f"{self._frames} frames"
        for what, crops in (("one frame", firsts), (added_up, means)):
            yield from self._judged(redaction, what, crops, self._recogniser.vectors_of(crops))
        one_by_one = zip(*(one.frames for one in sightings), strict=True)
        together = np.mean([self._recogniser.vectors_of(each) for each in one_by_one], axis=0)
        lengths: Floats = np.linalg.norm(together, axis=1, keepdims=True).clip(1e-9)
        yield from self._judged(redaction, f"{len(sightings[0].frames)} frames one by one", means, together / lengths)
        if reversal is not None:
            for what, crops in (("one frame", firsts), (added_up, means)):
                back = brought_back(reversal, crops)
                yield from self._judged(redaction, f"{what}, reversed", back, self._recogniser.vectors_of(back))

    def _judged(self, redaction: Redaction, what: str, crops: Sequence[Pixels8], vectors: Floats) -> Iterator[Attack]:
        """The attackers who see these faces, of which a recogniser says this."""
        clear, redacted = (np.bincount(each, minlength=self._people) for each in (self._whose, self._truth))
        for attacker, galleries, scores in (
            ("clear gallery", clear, nearest(vectors, self._clear, self._whose, self._people, self._filmed)),
            ("redacted gallery", redacted, nearest(vectors, vectors, self._truth, self._people)),
            ("retrained", redacted, trained_scores(features_of(crops, vectors), self._truth, self._people, self._seed)),
        ):
            name = f"{self._recogniser.name}, {what}, {attacker}"
            yield Attack(redaction.name, name, judge(scores, self._truth, self._seed, galleries))

    def _sighting(self, number: int, redaction: Redaction) -> Sighting:
        self._on_film()
        face = self._faces[number]
        film = shake(face, self._frames, self._seed + number)
        with TemporaryDirectory() as folder:
            path = Path(folder) / _NAME
            write_frames(path, film.shown())
            if number not in self._known:
                self._known[number] = look_at(path, self._finder)
            output = redact_film(path, redaction, face, self._finder, self._known[number])
            crops = [cut(film.undone(frame, index), face.landmarks) for index, frame in enumerate(read_frames(output))]
        step = max(1, self._frames // ASKED)
        mean = np.rint(np.mean(crops, axis=0)).astype(np.uint8)
        return Sighting(crops[::step][:ASKED], mean)


def _spread(whose: Truth, each: int | None) -> npt.NDArray[np.intp]:
    """Which pictures are so many of each person, evenly from the first to the last one."""
    numbers = np.arange(len(whose))
    if each is None:
        return numbers
    of_people = [numbers[whose == person] for person in np.unique(whose)]
    chosen = [every[np.unique(np.linspace(0, len(every) - 1, each).round().astype(np.intp))] for every in of_people]
    return np.sort(np.concatenate(chosen))
