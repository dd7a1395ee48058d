import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.recognise.patterns import MAX_LENGTH, MAX_SECONDS, NAMED, Patterns, without_accents


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ada", "ADA LOVELACE"),
        (r"\d{5}", "D-80331 Munich"),
        (r"\d{5}", "8O33l"),  # a reader took digits for letters
        (r"\d{5}", "80 331"),
        ("Müller", "Muller"),
        ("Muller", "Müller"),
        ("Lovelace", "L0velace"),
        ("Lovelace", "Lovelcae Ada Lovelac"),
        ("Bob", "80b"),
        ("email", "ada.l@example.org"),
        ("email", "ada @ example . org"),
        ("phone", "Tel. +49 (89) 123-45"),
        ("phone", "O89 l2345"),
        ("number", "No. 7"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "IBAN: DE89-3704-0044-0532-0130-00"),
        ("Ada King Lovelace", "AdaKingLovelace"),  # readers lose spaces
        (r"No\. \d", "No.5"),
        (r"No\.\s+\d", "No.5"),
        ("Weiß", "WEISS"),
        ("Strasse", "STRA\u1e9eE"),
        ("url", "www.example.com"),
        ("url", "example.org/a"),
    ],
)
def test_what_is_found(pattern: str, text: str) -> None:
    assert Patterns(["nothing else", pattern]).match(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("Ada", "Grace"),
        ("Lovelace", "Loverance"),
        ("Bob", "Rob"),
        (r"\d{5}", "1234"),
        ("number", "EXIT"),
        ("number", "Soziologie"),
        ("email", "Restaurant"),
        ("phone", "Route 66"),
        ("iban", "DEPARTMENT"),
        ("url", "Open daily"),
    ],
)
def test_what_is_not_found(pattern: str, text: str) -> None:
    assert not Patterns([pattern]).match(text)


def test_expressions_that_take_too_long_count_as_found() -> None:
    started = time.perf_counter()
    assert Patterns([r"(a|a|aa)+$"]).match("a" * 60 + "b")
    assert time.perf_counter() - started < 60 * MAX_SECONDS


def test_long_texts_count_as_found() -> None:
    assert Patterns(["x"]).match("a" * (MAX_LENGTH + 1))


def test_an_expression_that_is_none_without_accents() -> None:
    assert Patterns(["[z-ü]"]).match("ü")


@given(st.text(max_size=30))
def test_what_a_text_says_is_found_in_it(text: str) -> None:
    assert Patterns([regex.escape(text, literal_spaces=True)]).match(text)
    assert without_accents(without_accents(text)) == without_accents(text)


def test_named_patterns_are_expressions() -> None:
    for text in NAMED.values():
        regex.compile(text)
