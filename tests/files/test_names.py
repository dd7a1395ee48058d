import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.files.names import loose, record_names


@pytest.mark.parametrize(
    ("pictures", "records"),
    [
        (["a.jpg", "b.png"], ["a.json", "b.json"]),
        (["a.jpg", "a.png", "b.jpg"], ["a.jpg.json", "a.png.json", "b.json"]),
        (["A.jpg", "a.png"], ["A.jpg.json", "a.png.json"]),
        (["a.jpg", "a.png", "a.jpg.png"], ["a.jpg.json", "a.png.json", "a.jpg.png.json"]),
        (["a.b.jpg"], ["a.b.json"]),
        ([".jpg"], [".jpg.json"]),
    ],
)
def test_record_names(pictures: list[str], records: list[str]) -> None:
    assert record_names(pictures) == records


@pytest.mark.slow
@given(st.sets(st.from_regex(r"[abA](\.(jpg|png|a)){1,3}", fullmatch=True), max_size=12))
def test_no_two_records_ever_share_a_name(pictures: set[str]) -> None:
    records = record_names(sorted(pictures))
    assert len(set(records)) == len(records)


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1))
def test_whatever_the_case_and_the_form_of_unicode_a_name_looks_alike(name: str) -> None:
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    assert len({loose(form) for form in (name, *forms, *(form.casefold() for form in forms))}) == 1
    assert loose(name.upper()) == loose(name.lower().upper())


def test_records_of_names_in_two_forms_of_unicode_are_told_apart() -> None:
    """On some file systems they would be the same file."""
    pictures = ["caf\u00e9.jpg", "cafe\u0301.png"]
    assert record_names(pictures) == [f"{name}.json" for name in pictures]
