from pathlib import Path

import pytest
from video.film_samples import write_film

from anonymizer.errors import TooLargeError
from anonymizer.video.length import check_length
from anonymizer.video.source import open_film


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.ts", "libx264")]
)
def test_a_film_is_as_long_as_it_may_be_or_longer(tmp_path: Path, name: str, codec: str) -> None:
    film = open_film(write_film(tmp_path / name, codec, 25))
    check_length(film, 25, 1.05)
    with pytest.raises(TooLargeError, match="more than 24 frames"):
        check_length(film, 24, 60)
    with pytest.raises(TooLargeError, match=r"longer than 0\.9 seconds"):
        check_length(film, 100, 0.9)


def test_pauses_count(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", frames=3, times=[0, 512, 128_000]))
    with pytest.raises(TooLargeError, match="longer than 9 seconds"):
        check_length(film, 100, 9)


def test_what_lies_in_the_middle_of_a_longer_clock_counts_from_its_first_frame(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mkv", frames=3, times=[128_000, 128_512, 129_024]))
    check_length(film, 3, 1)
