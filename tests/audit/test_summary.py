import numpy as np

from anonymizer.audit.identify import Attack
from anonymizer.audit.scores import Floats, judge, nearest
from anonymizer.audit.summary import summarise

TRUTH = np.repeat(np.arange(12), 4)


def attack(redaction: str, attacker: str, vectors: Floats) -> Attack:
    return Attack(redaction, attacker, judge(nearest(vectors, vectors, TRUTH, 12), TRUTH))


def test_a_row_for_each_redaction_and_a_column_for_each_attacker() -> None:
    known, alike = np.eye(12)[TRUTH], np.ones((48, 3)) / np.sqrt(3)
    rows = summarise([attack("none", "a", known), attack("solid", "a", alike), attack("solid", "b", alike)])
    assert rows[0] == ["rank-1, TAR at FAR 1 %", "a", "b"]
    assert rows[1] == ["`none`", "**1.000**, 1.000", ""]
    assert [row[0] for row in rows[1:]] == ["`none`", "`solid`"]
    assert "**" not in "".join(rows[2])


def test_a_recogniser_that_all_use_is_named_once() -> None:
    alike = np.ones((48, 3)) / np.sqrt(3)
    rows = summarise([attack("solid", f"SFace, {name}", alike) for name in ("clear gallery", "retrained")])
    assert rows[0] == ["SFace: rank-1, TAR at FAR 1 %", "clear gallery", "retrained"]
    assert summarise([]) == [["rank-1, TAR at FAR 1 %"]]
