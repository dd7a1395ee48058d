"""The findings of a check lie on disk, in the order of the files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anonymizer.check.finding import Finding
from anonymizer.check.html_page import Card
from anonymizer.check.store import FindingStore
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
