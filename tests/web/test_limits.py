from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.web import limits

PAGE = Path(__file__).parents[2] / "anonymizer/web/README.md"
NAMES = [name for name in vars(limits) if name.isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_documented(name: str) -> None:
    assert f"| `{name}` | {vars(limits)[name]:,} |" in PAGE.read_text(encoding="utf-8")
