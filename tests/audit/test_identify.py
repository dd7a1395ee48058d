from collections.abc import Sequence

import numpy as np
import pytest
from audit import drawn

from anonymizer.audit.faces import scaled
from anonymizer.audit.identify import SIZES_PX, Attackers
from anonymizer.audit.redactions import redaction
from anonymizer.audit.scores import Floats
from anonymizer.types import Pixels8


class Colours:
    """Recognises drawn people by the mean colours of four quarters."""

    name = "colours"
    calls = 0

    def vectors_of(self, faces: Sequence[Pixels8]) -> Floats:
        self.calls += 1
        half = faces[0].shape[0] // 2
        parts = (slice(0, half), slice(half, None))
        vectors = np.array(
            [[face[rows, columns].mean(axis=(0, 1)) for rows in parts for columns in parts] for face in faces], float
        ).reshape(len(faces), -1)
        vectors -= 128
        lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
        return vectors / lengths


def reached(name: str) -> dict[str, float]:
    attackers = Attackers(drawn.faces(8, 5), [Colours()], {})
    return {attack.attacker: attack.result.rank_1.value for attack in attackers.attack(redaction(name))}


def test_without_redaction_everybody_is_told() -> None:
    values = reached("none")
    assert values["colours, clear gallery"] > 0.9
    assert values["colours, clear gallery"] == values["colours, redacted gallery"]
    assert values["colours, retrained"] > 0.9
    assert not any("reversed" in name for name in values)


def test_solid_colour_tells_nobody() -> None:
    values = reached("solid")
    assert values["colours, clear gallery"] < 0.4
    assert values["colours, redacted gallery"] < 0.4


def test_what_is_told_of_the_person_and_the_surroundings_stands_apart() -> None:
    values = reached("solid")
    assert list(values)[3:6] == [
        "colours, retrained on face, hair and neck",
        "colours, retrained on the whole person",
        "colours, retrained on the surroundings alone",
    ]


def test_surroundings_are_told_alike_whatever_hides_the_face() -> None:
    none, solid = reached("none"), reached("solid")
    assert none["colours, retrained on the whole person"] > 0.9 > solid["colours, retrained on the whole person"]
    around = "colours, retrained on the surroundings alone"
    assert none[around] == solid[around] < 0.5


def test_faces_of_each_size_are_told_apart() -> None:
    faces = [scaled(face, 1 if number % 2 else 0.3) for number, face in enumerate(drawn.faces(6, 4))]
    (first, *_) = Attackers(faces, [Colours()], {}).attack(redaction("none"))
    sizes = np.digitize([face.box.longer_side for face in faces], SIZES_PX)
    assert len(first.by_size) == len(set(sizes.tolist())) > 1
    assert sum(result.pictures for result in first.by_size.values()) == len(faces)
    right = sum(result.rank_1.value * result.pictures for result in first.by_size.values())
    assert right == pytest.approx(first.result.rank_1.value * len(faces))
    assert first.to_json()["by_size"] == {size: result.to_json() for size, result in first.by_size.items()}


def test_what_is_the_same_for_all_redactions_is_made_once() -> None:
    recogniser = Colours()
    attackers = Attackers(drawn.faces(3, 2), [recogniser], {})
    list(attackers.attack(redaction("none")))
    calls = recogniser.calls
    list(attackers.attack(redaction("solid")))
    assert recogniser.calls == 2 * calls - 2


def test_the_result_is_plain() -> None:
    (first, *_) = Attackers(drawn.faces(3, 2), [Colours()], {}).attack(redaction("none"))
    described = first.to_json()
    assert described["redaction"] == "none"
    assert described["attacker"] == "colours, clear gallery"
    assert described["people"] == 3
