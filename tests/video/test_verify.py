"""Tests of anonymizer.video.verify: what it refuses. What it accepts is tested with `sink`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from video.film_samples import write_film

from anonymizer.errors import PictureError
from anonymizer.settings import ReadSettings
from anonymizer.video.facts import FilmFacts
from anonymizer.video.source import open_film
from anonymizer.video.verify import Account, verify

Change = Callable[[FilmFacts], FilmFacts]


def account_of(path: Path) -> tuple[FilmFacts, Account]:
    film = open_film(path)
    account = Account(film.facts.time_base)
    for _ in account.noted(film.read()):
        pass
    return film.facts, account


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_film(tmp_path / "a.mkv", sounds=["aac", "flac"])


def test_a_film_is_as_it_is(source: Path) -> None:
    verify(source, *account_of(source), (1, 2), ReadSettings())


def fails(path: Path, source: Path, kept: tuple[int, ...], reason: str) -> None:
    facts, account = account_of(source)
    with pytest.raises(PictureError, match=f"was not written right: .*{reason}"):
        verify(path, facts, account, kept, ReadSettings())


def test_a_frame_is_missing(source: Path, tmp_path: Path) -> None:
    other = write_film(tmp_path / "b.mkv", frames=19, sounds=["aac", "flac"])
    fails(other, source, (1, 2), "19 frames in place of 20")


def test_a_frame_comes_later(source: Path, tmp_path: Path) -> None:
    times = [index * 512 for index in range(20)]
    other = write_film(tmp_path / "b.mkv", times=[*times[:-1], times[-1] + 100], sounds=["aac", "flac"])
    fails(other, source, (1, 2), "come at other times")


def test_sound_is_missing_or_another(source: Path, tmp_path: Path) -> None:
    fails(write_film(tmp_path / "b.mkv", sounds=["aac"]), source, (1, 2), "1 other streams in place of 2")
    fails(write_film(tmp_path / "b.mkv", sounds=["flac", "aac"]), source, (1, 2), "its audio is not the same")
    fails(source, source, (2, 1), "its audio is not the same")


def test_the_new_film_is_damaged(source: Path, tmp_path: Path) -> None:
    cut = tmp_path / "b.mkv"
    cut.write_bytes(source.read_bytes()[:-500])
    fails(cut, source, (1, 2), "the new film is cut off")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda facts: replace(facts, width=facts.width + 2), "size"),
        (lambda facts: replace(facts, display_matrix=(0,) * 9), "display matrix"),
        (lambda facts: replace(facts, sample_aspect_ratio=2), "pixel shape"),
    ],
)
def test_it_would_be_shown_otherwise(source: Path, change: Change, reason: str) -> None:
    facts, account = account_of(source)
    with pytest.raises(PictureError, match=f"was not written right: its {reason}"):
        verify(source, change(facts), account, (1, 2), ReadSettings())
