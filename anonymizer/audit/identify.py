"""Who is it? Attackers name the people on redacted pictures: off the shelf, after reversal, and retrained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from anonymizer.audit.crops import cut, surroundings
from anonymizer.audit.faces import Face
from anonymizer.audit.pairs import Crops
from anonymizer.audit.recognisers import FaceVectors
from anonymizer.audit.redactions import Redaction
from anonymizer.audit.retrained import features_of, trained_scores
from anonymizer.audit.scores import Floats, Identification, Truth, judge, nearest
from anonymizer.audit.training import Reversal
from anonymizer.recognise.align import SIDE
from anonymizer.types import Pixels8

SIZES_PX = (48, 96)
"""Faces are told apart by size at these longer sides of their boxes."""


@dataclass(frozen=True)
class Attack:
    """One attacker on one redaction, and what he reaches."""

    redaction: str
    attacker: str
    result: Identification
    by_size: Mapping[str, Identification] = field(default_factory=dict)
    """What he reaches of faces of each size; the galleries hold all."""

    def to_json(self) -> dict[str, object]:
        sizes = {size: result.to_json() for size, result in self.by_size.items()}
        return {"redaction": self.redaction, "attacker": self.attacker, **self.result.to_json(), "by_size": sizes}


class Attackers:
    """All attackers, on one set of faces."""

    def __init__(
        self,
        faces: Sequence[Face],
        recognisers: Sequence[FaceVectors],
        reversals: Mapping[str, Reversal],
        seed: int = 0,
        on_step: Callable[[str], None] = lambda text: None,
    ) -> None:
        """
        Args:
            reversals: networks that bring faces back, by the names of the redactions that they were trained on.
            seed: of all random draws.
            on_step: told what is done next.
        """
        self._faces, self._recognisers, self._reversals = faces, recognisers, reversals
        self._seed, self._on_step = seed, on_step
        people = sorted({face.person for face in faces})
        self._people = len(people)
        self._truth: Truth = np.array([people.index(face.person) for face in faces], np.intp)
        self._clear: dict[str, Floats] = {}
        self._around: dict[str, Floats] = {}

    def attack(self, redaction: Redaction) -> Iterator[Attack]:
        """What every attacker reaches on a redaction."""
        self._on_step(f"{redaction.name}: redacting")
        pictures = [redaction.redact(face) for face in self._faces]
        reversal = self._reversals.get(redaction.name)
        for recogniser in self._recognisers:
            for attacker, scores in self._scores(pictures, reversal, recogniser):
                name = f"{recogniser.name}, {attacker}"
                self._on_step(f"{redaction.name}: {name}")
                yield Attack(redaction.name, name, judge(scores, self._truth, self._seed), self._by_size(scores))

    def _scores(
        self, pictures: Sequence[Pixels8], reversal: Reversal | None, recogniser: FaceVectors
    ) -> Iterator[tuple[str, Floats]]:
        """The attackers, and how much each picture resembles each person in their eyes."""
        clear = self._clear_vectors(recogniser)
        pairs = list(zip(pictures, self._faces, strict=True))
        crops = [cut(picture, face.landmarks) for picture, face in pairs]
        vectors = recogniser.vectors_of(crops)
        yield "clear gallery", self._nearest(vectors, clear)
        yield "redacted gallery", self._nearest(vectors, vectors)
        yield "retrained", self._retrained(crops, vectors)
        heads = [cut(picture, face.landmarks, area="head") for picture, face in pairs]
        yield "retrained on face, hair and neck", self._retrained(heads, recogniser.vectors_of(heads))
        people = [cut(picture, face.landmarks, area="person") for picture, face in pairs]
        yield "retrained on the whole person", self._retrained(people, recogniser.vectors_of(people))
        yield "retrained on the surroundings alone", self._around_scores(recogniser)
        guessed = recogniser.vectors_of([cut(picture, face.guessed_landmarks) for picture, face in pairs])
        yield "landmarks unknown, redacted gallery", self._nearest(guessed, guessed)
        if reversal is not None:
            crops = reversed_faces(reversal, pictures, self._faces)
            vectors = recogniser.vectors_of(crops)
            yield "reversed, clear gallery", self._nearest(vectors, clear)
            yield "reversed, reversed gallery", self._nearest(vectors, vectors)
            yield "reversed, retrained", self._retrained(crops, vectors)

    def _by_size(self, scores: Floats) -> dict[str, Identification]:
        galleries = np.bincount(self._truth, minlength=self._people)
        sizes = np.digitize([face.box.longer_side for face in self._faces], SIZES_PX)
        small, large = SIZES_PX
        names = (f"below {small} px", f"{small} to {large} px", f"{large} px and more")
        return {
            name: judge(scores[sizes == number], self._truth[sizes == number], self._seed, galleries)
            for number, name in enumerate(names)
            if (sizes == number).any()
        }

    def _clear_vectors(self, recogniser: FaceVectors) -> Floats:
        if recogniser.name not in self._clear:
            self._on_step(f"clear gallery: {recogniser.name}")
            crops = [cut(face.pixels, face.landmarks) for face in self._faces]
            self._clear[recogniser.name] = recogniser.vectors_of(crops)
        return self._clear[recogniser.name]

    def _around_scores(self, recogniser: FaceVectors) -> Floats:
        """What the originals tell without their heads, which is the same for all redactions."""
        if recogniser.name not in self._around:
            around = [surroundings(face.pixels, face.landmarks) for face in self._faces]
            self._around[recogniser.name] = self._retrained(around, recogniser.vectors_of(around))
        return self._around[recogniser.name]

    def _nearest(self, probes: Floats, gallery: Floats) -> Floats:
        return nearest(probes, gallery, self._truth, self._people)

    def _retrained(self, crops: Sequence[Pixels8], vectors: Floats) -> Floats:
        return trained_scores(features_of(crops, vectors), self._truth, self._people, self._seed)


def reversed_faces(reversal: Reversal, pictures: Sequence[Pixels8], faces: Sequence[Face]) -> list[Pixels8]:
    """The guesses at the originals of redacted pictures, as recognisers want them."""
    side_px = reversal.training.side_px
    pairs = zip(pictures, faces, strict=True)
    return _enlarged(reversal(np.array([cut(picture, face.landmarks, side_px) for picture, face in pairs], np.uint8)))


def brought_back(reversal: Reversal, crops: Sequence[Pixels8]) -> list[Pixels8]:
    """The same for faces that have been cut out already, uint8 (112, 112, 3)."""
    side_px = reversal.training.side_px
    small = [cv2.resize(one, (side_px, side_px), interpolation=cv2.INTER_AREA) for one in crops]
    return _enlarged(reversal(np.array(small, np.uint8).reshape(-1, side_px, side_px, 3)))


def _enlarged(guesses: Crops) -> list[Pixels8]:
    return [np.asarray(cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8) for one in guesses]
