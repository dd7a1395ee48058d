"""Which texts are to be hidden: regular expressions, compared with what a reader makes of pixels.

A reader mistakes letters, and what it misreads must not stay visible for that. So each reading is compared in several
forms: as it is, without spaces, without accents, with digits for the letters that look like them, and the other way
round. A pattern of plain letters also matches with one letter wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import lru_cache
from typing import Any

import regex

NAMED: Mapping[str, str] = {
    "email": r"[\w.%+-]+@[\w.-]+",
    "phone": r"\+?\(?\d(?:[\s()./-]*\d){5,}",
    "number": r"\d",
    "iban": r"\b[A-Z]{2}\d{2}(?:[\s.-]?[A-Z\d]){11,30}",
    "url": r"https?:|www\.|[\w-]{2,}\.[a-z]{2,}(?:/|\b)",
}
"""What stands for a pattern by its name."""
MAX_SECONDS = 0.2
"""For one comparison. A pattern that takes longer counts as found: nothing stays visible for it."""
MAX_LENGTH = 1000
"""Characters of a text that can be compared; a longer one counts as found."""
PLAIN_LENGTH = 5
"""A pattern of so many letters or more, and nothing else, is found with one letter wrong, too many or too few."""

_PLAIN = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '-])*")
_SPACE = re.compile(r"( |\\s)(\+|(?![*?{]))")
_NUMBER_LIKE = re.compile(r"(?<!\w)[\dOoQDIil|!ZzSsBGgqb.,:/()+-]+(?!\w)")
_TO_DIGITS = str.maketrans("OoQDIil|!ZzSsBGgqb", "000011111225586996")
_TO_LETTERS = [str.maketrans("015862", letters) for letters in ("olsbgz", "oisbgz")]
_SHORT = 2
"""So few characters are taken for a number even if none of them is a digit."""


class Patterns:
    """Regular expressions, without regard to capitals."""

    def __init__(self, texts: Sequence[str]) -> None:
        """
        Args:
            texts: regular expressions, or names of `NAMED`.
        """
        given = [NAMED.get(text, text) for text in texts]
        self._compiled = [pattern for text in given for pattern in _compiled(text)]

    def match(self, text: str) -> bool:
        """Whether any of them is found in a text, or cannot be looked for in time."""
        if len(text) > MAX_LENGTH:
            return True
        forms = list(dict.fromkeys(_forms(text)))
        return any(_is_found(pattern, form) for pattern in self._compiled for form in forms)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Sequence[Any]:
    """An expression as it is; and where it is one then, also without accents ([z-ü] is not), and without the need for
    spaces, which readers lose.
    """
    is_plain = _PLAIN.fullmatch(text) is not None and len(text) >= PLAIN_LENGTH
    plain = without_accents(text)
    compiled = []
    for form in dict.fromkeys((text, plain, _with_optional_spaces(text), _with_optional_spaces(plain))):
        with nullcontext() if form == text else suppress(regex.error):
            tolerant = f"(?:{form}){{e<=1}}" if is_plain else form
            compiled.append(regex.compile(tolerant, regex.IGNORECASE | regex.FULLCASE))
    return compiled


def _with_optional_spaces(text: str) -> str:
    return _SPACE.sub(lambda space: space[1] + ("*" if space[2] else "?"), text)


def _is_found(pattern: Any, text: str) -> bool:
    try:
        return pattern.search(text, timeout=MAX_SECONDS) is not None
    except TimeoutError:
        return True


def _forms(text: str) -> Iterator[str]:
    """What a text may really say."""
    for said in (text, without_accents(text)):
        yield said
        digits = _NUMBER_LIKE.sub(_to_digits, said)
        yield from (digits, "".join(said.split()), "".join(digits.split()))
        yield from (said.translate(letters) for letters in _TO_LETTERS)


def _to_digits(found: re.Match[str]) -> str:
    """What looks like a number, if it has a digit or is short."""
    text = found[0]
    is_number = any(character.isdigit() for character in text) or len(text) <= _SHORT
    return text.translate(_TO_DIGITS) if is_number else text


def without_accents(text: str) -> str:
    """The same letters without what stands above and below them."""
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(each for each in apart if not unicodedata.combining(each)))
