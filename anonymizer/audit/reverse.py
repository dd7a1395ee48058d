"""Brings faces back: trains a network on redacted faces, and shows what it makes of faces that it never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.faces import Face
from anonymizer.audit.likeness import Likeness, likeness
from anonymizer.audit.pairs import Crops, Pairs, as_they_are, varied
from anonymizer.audit.redactions import Redaction
from anonymizer.audit.training import Training, train
from anonymizer.types import Pixels8

HELD_OUT = 10
"""Each so-manieth person is held out; where there are fewer people, each so-manieth picture."""
SMOOTHINGS = (0.005, 0.01, 0.015, 0.02, 0.03, 0.05)
"""Standard deviations of blurs, as shares of the side, of which the best on the faces to train on is taken."""
COMPARED = 500
"""So many pairs at most are looked at for it."""


@dataclass(frozen=True)
class Reversed:
    """What the network makes of the faces that were held out."""

    training: Training
    trained_on: int
    """Faces."""
    before: Likeness
    """Of the redacted faces to the originals."""
    smoothed: Likeness
    """Of the redacted faces, blurred with the best of `SMOOTHINGS`, such as tiles without edges."""
    after: Likeness
    """Of the guesses."""
    pairs: Pairs
    guesses: npt.NDArray[np.uint8]

    def to_json(self) -> dict[str, object]:
        return {
            **asdict(self.training),
            "faces": self.trained_on,
            "held_out": len(self.pairs),
            "before": self.before.to_json(),
            "smoothed": self.smoothed.to_json(),
            "after": self.after.to_json(),
        }

    def rows(self, number: int) -> list[list[Pixels8]]:
        """Original, redacted, guess and error of so many faces, evenly spread."""
        chosen = np.linspace(0, len(self.pairs) - 1, min(number, len(self.pairs))).round().astype(int)
        return [self._row(int(index)) for index in chosen]

    def _row(self, index: int) -> list[Pixels8]:
        original, guess = self.pairs.originals[index], self.guesses[index]
        error = np.abs(original.astype(np.int16) - guess).clip(0, 255).astype(np.uint8)
        return [original, self.pairs.redacted[index], guess, error]


def reverse(
    faces: Sequence[Face],
    redaction: Redaction,
    folder: Path,
    training: Training,
    copies: int,
    held_out: Sequence[Face] | None = None,
    on_step: Callable[[str], None] = lambda text: None,
) -> Reversed:
    """
    Args:
        folder: for the network and its curve; a training that was ended goes on there.
        copies: pairs for each face, see `varied`.
        held_out: people to test on; by default some of the faces are kept for it.

    Raises:
        SettingsError: the folder holds another training.
    """
    if held_out is None:
        faces, held_out = split(faces)
    on_step(f"redacting {len(faces)} faces, {copies} times each")
    pairs = varied(faces, redaction.redact, training.side_px, copies, training.seed)
    tested = as_they_are(held_out, redaction.redact, training.side_px)
    reversal = train(folder, training, pairs, tested, on_step)
    guesses = reversal(tested.redacted)
    smooth = _blurred(tested.redacted, _best_smoothing(pairs))
    before, smoothed, after = (likeness(part, tested.originals) for part in (tested.redacted, smooth, guesses))
    return Reversed(training, len(faces), before, smoothed, after, tested, guesses)


def split(faces: Sequence[Face]) -> tuple[list[Face], list[Face]]:
    """Faces to train on, and faces of other people to test on."""
    people = sorted({face.person for face in faces})
    if len(people) >= HELD_OUT:
        kept = set(people[::HELD_OUT])
        is_held_out = [face.person in kept for face in faces]
    else:
        is_held_out = [index % HELD_OUT == 0 for index in range(len(faces))]
    marked = list(zip(faces, is_held_out, strict=True))
    return [face for face, held in marked if not held], [face for face, held in marked if held]


def _best_smoothing(pairs: Pairs) -> float:
    some = slice(None, None, max(1, len(pairs) // COMPARED))
    originals = pairs.originals[some].astype(np.int16)
    errors = [np.abs(_blurred(pairs.redacted[some], share) - originals).mean() for share in SMOOTHINGS]
    return SMOOTHINGS[int(np.argmin(errors))]


def _blurred(faces: Crops, share: float) -> Crops:
    blurred = [cv2.GaussianBlur(face, (0, 0), share * face.shape[0]) for face in faces]
    return np.array(blurred, np.uint8).reshape(faces.shape)
