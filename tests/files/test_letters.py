"""Words of languages in Latin, Greek and Cyrillic letters are told from letters by chance."""

import numpy as np
import pytest

from anonymizer.files.letters import chance_bits

WORDS = {
    "Latin": "photograph thunderstorm Straßenbahn Brücke kościół háček coucher derrière ayuntamiento puente cidade",
    "more": "ponte città ristorante silta kaupunki szépség város şehir köprü gatvė miestas kota jembatan Nikon Canon",
    "Cyrillic": "мост солнце ратуша фотография міський площад улица человек",
    "Greek": "δημαρχείο άνθρωποι ήλιος φωτογραφία θάλασσα",
}


@pytest.mark.parametrize("word", " ".join(WORDS.values()).split())
def test_words(word: str) -> None:
    assert chance_bits(word) < 0
    assert chance_bits(word.upper()) < 0


@pytest.mark.parametrize(
    "letters", ["abcdefghijklmnop", "zyxwvutsrqponmlkjihgfedcba", "абвгдежзийклмноп", "αβγδεζηθικλμνξοπ"]
)
def test_letters_by_chance(letters: str) -> None:
    random = np.random.default_rng(0)
    bits = [chance_bits("".join(random.choice(list(letters), 8))) for _ in range(500)]
    assert np.mean(bits) > 6
    assert np.mean(np.array(bits) > 0) > 0.8


def test_other_scripts_are_not_judged() -> None:
    assert chance_bits("太陽") == chance_bits("שמש") == chance_bits("1234") == chance_bits("") == 0
