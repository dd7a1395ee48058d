import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.text import printable


@given(st.text())
def test_nothing_is_printed_that_a_terminal_would_obey(text: str) -> None:
    assert printable(text).isprintable()
    assert not text.isprintable() or printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("über 1.png", "über 1.png"),
        ("a\nb\t\x1b[1m", "a\\nb\\t\\x1b[1m"),
        ("\u202egnp", "\\u202egnp"),
        ("\udcff", "\\udcff"),
        ("'\\", "'\\"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
