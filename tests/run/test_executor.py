"""One suite over every executor: the same answers, whoever does the work. And what becomes of items that kill."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from run.tasks import FULL_DISK, HANGS, KILLS, KILLS_ONCE, KILLS_ONCE_JOINED, LASTS_S, Doubling, Lasting, Sharing

from anonymizer.errors import ModelError, OutputError
from anonymizer.run.dispatcher import MOST_TOGETHER, Dispatcher
from anonymizer.run.executor import Executor, SerialExecutor
from anonymizer.run.pool import Pool
from anonymizer.run.ray import RayPlace, make_ray_executor

Make: TypeAlias = Callable[..., Executor[int, int]]


MAKERS: dict[str, Make] = {
    "serial": lambda task, timeout_s: SerialExecutor(task),
    "pool": lambda task, timeout_s: Pool(task, 2, timeout_s),
    "ray": lambda task, timeout_s: make_ray_executor(task, RayPlace(), 2, timeout_s),
}


@pytest.fixture(params=["serial", "pool", pytest.param("ray", marks=pytest.mark.slow)])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """make(task) is an executor, closed after the test."""
    yield from _make_by(request)


@pytest.fixture(params=["pool", pytest.param("ray", marks=pytest.mark.slow)])
def make_guarded(request: pytest.FixtureRequest) -> Iterator[Make]:
    """The same, of those that crashes and hangs do not take down."""
    yield from _make_by(request)


def _make_by(request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Executor[int, int]] = []
    if request.param == "ray":
        request.getfixturevalue("a_ray")

    def make(task: Doubling, timeout_s: float = 60.0) -> Executor[int, int]:
        executor = MAKERS[request.param](task, timeout_s)
        made.append(executor)
        return executor

    yield make
    for executor in made:
        executor.close()


def test_every_item_gets_its_answer(make: Make, tmp_path: Path) -> None:
    executor = make(Doubling(tmp_path))
    executor.start()
    assert sorted(executor.run(range(8, 0, -1))) == [(number, 2 * number) for number in range(1, 9)]
    assert list(executor.run([])) == []
    assert list(executor.run([5])) == [(5, 10)]  # it can run again


def test_items_are_taken_when_a_worker_is_free(make: Make, tmp_path: Path) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(200):
            taken.append(number)
            yield number

    executor = make(Doubling(tmp_path))
    next(iter(executor.run(items())))
    together = MOST_TOGETHER if isinstance(executor, Dispatcher) else 1
    assert len(taken) <= 2 * together * max(1, executor.workers) + 1


def test_a_task_that_cannot_begin_says_so_at_the_start(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot begin"):
        make(Doubling(tmp_path, is_broken=True)).start()


def test_an_error_for_all_items_ends_the_run(make: Make, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"):
        list(make(Doubling(tmp_path)).run([1, FULL_DISK, 2]))


def test_what_workers_log_is_logged_here(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "anonymizer"):
        list(make(Doubling(tmp_path)).run([21]))
    assert "doubles 21" in caplog.messages


def test_nothing_is_logged_that_nobody_wants(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    list(make(Doubling(tmp_path)).run([21]))
    assert caplog.messages == []


def test_an_item_that_kills_is_given_up_after_a_second_try_and_the_others_get_their_answers(
    make_guarded: Make, tmp_path: Path
) -> None:
    executor = make_guarded(Doubling(tmp_path))
    assert dict(executor.run([1, KILLS, KILLS_ONCE, 2])) == {1: 2, 2: 4, KILLS: -KILLS, KILLS_ONCE: 2 * KILLS_ONCE}
    reason = (tmp_path / f"gave_up_{KILLS}").read_text()
    assert reason in [f"ended the process that worked on it, twice ({how})" for how in ("signal 9", "by a crash")]
    assert (tmp_path / f"swept_{KILLS_ONCE}").exists()


@pytest.mark.slow
def test_an_item_that_takes_too_long_is_given_up(make_guarded: Make, tmp_path: Path) -> None:
    assert dict(make_guarded(Doubling(tmp_path), 2.0).run([1, HANGS])) == {1: 2, HANGS: -HANGS}
    assert (tmp_path / f"gave_up_{HANGS}").read_text() == "took longer than --timeout 2 seconds"


def test_tasks_can_be_sent(tmp_path: Path) -> None:
    assert pickle.loads(pickle.dumps(Doubling(tmp_path))) == Doubling(tmp_path)


def test_an_item_that_logs_and_hangs_is_given_up_too(
    make_guarded: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "anonymizer"):
        assert dict(make_guarded(Doubling(tmp_path), 1.5).run([1, HANGS])) == {1: 2, HANGS: -HANGS}
    assert f"doubles {HANGS}" in caplog.messages


def test_a_worker_that_logs_keeps_no_other_waiting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "anonymizer"):
        pool: Pool[int, int] = Pool(Doubling(tmp_path), 2, timeout_s=5.0)
        with closing(pool):
            answers = [item for item, _ in pool.run([HANGS, 1, 2, 3])]
    assert answers == [1, 2, 3, HANGS]


@pytest.mark.parametrize("is_serial", [True, False])
def test_work_that_tells_how_far_it_is_may_take_long(tmp_path: Path, is_serial: bool) -> None:
    """Each item takes longer than the time limit, but no step of it does."""
    told: list[tuple[int, str]] = []

    def note(item: int, text: str) -> None:
        told.append((item, text))

    task = Lasting(tmp_path)
    executor: Executor[int, int] = SerialExecutor(task, note) if is_serial else Pool(task, 1, 6 * LASTS_S, on_beat=note)
    with closing(executor):
        executor.start()
        assert list(executor.run([12])) == [(12, 24)]
    assert told == [(12, f"step {number}") for number in range(1, 13)]


PARTS = {100: (30, 30, 20, 20), 7: (7,), KILLS + 3: (1, KILLS, 2), KILLS_ONCE + 3: (1, KILLS_ONCE, 2)}
PARTS |= {HANGS + 3: (1, HANGS, 2), KILLS_ONCE_JOINED: (20, 20), FULL_DISK + 1: (FULL_DISK, 1)}


def test_shared_items_get_the_same_answers(make: Make, tmp_path: Path) -> None:
    executor = make(Sharing(tmp_path, parts=PARTS))
    assert dict(executor.run([1, 100, 7, 2])) == {1: 2, 100: 200, 7: 14, 2: 4}
    assert (tmp_path / "whole_100").exists() == (not isinstance(executor, Pool))


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Pool[int, int]]:
    pool: Pool[int, int] = Pool(Sharing(tmp_path, parts=PARTS), 2, timeout_s=2.0)
    yield pool
    pool.close()


def test_a_part_that_kills_once_is_tried_again_and_the_other_parts_are_kept(
    sharing: Pool[int, int], tmp_path: Path
) -> None:
    item = KILLS_ONCE + 3
    assert list(sharing.run([item])) == [(item, 2 * item)]
    assert not (tmp_path / f"whole_{item}").exists()


def test_an_item_whose_part_kills_is_given_up_after_it_was_tried_as_a_whole(
    sharing: Pool[int, int], tmp_path: Path
) -> None:
    """The whole would do here: the number itself does not kill."""
    item = KILLS + 3
    assert dict(sharing.run([item, 5])) == {item: 2 * item, 5: 10}
    assert (tmp_path / f"whole_{item}").exists()


def test_an_item_whose_joining_kills_is_done_as_a_whole(sharing: Pool[int, int], tmp_path: Path) -> None:
    item = KILLS_ONCE_JOINED
    assert dict(sharing.run([item, 5])) == {item: 2 * item, 5: 10}
    assert (tmp_path / f"whole_{item}").exists()


@pytest.mark.slow
def test_an_item_whose_part_takes_too_long_is_given_up(sharing: Pool[int, int], tmp_path: Path) -> None:
    item = HANGS + 3
    assert dict(sharing.run([item, 5])) == {item: -item, 5: 10}
    assert (tmp_path / f"swept_{item}").exists()


def test_an_error_in_a_part_ends_the_run(sharing: Pool[int, int]) -> None:
    with pytest.raises(OutputError, match="disk is full"):
        list(sharing.run([FULL_DISK + 1]))


def test_it_is_told_how_many_parts_are_done(tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []
    pool: Pool[int, int] = Pool(
        Sharing(tmp_path, parts=PARTS), 2, 60.0, on_beat=lambda item, text: told.append((item, text))
    )
    with closing(pool):
        list(pool.run([100]))
    assert told == [(100, f"{number} of 4 parts") for number in (1, 2, 3, 4)]


def test_no_part_is_begun_once_the_run_is_to_stop(tmp_path: Path) -> None:
    is_stopping = False

    def stop(item: int, text: str) -> None:
        nonlocal is_stopping
        is_stopping = True

    pool: Pool[int, int] = Pool(Sharing(tmp_path, parts=PARTS), 2, 60.0, (), lambda: is_stopping, on_beat=stop)
    with closing(pool):
        assert list(pool.run([100])) == []
    assert not (tmp_path / "processes_100").exists()
