"""The files of reports, which do not all fit into memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.files.find import listing_order
from anonymizer.record.entries import Entries

NAMES = st.lists(st.text("ab\x01é\udc80\U0001f600", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


def entry(name: str, number: int = 0) -> dict[str, object]:
    return {"file": name, "number": number}


def test_it_is_a_sequence() -> None:
    kept = [entry(name, number) for number, name in enumerate(["b", "a", "b/c"])]
    entries = Entries(kept)
    assert list(entries) == list(entries) == kept
    assert len(entries) == 3
    assert entries[0] == entries[-3] == kept[0]
    assert entries[1:] == kept[1:]
    with pytest.raises(IndexError):
        entries[3]


@given(st.lists(NAMES, unique=True))
def test_their_order_is_that_of_a_listing(names: list[str]) -> None:
    found = [each["file"] for each in Entries(map(entry, names)).in_listing_order(pytest.fail)]
    assert found == sorted(names, key=listing_order)


def test_folders_may_be_there_twice_and_files_may_not() -> None:
    repeated: list[str] = []
    entries = Entries([entry("a/", 1), entry("b", 2), entry("a/", 3), entry("b", 4), entry("b", 5)])
    found = list(entries.in_listing_order(repeated.append))
    assert found == [entry("b", 5), entry("a/", 3)]
    assert repeated == ["b", "b"]
