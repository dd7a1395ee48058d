import json
from pathlib import Path

import numpy as np

from anonymizer.audit.tables import to_page, write_table


def test_a_table_comes_in_three_forms(tmp_path: Path) -> None:
    shown = np.zeros((4, 4, 3), np.uint8)
    text = write_table(tmp_path, "t", "Title", ["a", "b"], [["<1>", "2"]], ["- note & so on"], {"rows": 1}, shown)
    assert text == "| a | b |\n| --- | --- |\n| <1> | 2 |\n\n- note & so on\n"
    assert (tmp_path / "t.md").read_text() == text
    assert json.loads((tmp_path / "t.json").read_text()) == {"rows": 1}
    page = (tmp_path / "t.html").read_text()
    assert "<td>&lt;1&gt;</td>" in page
    assert "<p>note &amp; so on</p>" in page
    assert "data:image/png;base64," in page


def test_a_page_needs_nothing_else() -> None:
    page = to_page("Title", "body")
    assert page.startswith("<!doctype html>")
    assert "http" not in page
