from collections.abc import Sequence
from typing import Any

import cv2
import pytest
from audit import drawn
from audit.test_film_files import knowing
from audit.test_identify import Colours

from anonymizer.audit.faces import scaled
from anonymizer.audit.film_attack import LEAST_SIDE_PX, FilmAttackers
from anonymizer.audit.redactions import redaction
from anonymizer.audit.training import Reversal, Training


class Unchanged:
    """A network that brings nothing back."""

    def predict(self, faces: Any, **_: object) -> Any:
        return faces


def reached(name: str, reversal: Reversal | None = None) -> dict[str, float]:
    attackers = FilmAttackers(drawn.faces(4, 3), knowing(), Colours(), frames=4)
    return {attack.attacker: attack.result.rank_1.value for attack in attackers.attack(redaction(name), reversal)}


@pytest.mark.parametrize(("name", "is_told"), [("none", True), ("solid", False)])
def test_frames_are_attacked_one_by_one_and_together(name: str, is_told: bool) -> None:
    values = reached(name)
    assert list(values) == [
        f"colours, {seen}, {attacker}"
        for seen in ("one frame", "4 frames", "4 frames one by one")
        for attacker in ("clear gallery", "redacted gallery", "retrained")
    ]
    for attacker in ("one frame, clear gallery", "4 frames, clear gallery", "4 frames, redacted gallery"):
        assert (values[f"colours, {attacker}"] > 0.5) is is_told


def test_pictures_that_are_not_filmed_stand_in_the_clear_gallery() -> None:
    told: list[Sequence[int]] = []
    faces = drawn.faces(4, 3)
    attackers = FilmAttackers(faces, knowing(), Colours(), frames=2, on_film=lambda: told.append([]), filmed=2)
    clear, redacted, *_ = (attack.result for attack in attackers.attack(redaction("none")))
    assert len(told) == clear.pictures == redacted.pictures == 8
    assert attackers._filmed.tolist() == [0, 2, 3, 5, 6, 8, 9, 11]
    assert clear.rank_1.chance == pytest.approx(2 / 11, abs=0.04)
    assert redacted.rank_1.chance == pytest.approx(1 / 7, abs=0.04)


def test_what_was_added_up_is_brought_back() -> None:
    values = reached("pixelate-16", Reversal(Unchanged(), Training(32, 1, 0, "pixelate-16")))
    assert "colours, one frame, reversed, clear gallery" in values
    assert "colours, 4 frames, reversed, retrained" in values


def test_small_pictures_are_enlarged_and_films_told_one_by_one() -> None:
    told: list[Sequence[int]] = []
    small = [scaled(face, 0.25) for face in drawn.faces(2, 2)]
    attackers = FilmAttackers(small, knowing(), Colours(), frames=2, on_film=lambda: told.append([]))
    sizes = {max(face.pixels.shape[:2]) for face in attackers._faces}
    assert sizes == {LEAST_SIDE_PX}
    list(attackers.attack(redaction("solid")))
    assert len(told) == 4


def test_adding_up_frames_undoes_tiles() -> None:
    """The mean of frames whose tiles move is nearer to a smooth face than one frame."""
    attackers = FilmAttackers([drawn.face(1), drawn.face(2)], knowing(), Colours(), frames=8)
    smooth = cv2.blur(attackers._sighting(0, redaction("none")).mean, (7, 7))
    tiled = attackers._sighting(0, redaction("pixelate-16"))
    one, added_up = (cv2.absdiff(pixels, smooth).mean() for pixels in (tiled.frames[0], tiled.mean))
    assert added_up < 0.8 * one
