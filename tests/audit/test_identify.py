from collections.abc import Sequence

import numpy as np
from audit import drawn

from anonymizer.audit.identify import Attackers
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


def test_the_clear_gallery_is_made_once() -> None:
    recogniser = Colours()
    attackers = Attackers(drawn.faces(3, 2), [recogniser], {})
    list(attackers.attack(redaction("none")))
    calls = recogniser.calls
    list(attackers.attack(redaction("solid")))
    assert recogniser.calls == 2 * calls - 1


def test_the_result_is_plain() -> None:
    (first, *_) = Attackers(drawn.faces(3, 2), [Colours()], {}).attack(redaction("none"))
    described = first.to_json()
    assert described["redaction"] == "none"
    assert described["attacker"] == "colours, clear gallery"
    assert described["people"] == 3
