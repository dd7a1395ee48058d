"""A service over real worker processes: items come one at a time, and trouble with one harms no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from run.tasks import FULL_DISK, HANGS, KILLS, KILLS_ONCE, Doubling, Lasting

from anonymizer.errors import ModelError, OutputError
from anonymizer.run.service import DroppedError, Service, StoppedError

WAIT_S = 60.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service[int, int]]:
    service: Service[int, int] = Service(Doubling(tmp_path), 2, timeout_s=2.0)
    service.start()
    yield service
    service.close()


def test_items_get_their_answers_whenever_they_come(service: Service[int, int]) -> None:
    first = [service.submit(number) for number in range(5)]
    assert [ticket.answer.result(WAIT_S) for ticket in first] == [0, 2, 4, 6, 8]
    assert service.submit(7).answer.result(WAIT_S) == 14
    assert service.is_ready
    assert service.count_waiting() == 0


def test_items_that_kill_are_tried_twice_and_harm_no_other(service: Service[int, int], tmp_path: Path) -> None:
    tickets = [service.submit(number) for number in (1, KILLS, 2, KILLS_ONCE, 3)]
    assert [ticket.answer.result(WAIT_S) for ticket in tickets] == [2, -KILLS, 4, 2 * KILLS_ONCE, 6]
    assert "twice (signal 9)" in (tmp_path / f"gave_up_{KILLS}").read_text()
    again = service.submit(KILLS)
    assert again.answer.result(WAIT_S) == -KILLS


@pytest.mark.slow
def test_an_item_that_takes_too_long_is_given_up(service: Service[int, int]) -> None:
    tickets = [service.submit(number) for number in (HANGS, 1)]
    assert [ticket.answer.result(WAIT_S) for ticket in tickets] == [-HANGS, 2]


def test_an_answer_that_nobody_wants_is_not_waited_for(tmp_path: Path) -> None:
    service: Service[int, int] = Service(Doubling(tmp_path), 1, timeout_s=3600.0)
    service.start()
    try:
        hanging, waiting, other = (service.submit(number) for number in (HANGS, 1, 2))
        while not hanging.is_begun:
            time.sleep(0.01)
        assert service.position_of(other) == 1
        service.drop(waiting)
        service.drop(hanging)
        for ticket in (waiting, hanging):
            with pytest.raises(DroppedError):
                ticket.answer.result(WAIT_S)
        assert other.answer.result(WAIT_S) == 4
        service.drop(other)  # too late, which does no harm
        assert service.submit(3).answer.result(WAIT_S) == 6
    finally:
        service.close()


def test_a_ticket_tells_how_far_its_item_is(tmp_path: Path) -> None:
    service: Service[int, int] = Service(Lasting(tmp_path), 1, timeout_s=WAIT_S)
    service.start()
    try:
        ticket = service.submit(5)
        assert ticket.beat == ""
        assert ticket.answer.result(WAIT_S) == 10
        assert ticket.beat == "step 5"
    finally:
        service.close()


def test_a_task_that_cannot_begin_says_so_at_the_start(tmp_path: Path) -> None:
    service: Service[int, int] = Service(Doubling(tmp_path, is_broken=True), 1, 60.0)
    with pytest.raises(ModelError, match="cannot begin"):
        service.start()
    service.close()


def test_an_error_for_all_items_ends_the_service(service: Service[int, int]) -> None:
    tickets = [service.submit(number) for number in (FULL_DISK, HANGS, HANGS, HANGS)]
    for ticket in tickets:
        with pytest.raises(StoppedError):
            ticket.answer.result(WAIT_S)
    assert isinstance(service.error, OutputError)
    assert not service.is_ready
    with pytest.raises(StoppedError):
        service.submit(1).answer.result(WAIT_S)


def test_closing_ends_what_is_in_flight(tmp_path: Path) -> None:
    service: Service[int, int] = Service(Doubling(tmp_path), 1, timeout_s=3600.0)
    service.start()
    tickets = [service.submit(number) for number in (HANGS, 1)]
    service.close()
    for ticket in tickets:
        with pytest.raises(StoppedError):
            ticket.answer.result(WAIT_S)
