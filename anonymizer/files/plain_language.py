"""Whether text is plain language of ordinary length, or data in disguise.

Pictures hide in text in any encoding: base64, hexadecimal digits, ASCII85, %-escapes, numbers, compressed or reversed,
cut into pieces. Instead of known encodings, this module looks for words. What does not look like a word is opaque, and
a text may hold a little of that: a checksum, a serial number, a model of a lens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from anonymizer.files.letters import chance_bits, spelled

_Key = TypeVar("_Key", bound=Hashable)

LONGEST = 20_000
"""Characters of the longest text of ordinary length: several pages, such as terms of use."""
MAX_OPAQUE, OPAQUE_SHARE, MOST_OPAQUE = 64, 0.1, 200
"""Opaque characters in one text: so many, and this share of its length, but never more than the last number. A checksum
(SHA-256) takes 64."""
MAX_OPAQUE_TOGETHER = 160
"""Opaque characters in all texts of a packet or a group of chunks together; in base64 they hold 120 bytes."""
BOTH_SHARE = 0.6
"""Opaque characters and digits together, beside `MAX_OPAQUE`; in hexadecimal digits in pairs it is above 0.85."""
MAX_DIGITS, DIGITS_SHARE, MOST_DIGITS = 160, 0.1, 400
"""The same of digits, apart from dates. 62 bytes in decimal digits take 160."""
DIGITS_SHARE_TOGETHER = 0.3
"""Digits in all texts together, beside `MAX_DIGITS`. Settings of raw converters have many."""
MAX_DATES, MAX_UUIDS = 16, 8
"""Up to so many different dates, and UUIDs, in one text and together, do not count. 8 UUIDs hold 122 bytes."""
_SOME_LENGTH, _STRANGE_SHARE, _WORDS_SHARE = 40, 0.25, 0.2
"""Texts of some length have words: if that share of it is opaque, this share is in words of four letters and more."""
_PUNCTUATION, _PUNCTUATION_SHARE = 40, 0.25  # characters that are neither letters nor digits, without repeats
_LONGEST_NUMBER, _LONGEST_WORD = 20, 40
_RUN, _RUN_SHARE, _RUN_WORD = 32, 0.4, 4
"""Without whitespace, so many characters are words and numbers to this share: web addresses and paths are. Words count
from so many letters on."""
_READABLE_SHARE = 0.4
_PIECES = (13, 5, 1)
"""Characters of the smallest pieces of something that are taken for such: in the last resort, of smaller ones too."""
_LONG_OPAQUE = 16  # opaque characters and digits beside words that may be a piece too
_MUCH = 8  # opaque characters or digits: in the very last resort, texts with more are not kept
_IDENTIFIER = 16  # from so many characters on, the same token again tells nothing new
MAX_CHANCE, MAX_CHANCE_TOGETHER, SENSE_SHARE = 40, 60, 0.25
"""Bits by which chance has made words, see `letters`: so many, and this share of the bits by which a language has.

The share is at most 0.08 in words of 30 languages, and 0.22 in names and firms of 14 countries (Vietnam); letters that
stand for hexadecimal digits have about one bit each, and hardly any sense. None of 1,096 files holds
more than 19 bits."""
_CLEAR_SENSE, _SOME_LETTERS = 20, 12
"""A text is in a language if it has so many more bits of sense than of chance: chance makes one in a million so. It
may be a piece of something from so many letters on."""

# Also with the bytes of the time swapped, as Photoshop for Windows writes them; and without hyphens, as older programs
# of Adobe wrote them: of version 1, the fields of the time being swapped or cut.
_UUID = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-(?:[1-8][0-9a-fA-F]{3}|[0-9a-fA-F]{2}[1-8][0-9a-fA-F])-[89abAB][0-9a-fA-F]{3}-"
    r"[0-9a-fA-F]{12}"
    r"|[0-9A-F]{10}206811[0-9A-F]{16}|[0-9A-F]{12}(?:[DE][0-9A-F]11|11[DE][0-9A-F])[89AB][0-9A-F]{15}"
)
_DATE = re.compile(
    r"(?:1[89]\d\d|20\d\d)[-:](?:0[1-9]|1[0-2])[-:](?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ](?:[01]\d|2[0-3]):?[0-5]\d(?::?[0-6]\d(?:[.,]\d{1,9})?)?(?:Z|[+-][01]\d:?[0-5]\d)?)?"
    r"|0000[-:]00[-:]00(?:[T ]00:00:00)?"
)
_NUMBER = re.compile(r"^\s*[+-]?\d{1,9}(?:[./]\d{1,9})?\s*$")  # as a whole text
_MARK = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0900-\u0903\u093a-\u094f"
    "\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a4d\u0abc-\u0acd\u0b3c-\u0b4d\u0bbe-\u0bcd\u0c3e-\u0c4d\u0cbc-\u0ccd"
    "\u0d3e-\u0d4d]"
)
"""Vowels and other signs that are written above, below or around letters."""
_TOKEN = re.compile(rf"[^\W_](?:[^\W_]|{_MARK.pattern})*")
_PART = re.compile(r"(?<=[^\W\d_])((?<![A-Z])[A-Z]|[A-Z](?=[a-z]))")
_SHORTEST_PART = 3
_ZEROS_SHARE = 0.1  # of bytes, in texts in UTF-16
_ACCENTS_SHARE = 0.3  # of letters with diacritics, at most, in a text in Latin letters
_MIXED, _FEW_MIXED = re.compile("[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]"), 2
_REPEATED = re.compile(r"(.)\1+", re.DOTALL)
# Scripts without spaces between words: Han, kana, Hangul, Thai, Lao, Burmese, Khmer.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
_FORBIDDEN = ("Cc", "Cn", "Co", "Cs")  # control characters, unassigned, private, halves of pairs
_COMMON_HAN = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF))
"""Encodings whose first Chinese characters are the common ones: the first bytes of those. (GB 2312, Big5 and JIS X 0208
sort them into two levels.)"""


@dataclass(frozen=True)
class Measure:
    """What a text or several consist of, in characters."""

    length: int = 0
    """Without whitespace."""
    strange: int = 0
    """Characters that are neither in words nor in numbers, and not in `identifiers`."""
    digits: int = 0
    """Apart from dates."""
    identifiers: frozenset[str] = frozenset()
    """Long tokens that are no words, each once, however often it occurs."""
    words: int = 0
    """Letters in words of some length, characters in scripts without spaces, and of numbers that are a whole text."""
    readable: int = 0
    """Letters in words, and characters in scripts without spaces, but not in capitals, and not by chance."""
    in_dates: int = 0
    in_uuids: int = 0
    """Characters in dates and UUIDs, however often these occur."""
    dates: frozenset[str] = frozenset()
    uuids: frozenset[str] = frozenset()
    by_chance: frozenset[str] = frozenset()
    """Its different words that chance has rather made than a language, in lower case, see `letters`."""
    by_sense: frozenset[str] = frozenset()
    """Those that a language has rather made."""
    is_certain: bool = True
    """False if it was read in an encoding in which nearly any bytes can be read."""
    is_language: bool = True
    """False if it holds characters that no text does, is too long, or has hardly a word."""

    @property
    def opaque(self) -> int:
        uuids = self.in_uuids if len(self.uuids) > MAX_UUIDS else 0
        return self.strange + sum(map(len, self.identifiers)) + uuids

    @property
    def numeric(self) -> int:
        """Digits, and dates if there are many."""
        return self.digits + (self.in_dates if len(self.dates) > MAX_DATES else 0)

    @property
    def chance(self) -> int:
        """Bits of the words that chance has made."""
        return sum(map(chance_bits, self.by_chance))

    @property
    def sense(self) -> int:
        """Bits of the words that a language has made."""
        return -sum(map(chance_bits, self.by_sense))

    @property
    def excess_chance(self) -> float:
        """Bits of words that chance has made, beyond those in any text of a language."""
        return max(0.0, self.chance - SENSE_SHARE * self.sense)

    @property
    def is_plain(self) -> bool:
        """Whether it is plain language of ordinary length."""
        opaque, numeric = self.opaque, self.numeric
        return (
            self.is_language
            and self.excess_chance <= MAX_CHANCE
            and opaque <= min(MOST_OPAQUE, MAX_OPAQUE + OPAQUE_SHARE * self.length)
            and numeric <= min(MOST_DIGITS, MAX_DIGITS + DIGITS_SHARE * self.length)
            and opaque + numeric <= MAX_OPAQUE + BOTH_SHARE * self.length
        )


def together(measures: Iterable[Measure]) -> Measure:
    """What several texts consist of. Identifiers, dates and UUIDs in many of them count once."""
    ones = list(measures)
    return Measure(
        sum(one.length for one in ones),
        sum(one.strange for one in ones),
        sum(one.digits for one in ones),
        frozenset().union(*(one.identifiers for one in ones)),
        sum(one.words for one in ones),
        sum(one.readable for one in ones),
        sum(one.in_dates for one in ones),
        sum(one.in_uuids for one in ones),
        frozenset().union(*(one.dates for one in ones)),
        frozenset().union(*(one.uuids for one in ones)),
        frozenset().union(*(one.by_chance for one in ones)),
        frozenset().union(*(one.by_sense for one in ones)),
        all(one.is_certain for one in ones),
        all(one.is_language for one in ones),
    )


def chance_together(measures: Iterable[Measure]) -> float:
    """Bits of words that chance has made, beyond those in any text of a language, in all texts that hold such.

    Other texts do not make up for it, as words of a language would in one text. Words of few letters weigh already.
    """
    total = together(one for one in measures if one.excess_chance)
    words = frozenset(word for word in total.by_chance if len(word) >= _RUN_WORD)
    return replace(total, by_chance=words).excess_chance


def not_language(length: int) -> Measure:
    """The measure of something that is not a text. `length`: in characters or bytes."""
    return Measure(length, strange=length, is_language=False)


def is_plain(text: str) -> bool:
    """Whether a text is plain language of ordinary length."""
    return measure(text).is_plain


def measure(text: str) -> Measure:
    """What a text consists of."""
    length = len("".join(text.split()))
    if _NUMBER.fullmatch(text):
        return Measure(length, digits=sum(map(str.isdigit, text)), words=length)
    dates, uuids = _DATE.findall(text), _UUID.findall(text)
    if len(text) > LONGEST:
        return replace(measure(text[:LONGEST]), length=length, strange=length, is_language=False)
    if any(map(_is_forbidden, text)):
        return replace(not_language(length), dates=frozenset(dates), uuids=frozenset(uuids))
    rest = _UUID.sub(" ", _DATE.sub(" ", text))
    in_dates, in_uuids = sum(map(len, dates)), sum(map(len, uuids))
    opaque, digits, readable, in_words, identifiers, words = 0, 0, 0, 0, set[str](), list[str]()
    rare = _rare_characters(rest)
    known = max(0, sum(map(len, _WITHOUT_SPACES.findall(rest))) - rare)
    for run in _WITHOUT_SPACES.sub(" ", unicodedata.normalize("NFC", rest)).split():
        tokens = _TOKEN.findall(run)
        numbers = sum(len(token) for token in tokens if _is_number(token))
        digits += numbers
        words += [token for token in tokens if _is_word(token)]
        letters = sum(len(token) for token in tokens if len(token) >= _RUN_WORD and _is_word(token))
        if len(run) >= _RUN and letters + numbers < _RUN_SHARE * len(run):
            if len(tokens) == 1:
                identifiers.add(tokens[0])
            else:
                opaque += len(run)
            continue
        in_words += letters
        readable += sum(len(token) for token in tokens if _is_readable(token))
        strange = [token for token in tokens if not _is_number(token) and not _is_word(token)]
        opaque += sum(len(token) for token in strange if len(token) < _IDENTIFIER)
        identifiers.update(token for token in strange if len(token) >= _IDENTIFIER)
    opaque += rare + _excess_punctuation(rest, length)
    parts = {part.casefold() for word in words for part in _parts(word) if len(spelled(part)) > 1}
    has_no_words = in_words + known + in_dates + in_uuids < _WORDS_SHARE * length
    return Measure(
        length,
        opaque,
        digits,
        frozenset(identifiers),
        in_words + known,
        readable + known,
        in_dates,
        in_uuids,
        frozenset(dates),
        frozenset(uuids),
        frozenset(part for part in parts if chance_bits(part) >= 0),
        frozenset(part for part in parts if chance_bits(part) < 0),
        is_language=not (length >= _SOME_LENGTH and opaque > _STRANGE_SHARE * length and has_no_words),
    )


def find_plain(measures: Mapping[_Key, Measure]) -> set[_Key]:
    """Which of some texts are plain language, and are not together parts of something else.

    If all of them hold more that is opaque than a few identifiers do, something may have been cut into pieces. Then
    every text that could be a piece of it is left out, not just the longest: a part of a picture is a picture. If the
    others still hold too much, smaller pieces are left out too, and in the end all texts with anything but words.
    """
    doubtful = _made_by_chance(measures)
    plain = {key for key, one in measures.items() if one.is_plain and key not in doubtful}
    total = together(measures.values())
    if _are_plain_together(measures.values()):
        return plain
    for shortest in _PIECES:
        plain = {key for key in plain if not _may_be_piece(measures[key], total, shortest)}
        if _are_plain_together([measures[key] for key in plain]):
            return plain
    return {key for key in plain if measures[key].opaque + measures[key].numeric <= _MUCH}


def _weight(one: Measure) -> float:
    """Opaque characters apart from identifiers; if there are hardly any words, others and half of the digits too."""
    known = one.words + one.in_dates + one.in_uuids
    if known >= _READABLE_SHARE * one.length:
        return one.strange
    return max(one.strange, one.length - known - one.digits / 2)


def _may_be_piece(one: Measure, total: Measure, shortest: int) -> bool:
    """Whether a plain text may be a part of something else: hardly a word is in it, or a long part that is none.

    Args:
        total: of all texts. If these have many dates, such are no words.
        shortest: characters of the shortest piece.
    """
    readable = one.readable + (one.in_dates if len(total.dates) <= MAX_DATES else 0)
    has_few_words = not one.is_certain or readable < _READABLE_SHARE * one.length
    return one.length >= shortest and (has_few_words or one.opaque + one.numeric > _LONG_OPAQUE)


def _are_plain_together(measures: Collection[Measure]) -> bool:
    total = together(measures)
    weight = sum(map(_weight, measures)) + total.opaque - total.strange
    return weight <= MAX_OPAQUE_TOGETHER and total.numeric <= MAX_DIGITS + DIGITS_SHARE_TOGETHER * total.length


def _made_by_chance(measures: Mapping[_Key, Measure]) -> set[_Key]:
    """Texts that may be parts of something cut into words, if all together hold too much that chance has made."""
    if chance_together(measures.values()) <= MAX_CHANCE_TOGETHER:
        return set()
    return {
        key
        for key, one in measures.items()
        if one.sense - one.chance < _CLEAR_SENSE and sum(map(len, one.by_chance | one.by_sense)) >= _SOME_LETTERS
    }


def readings(content: bytes) -> Iterator[str]:
    """The texts that bytes may stand for, in the encodings that metadata are written in."""
    content = content.rstrip(b"\0 ")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in content:
        if content.count(0) < _ZEROS_SHARE * len(content):
            return  # neither letters nor spaces: binary
        encodings = ("utf-16-le", "utf-16-be")
    else:
        encodings = ("utf-8", "cp1252", "shift_jis", "gb18030", "euc_kr", "big5", "cp1251")
    for encoding in encodings:
        padded = content + b"\0" if encoding in ("utf-16", "utf-16-le") and len(content) % 2 else content
        try:
            text = padded.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _is_chance(text, encoding):
            yield text
        if encoding == "utf-8":
            return


def _is_chance(text: str, encoding: str) -> bool:
    """Whether a text is not in this encoding, in which any bytes can be read."""
    if encoding == "cp1252":
        return sum(one > "\x7f" for one in text) > _ACCENTS_SHARE * len(text)
    return encoding == "cp1251" and len(_MIXED.findall(text)) > _FEW_MIXED


def measure_bytes(content: bytes) -> Measure:
    """The measure of the best reading of some bytes."""
    best = [measure(text) for text in readings(content)] or [not_language(len(content))]
    if not _is_unicode(content):
        # Bytes can always be read in some encoding.
        best = [
            replace(one, is_certain=False, is_language=one.is_language and not _may_be_piece(one, one, _PIECES[0]))
            for one in best
        ]
    return min(best, key=lambda one: (not one.is_plain, one.opaque))


def _is_unicode(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return b"\0" in content or content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return True


def is_printable(content: bytes) -> bool:
    """Whether some reading of bytes has no control characters."""
    return any(not any(_is_forbidden(one) for one in text) for text in readings(content))


@lru_cache(8192)
def _is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in _FORBIDDEN and character not in "\t\n\r\f"


def _is_number(token: str) -> bool:
    return token.isdigit() and len(token) <= _LONGEST_NUMBER


@lru_cache(4096)
def _is_word(token: str) -> bool:
    token = _MARK.sub("", token)
    if not token.isalpha() or len(token) > _LONGEST_WORD:
        return False
    # Names of properties and products have parts of some letters: "ToneCurve", "iPhone", "McDonald", "HDRPlus".
    parts = _parts(token)
    short = sum(len(part) < _SHORTEST_PART for part in parts)
    return len(parts) == 1 or (short <= 1 and len(parts) <= 1 + len(token) / 4)


@lru_cache(4096)
def _is_readable(token: str) -> bool:
    """Whether it is a word even among what may be pieces of something else: hardly any that chance makes is."""
    parts = _parts(token)
    is_small = token[1:].islower() or not (token.isupper() or token.islower())
    are_long = len(parts) <= 2 and all(len(part) >= _RUN_WORD for part in parts)  # "PhotoSmart"
    return len(token) >= _RUN_WORD and _is_word(token) and is_small and are_long and chance_bits(token) <= 0


def _parts(token: str) -> list[str]:
    return _PART.sub(r" \1", token).split()


def _rare_characters(text: str) -> int:
    """Characters that are rare in their script, as in encodings that use all of it; symbols, and marks of format."""
    number = 0
    for one in text:
        if "\u3400" <= one <= "\u9fff" or "\uf900" <= one <= "\ufaff":
            number += 2 * (not _is_common_han(one))
        elif "\uac00" <= one <= "\ud7af":
            number += 2 * (not _can_encode(one, "euc_kr"))
        elif "\uff61" <= one <= "\uff9f":
            number += 1  # katakana of half width, as which many bytes can be read
        elif one > "\x7f" and unicodedata.category(one) in ("So", "Cf", "Sk"):
            number += 1
    return number


@lru_cache(8192)
def _is_common_han(character: str) -> bool:
    for encoding, first, last in _COMMON_HAN:
        try:
            if first <= character.encode(encoding)[0] <= last:
                return True
        except UnicodeEncodeError:
            continue
    return False


@lru_cache(8192)
def _can_encode(character: str, encoding: str) -> bool:
    try:
        return bool(character.encode(encoding))
    except UnicodeEncodeError:
        return False


def _excess_punctuation(text: str, length: int) -> int:
    shorter = _REPEATED.sub(r"\1", text)
    marks = sum(one in "_" or unicodedata.category(one)[0] in "PS" for one in shorter)
    return max(0, int(marks - _PUNCTUATION - _PUNCTUATION_SHARE * length))
