import json
from pathlib import Path

import numpy as np
import pytest
from audit import drawn
from audit.test_identify import Colours

from anonymizer.audit.identify import Attack, Attackers
from anonymizer.audit.pages import write_attacks
from anonymizer.audit.plate_reader import DrawnReading
from anonymizer.audit.redactions import redaction
from anonymizer.audit.scores import judge
from benchmarks import audit_table


@pytest.fixture
def readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = tmp_path / "README.md"
    marks = [f"<!-- {name}: begin -->\nold\n<!-- {name}: end -->\n" for name in audit_table.NAMES]
    page.write_text("# Before\n" + "".join(marks) + "after\n")
    monkeypatch.setattr(audit_table, "README", page)
    return page


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", ["audit_table", *map(str, arguments)])
    audit_table.main()


def test_a_row_for_each_attacker_and_a_column_for_each_redaction(
    readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attackers = Attackers(drawn.faces(4, 2), [Colours()], {})
    paths = []
    for name in ("none", "solid"):
        write_attacks(tmp_path, name, list(attackers.attack(redaction(name))), {}, [])
        paths.append(tmp_path / f"{name}.json")
    call(monkeypatch, "identify", *paths, "--readme")
    text = readme.read_text()
    assert "| colours: rank-1, TAR at FAR 1 % | `none` | `solid` |" in text
    assert "\n| clear gallery | **" in text
    assert "8 pictures of 4 people. By chance rank-1 is 0." in text
    assert text.count("\nold\n") == len(audit_table.NAMES) - 1
    assert text.startswith("# Before\n<!-- identify: begin -->\n")
    assert text.endswith("after\n")


def test_what_is_by_chance_is_told_for_each_size_of_gallery(
    readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = np.repeat(np.arange(4), 2)
    scores = np.tile(np.eye(4), (1, 2)).reshape(8, 4)
    large, small = (judge(scores, truth, galleries=np.full(4, size)) for size in (9, 2))
    galleries = {"clear gallery": large, "redacted gallery": small, "retrained": small}
    attacks = [Attack("none", f"SFace, one frame, {name}", result) for name, result in galleries.items()]
    write_attacks(tmp_path, "film", attacks, {}, [])
    call(monkeypatch, "film", tmp_path / "film.json", "--readme")
    chances = [f"{one.rank_1.chance:.4f}" for one in (large, small)]
    text = readme.read_text()
    assert f"By chance rank-1 is {chances[0]}, up to 0." in text
    assert f" (clear gallery); {chances[1]}, up to 0." in text
    assert " (redacted gallery, retrained). What lies within" in text


def test_plates_read_from_stills_and_films(readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [
        DrawnReading("none", "still", 9, 10, 10, 1.0, 0.03, 0.01),
        DrawnReading("solid", "still", 9, 10, 0, 0.04, 0.03, 0.01),
        DrawnReading("solid", "8 frames", 9, 10, 0, 0.03, 0.03, 0.01),
    ]
    (tmp_path / "plates.json").write_text(json.dumps({"readings": [one.to_json() for one in readings]}))
    call(monkeypatch, "plates", tmp_path / "plates.json", "--readme")
    text = readme.read_text()
    assert "| `none` | **10 of 10** | **1.000** |  |  |" in text
    assert "| `solid` | 0 of 10 | 0.040, up to 0.050 by chance | 0 of 10 | 0.030, up to 0.050 by chance |" in text


def test_a_page_without_marks_is_named(readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme.write_text("nothing")
    (tmp_path / "plates.json").write_text(
        json.dumps({"readings": [DrawnReading("none", "still", 9, 10, 10, 1.0, 0.03, 0.01).to_json()]})
    )
    with pytest.raises(SystemExit, match="lacks the lines <!-- plates: begin -->"):
        call(monkeypatch, "plates", tmp_path / "plates.json", "--readme")
