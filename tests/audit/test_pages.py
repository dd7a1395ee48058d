import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from audit import drawn

from anonymizer.audit.change import Change
from anonymizer.audit.identify import Attack
from anonymizer.audit.leak import Leak, Leaks
from anonymizer.audit.likeness import likeness
from anonymizer.audit.pages import (
    stack_rows,
    to_markdown,
    write_attacks,
    write_drawn_readings,
    write_leaks,
    write_readings,
    write_reversal,
    write_utility,
)
from anonymizer.audit.pairs import as_they_are
from anonymizer.audit.plate_reader import DrawnReading
from anonymizer.audit.plates import Reading
from anonymizer.audit.precision import Precision
from anonymizer.audit.redactions import NAMED
from anonymizer.audit.reverse import Reversed
from anonymizer.audit.scores import judge, nearest
from anonymizer.audit.training import Training
from anonymizer.audit.utility import Classified, Detected, Kept, Utility


def attack(name: str) -> Attack:
    truth = np.repeat(np.arange(6), 4)
    vectors = np.eye(6)[truth]
    return Attack(name, "somebody", judge(nearest(vectors, vectors, truth, 6), truth))


def test_results_are_written_in_three_forms(tmp_path: Path) -> None:
    write_attacks(tmp_path, "identify", [attack("<none>"), attack("solid")], {"seed": 3}, ["missed.png"])
    described = json.loads((tmp_path / "identify.json").read_text())
    assert described["seed"] == 3
    assert [each["redaction"] for each in described["attacks"]] == ["<none>", "solid"]
    assert described["attacks"][0]["rank_1"]["value"] == 1
    page = (tmp_path / "identify.html").read_text()
    assert "&lt;none&gt;" in page
    assert "<none>" not in page
    assert 'class="told"' in page
    table = (tmp_path / "identify.md").read_text()
    assert table == to_markdown([attack("<none>"), attack("solid")], ["missed.png"])
    assert "1 further pictures" in table.replace("In 1 further", "1 further")


def test_results_by_size_have_a_table_of_their_own(tmp_path: Path) -> None:
    one, other = attack("none"), attack("solid")
    attacks = [
        replace(one, by_size={"small": one.result, "large": one.result}),
        replace(other, by_size={"large": other.result}),
    ]
    write_attacks(tmp_path, "identify", attacks, {}, [])
    chance = f"{one.result.rank_1.chance:.3f}"
    table = (tmp_path / "identify.md").read_text()
    assert "| rank-1 by size of the face | attacker | small: 24 | large: 24 |" in table
    assert f"| none | somebody | 1.000 (chance {chance}) | 1.000 (chance {chance}) |" in table
    assert f"| solid | somebody |  | 1.000 (chance {chance}) |" in table
    assert f"<td>1.000 (chance {chance})</td>" in (tmp_path / "identify.html").read_text()


def test_a_reversal_is_shown_row_by_row(tmp_path: Path) -> None:
    pairs = as_they_are(drawn.faces(5, 1), NAMED["solid"], 32)
    alike = likeness(pairs.redacted, pairs.originals)
    result = Reversed(Training(32, 1, 0, "solid"), 9, alike, alike, alike, pairs, pairs.redacted)
    write_reversal(tmp_path, result)
    assert json.loads((tmp_path / "reverse.json").read_text())["faces"] == 9
    assert "data:image/png;base64," in (tmp_path / "reverse.html").read_text()
    shown = cv2.imread(str(tmp_path / "rows.png"))
    assert shown is not None
    assert shown.shape == (3 * 32, 2 * 4 * 32 + 8, 3)


def test_leaks_are_written_with_the_worst_ones(tmp_path: Path) -> None:
    objects = [Leak("a.png", "face", 40, 0.25, (0, 0, 30, 40), True), Leak("b.png", "face", 20, 0, (0, 0, 15, 20))]
    text = write_leaks(tmp_path, Leaks(objects, ["c.png"], 0.01))
    assert "| face | 2 | 0.500 | 0 | 0.125 | 1 of 1 |" in text
    assert "- a.png: face of 40 px, 25% left" in text
    assert "1.00% of the pixels elsewhere" in text
    assert (tmp_path / "leak.md").read_text() == text
    assert json.loads((tmp_path / "leak.json").read_text())["worst"][0]["picture"] == "a.png"


def test_readings_are_written(tmp_path: Path) -> None:
    text = write_readings(tmp_path, [Reading("solid", 9, 2, 0, 1)])
    assert "| solid | 7 | 0 | 2 | 1 |" in text
    assert json.loads((tmp_path / "plates.json").read_text()) == [Reading("solid", 9, 2, 0, 1).to_json()]


def test_costs_are_written_with_the_worst_picture(tmp_path: Path) -> None:
    kept = Kept(10, 9, 4, 3)
    whole, half = Precision(1, 1), Precision(0.5, 0.25)
    detected = Detected(half, kept, {"person": kept}, whole, half)
    change = Change(0.1, 0.02, 7, 1.0, 0.9)
    cost = Utility("solid", 5, 0.1, 0.2, 0.02, 4, 7, 1, 0.9, [("a.png", change)], detected, Classified(0.75, 1))
    text = write_utility(tmp_path, [cost], {"model": "m.tflite"})
    assert "| solid | 10.00% | 20.0% | 4 of 5 | 7 levels in 2.00% of the pixels | 1.000 | 0.900 | 9 of 10" in text
    assert "| 3 of 4 | 0.500 | 0.250 | 1.000 to 0.500 | 1.000 to 0.250 | 0.750 | 1.000 |" in text
    assert "solid, found again: person 9 of 10 (touched 3 of 4)." in text
    assert "most has changed outside in a.png, 2.00% of it" in text
    described = json.loads((tmp_path / "utility.json").read_text())
    assert described["model"] == "m.tflite"
    assert described["redactions"][0]["detected"]["kept"]["touched"] == 4
    assert (tmp_path / "utility.html").is_file()


def test_drawn_plates_are_judged_by_chance(tmp_path: Path) -> None:
    readings = [
        DrawnReading("none", "still", 50, 10, 9, 0.98, 0.03, 0.02),
        DrawnReading("solid", "still", 50, 10, 0, 0.05, 0.03, 0.02),
    ]
    text = write_drawn_readings(tmp_path, readings, {"seed": 3})
    assert "| none | still | 10 | 9 | 0.980 | up to 0.070: no |" in text
    assert "| solid | still | 10 | 0 | 0.050 | up to 0.070: yes |" in text
    assert json.loads((tmp_path / "plates.json").read_text())["seed"] == 3


def test_an_odd_row_stands_beside_a_white_one() -> None:
    rows = [[np.zeros((4, 4, 3), np.uint8)] * 4] * 3
    assert (stack_rows(rows)[4:, -16:] == 255).all()
