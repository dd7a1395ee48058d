"""What a run would take, by a sample."""

from collections import Counter
from pathlib import Path

import pytest
from fakes import Folders, load_troublesome, noise, save
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import SettingsError
from anonymizer.run.estimate import Estimate, Range, draw, estimate, mean_of
from anonymizer.settings import Settings
from anonymizer.types import Job


def job(number: int) -> Job:
    path = Path(f"{number:04}.png")
    return Job(path, path, path.with_suffix(".json"))


def test_a_sample_is_drawn_from_all_and_the_same_each_time() -> None:
    jobs = [job(number) for number in range(1000)]
    drawn = draw(iter(jobs), 300)
    assert len(set(drawn)) == 300
    assert drawn == draw(iter(jobs), 300)
    of_hundreds = Counter(int(each.name[:2]) for each in drawn)
    assert min(of_hundreds.values()) > 15
    assert len(of_hundreds) == 10


def test_a_small_folder_is_measured_as_a_whole() -> None:
    assert draw([job(1), job(2)], 30) == [job(1), job(2)]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_the_mean_lies_in_its_range(values: list[float]) -> None:
    mean, low, high = mean_of(values)
    assert min(values) <= low <= high <= max(values) * (1 + 1e-12)
    assert low <= mean * (1 + 1e-9)
    assert mean <= high * (1 + 1e-9) or len(values) < 5


def test_ranges_hold_the_mean_about_as_often_as_they_say() -> None:
    import random

    chance = random.Random(1)
    held = 0
    for _ in range(100):
        _, low, high = mean_of([chance.gauss(10, 3) for _ in range(30)])
        held += low <= 10 <= high
    assert 80 <= held <= 97


def test_hours_and_cost_follow_from_the_sample() -> None:
    found = Estimate(7200, 0, 10, [], Range(1, 1, 1), Range(2, 1, 4), 10**9)
    assert found.seconds(4) == (3600, 1800, 7200)
    assert found.cost(0.5) == (2, 1, 4)


def test_a_folder_is_counted_and_its_sample_measured(folders: Folders) -> None:
    for index in range(6):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    (folders[0] / "film.mp4").write_bytes(b"no film")
    (folders[0] / "5.png").write_bytes(b"no picture")
    found = estimate(folders[0], Settings(), load_troublesome, 10)
    assert (found.pictures, found.films, found.sampled) == (6, 1, 6)
    assert [result.file for result in found.failed] == ["5.png"]
    assert 0 < found.picture_s.low <= found.picture_s.mean <= found.picture_s.high
    assert found.picture_bytes.low < 3000
    assert found.worker_bytes > 10_000_000
    assert not folders[1].exists()


def test_a_folder_without_pictures_is_an_error(folders: Folders) -> None:
    with pytest.raises(SettingsError, match="holds no picture"):
        estimate(folders[0], Settings(), load_troublesome, 10)
    (folders[0] / "a.png").write_bytes(b"no picture")
    with pytest.raises(SettingsError, match="no picture of the sample can be processed"):
        estimate(folders[0], Settings(), load_troublesome, 10)
