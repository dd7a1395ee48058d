"""Pictures in stores are fetched before they are asked for, a few of them, and none is lost for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest
from stores import in_memory

from anonymizer.addresses import Address
from anonymizer.errors import VanishedError
from anonymizer.files.read import read_picture
from anonymizer.files.storage import FsspecStorage, storage_of
from anonymizer.run import ahead
from anonymizer.run.ahead import ReadingAhead, reading_ahead
from anonymizer.types import Job


def job_of(name: str, size: int = 4) -> Job:
    path = Path(name)
    return Job(path, path, path.with_suffix(".json"), version=f"{size} tag")


@pytest.fixture
def store() -> Address:
    return in_memory({f"{number}.png": b"%04d" % number for number in range(20)})


@pytest.fixture
def reading(store: Address) -> Iterator[ReadingAhead]:
    with reading_ahead(store, 2) as reading:
        yield reading


def taken(jobs: Iterable[Job]) -> Iterator[Job]:
    """Those of the jobs, counted."""
    for job in jobs:
        COUNT.append(job.name)
        yield job


COUNT: list[str] = []


@pytest.fixture(autouse=True)
def _no_count() -> None:
    COUNT.clear()


def test_each_comes_once_with_its_content(reading: ReadingAhead) -> None:
    contents = {}
    for job in reading.over([job_of(f"{number}.png") for number in range(20)]):
        assert job.ahead is not None
        contents[job.name] = job.ahead.read_bytes()
        reading.forget(job)
        assert not job.ahead.exists()
    assert contents == {f"{number}.png": b"%04d" % number for number in range(20)}


def test_some_are_fetched_while_the_first_is_worked_on(reading: ReadingAhead) -> None:
    jobs = reading.over(taken(job_of(f"{number}.png") for number in range(20)))
    next(jobs)
    assert len(COUNT) == 5  # two for each worker, and the one that waits for room
    next(jobs)
    assert len(COUNT) == 6


def test_the_first_that_is_there_comes_first(
    store: Address, reading: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_come, usual = Event(), FsspecStorage.read

    def read(self: FsspecStorage, name: Path, most: int | None = None) -> bytes:
        if name.name == "0.png":
            may_come.wait(60)
        return usual(self, name, most)

    monkeypatch.setattr(FsspecStorage, "read", read)
    jobs = reading.over([job_of("0.png"), job_of("1.png")])
    assert next(jobs).name == "1.png"
    may_come.set()
    assert [job.name for job in jobs] == ["0.png"]


def test_bytes_are_bounded(reading: ReadingAhead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "AHEAD_BYTES", 10)
    jobs = reading.over(taken(job_of(f"{number}.png") for number in range(20)))
    first = next(jobs)
    assert len(COUNT) == 3  # two of four bytes each, and the one that waits for room
    reading.forget(first)
    second = next(jobs)
    assert len(COUNT) == 4
    reading.forget(second)
    assert sum(1 for job in map(reading.forget, jobs)) == 18


def test_what_is_not_fetched(reading: ReadingAhead) -> None:
    """Films are fetched by those who work on them, and what is wrong with a file they are to say."""
    names = ["film.mp4", "missing.png", "large.png", "unknown.png"]
    sizes = [4, 4, ahead.AHEAD_BYTES + 1, 0]
    jobs = [job_of(name, size) for name, size in zip(names, sizes, strict=True)]
    assert [(job.name, job.ahead) for job in sorted(reading.over(jobs), key=lambda job: names.index(job.name))] == [
        (name, None) for name in names
    ]


def test_nothing_stays(store: Address) -> None:
    with reading_ahead(store, 2) as reading:
        jobs = list(itertools.islice(reading.over(job_of(f"{number}.png") for number in range(20)), 3))
    assert [job.ahead is not None and job.ahead.exists() for job in jobs] == [False] * 3


def test_a_copy_that_is_gone_is_read_from_the_store(store: Address, tmp_path: Path) -> None:
    with pytest.raises(VanishedError):
        read_picture(store / "no.png", ahead=tmp_path / "gone")
    assert storage_of(store).read(Path("3.png")) == b"0003"
