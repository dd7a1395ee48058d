"""A reader of plates that was trained on redacted ones, after Hill and others (2016, doi:10.1515/popets-2016-0047).

The attacker draws plates as they may look, redacts them by the program that he attacks, and trains a network to tell
each letter. He knows where the plate is and where its letters stand, so that he has to tell them alone. What he
reaches is measured on other drawn plates, from single pictures and from films whose frames he adds up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.drawn_plates import BORDER_PX, CELL_PX, LENGTH, LETTERS, PLATE_PX, DrawnPlate, draw_plates
from anonymizer.audit.film import ShakyFilm, seen_in, shake
from anonymizer.audit.redactions import Redaction
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.types import Detection, Pixels8
from anonymizer.video.source import to_rgb

TEST_SHARE = 0.2
"""So many plates are read as a share of those for training."""
HEIGHT_PX, ASIDE_PX = 32, 12
"""Height to which plates are scaled, and how much beside its place the network sees of a letter's surroundings."""
LEAST_CONTRAST = 2.0
"""Standard deviation of the brightness of a plate, in levels, up to which it is enlarged to 1."""
BATCH, EPOCHS, RATE = 64, 8, 2e-3

Cells = npt.NDArray[np.float32]
"""(N, 32, width, 1): the letters of plates, one after the other; brightness with mean 0 and variance 1 over a plate."""


@dataclass(frozen=True)
class DrawnReading:
    """What the trained reader makes of plates that it never saw."""

    redaction: str
    seen: str
    """A still, or how many frames of a film."""
    trained_on: int
    """Plates."""
    plates: int
    read: int
    """Plates of which each letter is right."""
    letters: float
    """Share of the letters that are right."""
    chance: float
    """Of one letter, without any knowledge."""
    chance_error: float
    """Standard error of that for so many letters."""

    @property
    def is_by_chance(self) -> bool:
        """Whether no plate is read, and letters are right in at most two standard errors above chance."""
        return self.read == 0 and self.letters <= self.chance + 2 * self.chance_error

    def to_json(self) -> dict[str, object]:
        return asdict(self)


class KnownPlate:
    """Says where a plate is in the frames of a film that a shaky camera took."""

    thresholds: dict[Kind, float]

    def __init__(self, film: ShakyFilm) -> None:
        (found,) = film.face.found
        self.thresholds = {"plate": 0.3}
        self._places: dict[bytes, Detection] = {}
        for frame, matrix in zip(film.frames(), film.matrices, strict=True):
            key = to_rgb(frame.picture, film.facts.orientation).tobytes()
            self._places[key] = replace(found, box=_moved(found.box, matrix))

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        return [self._places[pixels.tobytes()]]


def attack_drawn_plates(
    redaction: Redaction, number: int, frames: int, seed: int = 0, on_step: Callable[[str], None] = lambda text: None
) -> Iterator[DrawnReading]:
    """Trains a reader on redacted stills, and one on films whose frames are added up.

    Args:
        number: of plates to train on.
        frames: of each film; less than 2: no films.
        seed: of the plates, the films and the training.
    """
    tested = max(1, round(TEST_SHARE * number))
    for seen, look in (("still", _still), (f"{frames} frames", _film_of(frames))):
        if look is _still or frames >= 2:
            on_step(f"{redaction.name}: drawing and redacting {number + tested} plates, {seen}")
            plates = list(draw_plates(number + tested, seed))
            cells = np.concatenate([_cells(plate.cut_out(look(plate, redaction))) for plate in plates])
            texts = np.array([LETTERS.index(letter) for plate in plates for letter in plate.text], np.intp)
            on_step(f"{redaction.name}: training on {seen}")
            yield _reading(redaction.name, seen, cells, texts, number, seed)


def train_reader(cells: Cells, letters: npt.NDArray[np.intp], seed: int) -> Any:
    """A network that says which letter stands in a cell: (N, 32, width, 1) to (N, 33)."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    network = keras.Sequential([layers.Input(cells.shape[1:])])
    for width in (16, 32, 64):
        network.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.Activation("relu"))
        network.add(layers.MaxPooling2D())
    network.add(layers.Flatten())
    network.add(layers.Dropout(0.3))
    network.add(layers.Dense(len(LETTERS), activation="softmax"))
    steps = EPOCHS * -(-len(cells) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    network.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    network.fit(cells, letters, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return network


def _reading(name: str, seen: str, cells: Cells, letters: npt.NDArray[np.intp], number: int, seed: int) -> DrawnReading:
    known = number * LENGTH
    network = train_reader(cells[:known], letters[:known], seed)
    is_right = network.predict(cells[known:], batch_size=256, verbose=0).argmax(axis=1) == letters[known:]
    chance = 1 / len(LETTERS)
    return DrawnReading(
        redaction=name,
        seen=seen,
        trained_on=number,
        plates=len(is_right) // LENGTH,
        read=int(is_right.reshape(-1, LENGTH).all(axis=1).sum()),
        letters=float(is_right.mean()),
        chance=chance,
        chance_error=float(np.sqrt(chance * (1 - chance) / len(is_right))),
    )


def _still(plate: DrawnPlate, redaction: Redaction) -> Pixels8:
    return redaction.redact(plate.scene)


def _film_of(frames: int) -> Callable[[DrawnPlate, Redaction], Pixels8]:
    def look(plate: DrawnPlate, redaction: Redaction) -> Pixels8:
        film = shake(plate.scene, frames, seed=sum(map(ord, plate.text)))
        _, added_up = seen_in(film, redaction, KnownPlate(film))
        return added_up

    return look


def _cells(plate: Pixels8) -> Cells:
    """The letters of a plate as it was drawn, with what lies beside them, (7, 32, width, 1)."""
    factor = HEIGHT_PX / PLATE_PX[1]
    gray = cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gray = (gray - gray.mean()) / max(float(gray.std()), LEAST_CONTRAST)
    scaled = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    wider = cv2.copyMakeBorder(scaled, 0, 0, ASIDE_PX, ASIDE_PX, cv2.BORDER_REPLICATE)
    width = round(CELL_PX[0] * factor) + 2 * ASIDE_PX
    lefts = [round((BORDER_PX + index * CELL_PX[0]) * factor) for index in range(LENGTH)]
    cells = np.array([wider[:, left : left + width] for left in lefts])
    return np.asarray(cells[..., np.newaxis], np.float32)


def _moved(box: Box, matrix: npt.NDArray[np.float64]) -> Box:
    """Where a camera that zooms and shifts sees a box."""
    (x_min, y_min), (x_max, y_max) = (
        (matrix @ [x, y, 1]).tolist() for x, y in ((box.x_min, box.y_min), (box.x_max, box.y_max))
    )
    return Box(x_min, y_min, x_max, y_max)
