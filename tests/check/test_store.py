"""The findings of a check lie on disk, in the order of the files."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.finding import LEVELS, Finding, urgency
from anonymizer.check.html_page import Card
from anonymizer.check.store import FindingStore
from anonymizer.errors import OutputError
from anonymizer.geometry import Box

FACE = Finding("b.png", "face", "not redacted", box=Box(1, 2, 3.5, 4), score=0.25, frame=2)


@pytest.fixture
def store() -> Iterator[FindingStore]:
    store = FindingStore()
    yield store
    store.close()


def test_findings_come_back_as_they_were_in_the_order_of_the_files(store: FindingStore) -> None:
    known = [Finding("z/", "unreadable", "closed"), Finding("y/", "unreadable", "closed")]
    first, weak = Finding("a\udcff.png", "gps", "GPS data"), Finding("a\udcff.png", "plate", "weak", "warning")
    for finding in known:
        store.add([finding])
    store.add([FACE], position=1)
    store.add([first, weak], position=0)
    assert list(store) == [*known, first, weak, FACE]
    assert list(store.of("warning")) == [weak]
    assert store.levels == {"finding": 4, "warning": 1}


def test_files_are_counted_once(store: FindingStore) -> None:
    store.add([FACE, FACE], position=0)
    store.add([Finding("b.png", "extra", "belongs to no picture")])
    store.add([Finding("c.png", "face", "weak", "warning")], position=1)
    assert store.files_with("finding") == 1
    assert store.files_with("accepted") == 0


def test_articles_come_by_urgency_then_by_name(store: FindingStore) -> None:
    for name, level in (("c", "warning"), ("b", "finding"), ("a", "finding")):
        store.add([], Card(name, [Finding(name, "face", "seen", level)]), position=0)  # type: ignore[arg-type]
    names = [article.partition(b"<bdi>")[2][:1] for article in store.articles()]
    assert names == [b"a", b"b", b"c"]


def doubt(file: str, score: float | None, **values: Any) -> Finding:
    return Finding(file, "face", "seen weakly", "warning", Box(1, 2, 3, 4), score, **values)


def test_only_the_likeliest_doubts_stay_warnings(store: FindingStore) -> None:
    likely, unlikely, film = doubt("a.png", 0.5), doubt("a.png", 0.1), doubt("f.mp4", 0.2, time_s=1.0)
    placeless = Finding("b.png", "missing", "explained", "warning")
    for position, findings in enumerate(([likely, unlikely], [placeless], [doubt("c.png", 0.2)], [FACE], [film])):
        file = findings[0].file
        store.add(findings, Card(file, sorted(findings, key=urgency)), position)
    store.limit_doubts(1)
    assert [(one.file, one.level) for one in store] == [
        ("a.png", "warning"), ("a.png", "noted"), ("b.png", "warning"), ("c.png", "noted"), ("b.png", "finding"),
        ("f.mp4", "warning"),
    ]  # fmt: skip
    assert [one.text for one in store.of("noted")] == ["seen weakly; less likely than the warnings"] * 2
    assert (store.levels["warning"], store.levels["noted"], store.files_with("warning")) == (3, 2, 3)
    page = b"".join(store.articles())
    assert b"c.png" not in page
    assert page.count(b'class="warning"') == 3
    assert page.count(b'class="noted"') == 1


@pytest.mark.parametrize(("number", "left"), [(0, 0), (1, 0), (2, 2), (9, 2)])
def test_equal_doubts_are_kept_or_noted_together(store: FindingStore, number: int, left: int) -> None:
    store.add([doubt("a.png", 0.25), doubt("b.png", 0.25)], position=0)
    store.limit_doubts(number)
    assert len(list(store.of("warning"))) == store.levels["warning"] == left


SIDES = st.floats(-1e9, 1e9)
NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
FINDINGS = st.builds(
    Finding,
    NAMES,
    st.sampled_from(["face", "gps", "missing"]),
    NAMES,
    st.sampled_from(LEVELS),
    st.none() | st.builds(lambda x, y, w, h: Box(x, y, x + abs(w), y + abs(h)), SIDES, SIDES, SIDES, SIDES),
    st.none() | st.floats(0, 1),
    st.integers(0, 2**40),
)


@given(by_file=st.lists(st.lists(FINDINGS, max_size=4), max_size=6), order=st.randoms(use_true_random=False))
def test_what_was_added_in_any_order_comes_back(by_file: list[list[Finding]], order: Random) -> None:
    numbered = list(enumerate(by_file))
    order.shuffle(numbered)
    expected = [finding for findings in by_file for finding in findings]
    with closing(FindingStore()) as store:
        for position, findings in numbered:
            store.add(findings, position=position)
        assert list(store) == expected
        assert store.levels == Counter(finding.level for finding in expected)
        for level in LEVELS:
            of_level = [finding for finding in expected if finding.level == level]
            assert list(store.of(level)) == list(store.of(level)) == of_level
            assert store.files_with(level) == len({finding.file for finding in of_level})


def test_a_full_disk_is_an_error_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def with_little_space(database: str) -> sqlite3.Connection:
        connection = connect(database)
        connection.execute("PRAGMA max_page_count = 8")
        return connection

    monkeypatch.setattr(sqlite3, "connect", with_little_space)
    with closing(FindingStore()) as store:
        store.add([FACE], position=0)
        with pytest.raises(OutputError, match="temporary database of the findings: database or disk is full"):
            store.add([Finding("c.png", "name", "x" * 100_000)], position=1)
        assert list(store) == [FACE]
        assert store.levels == {"finding": 1}
