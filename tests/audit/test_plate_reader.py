import numpy as np
import pytest

from anonymizer.audit import plate_reader
from anonymizer.audit.drawn_plates import LETTERS, draw_plate
from anonymizer.audit.film import shake
from anonymizer.audit.plate_reader import DrawnReading, KnownPlate, attack_drawn_plates, train_reader
from anonymizer.audit.redactions import redaction
from anonymizer.video.source import to_rgb


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_a_few_steps_of_training_run_on_stills_and_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plate_reader, "EPOCHS", 1)
    still, film = attack_drawn_plates(redaction("default"), 10, frames=2)
    assert (still.seen, film.seen) == ("still", "2 frames")
    assert (still.plates, still.trained_on, still.read) == (2, 10, 0)
    assert still.chance == pytest.approx(1 / len(LETTERS))
    assert film.to_json()["redaction"] == "default"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_letters_that_differ_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    letters = random.integers(0, 4, 400)
    cells = random.normal(0, 0.1, (400, 32, 24, 1)).astype(np.float32)
    for index, letter in enumerate(letters.tolist()):
        cells[index, 8 * letter : 8 * letter + 8] += 1
    network = train_reader(cells[:300], letters[:300], seed=0)
    answers = network.predict(cells[300:], verbose=0).argmax(axis=1)
    assert (answers == letters[300:]).mean() > 0.9


def test_a_plate_is_known_in_each_frame_of_a_film() -> None:
    film = shake(draw_plate(np.random.default_rng(2)).scene, 3, seed=1)
    finder = KnownPlate(film)
    boxes = [finder.find(to_rgb(frame.picture))[0].box for frame in film.frames()]
    assert boxes[0] == film.face.found[0].box
    assert len(set(boxes)) == 3


@pytest.mark.parametrize(("read", "letters", "is_by_chance"), [(0, 0.031, True), (0, 0.08, False), (1, 0.03, False)])
def test_chance_is_told_from_reading(read: int, letters: float, is_by_chance: bool) -> None:
    assert DrawnReading("solid", "still", 9, 9, read, letters, 0.03, 0.01).is_by_chance is is_by_chance
