"""Whether letters follow each other as in a language, or by chance.

In words of a language few letters follow a given one. Letters that stand for the digits of data follow each other by
chance, whichever they are, and however many: 16 for hexadecimal digits, 26 for numbers. How much more likely chance has
made a word than a language has is counted in bits, which add up over words, texts and files.

That holds for letters of the Latin, Greek and Cyrillic scripts, which are alike enough for one table.
"""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache

_PAIRS = (
    "45546655454342758233557755167829992793972993683999492969299227459629956449997628961995277675399456478965"
    "55544746565342659223657765299825892794991992643999792897295526646538935538995919971999266665297483368969"
    "36443646554342458423659965199719992969753999473799991989299728645729944437695916852768265356389944479959"
    "14991879267756349856396979284327382657853998335799576544654655433244923444597519892996389498259255499989"
    "39953999379999499989099969266427572756552795444689562748289427356634974246896527992984287686299344367958"
    "44544756454332549233567785198819992886953995695999470979299629979539975969995916552995299969449993396979"
    "1535375646444435943455797626752966286553379755456946"
)
"""How likely each letter from a to z (26 digits) is behind each one: bits in favour of chance, plus 4, so 0..9.

log2 of 1/26 by its share, in the mean of 29 languages in Latin letters. Counts of pairs of letters: langdetect 1.0.9
(Apache 2.0), from Wikipedia.
"""
_LATIN = {
    ord(letter): latin
    for letters, spelled in (
        ("ßæœøłđıðþəŋ", "ss ae oe o l d i d th a n"),
        ("αβγδεζηθικλμνξοπρσςτυφχψω", "a b g d e z i th i k l m n x o p r s s t y f ch ps o"),
        ("абвгдежзийклмнопрстуфхцчшщыэюя", "a b v g d e zh z i j k l m n o p r s t u f kh ts ch sh sch y e yu ya"),
        ("іїєґјљњђћџѕ", "i yi ye g j lj nj dj c dz dz"),
    )
    for letter, latin in zip(letters, spelled.split(), strict=True)
}
"""How letters that are not made of a Latin one and a mark are spelled in Latin ones."""


@lru_cache(8192)
def chance_bits(word: str) -> int:
    """How much more likely chance has made a word than a language has, in bits; negative if a language has.

    0 for scripts that are not known.
    """
    letters = [ord(one) - ord("a") for one in spelled(word)]
    return sum(int(_PAIRS[26 * first + second]) - 4 for first, second in itertools.pairwise(letters))


@lru_cache(8192)
def spelled(word: str) -> str:
    """A word in the letters from a to z; empty if it is in another script."""
    plain = unicodedata.normalize("NFD", word.lower()).translate(_LATIN)
    return "".join(one for one in plain if "a" <= one <= "z")
