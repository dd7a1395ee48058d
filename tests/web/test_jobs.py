from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future

import pytest

from anonymizer.run.service import DroppedError, StoppedError, Ticket
from anonymizer.settings import Settings
from anonymizer.types import Progress
from anonymizer.web.admission import Admission, Queue
from anonymizer.web.jobs import Job, Jobs, answer_of
from anonymizer.web.orders import Done, Failed, Order
from anonymizer.web.problems import Problem

DONE = Done(b"file", "image/png", "png", b"[]", None, [(4, 3)], {"face": 1}, [], 0.5)


class Desk:
    """Answers when the test says so."""

    workers = 1

    def __init__(self) -> None:
        self.tickets: list[Ticket[Order, Done | Failed]] = []
        self.dropped: list[object] = []

    def submit(self, order: Order) -> Ticket[Order, Done | Failed]:
        self.tickets.append(Ticket(order))
        return self.tickets[-1]

    def position_of(self, ticket: object) -> int:
        return 0

    def drop(self, ticket: object) -> None:
        self.dropped.append(ticket)


def begin(desk: Desk, keep_s: float = 60.0, max_memory: int = 1000) -> tuple[Jobs, Job]:
    admission = Admission(Queue("pictures", 5, 5, 1, lambda: 0), None, 2 * max_memory)
    jobs = Jobs(admission, keep_s)
    place = admission.enter("a")
    place.hold(6)
    return jobs, jobs.add(Order(b"upload", Settings()), "me", place, desk)  # type: ignore[arg-type]


def state_of(job: Job) -> str:
    return job.state


async def settle(job: Job) -> None:
    while job.ended_s is None:
        await asyncio.sleep(0.001)


def test_a_job_goes_its_way_and_holds_only_what_is_still_needed() -> None:
    async def check() -> None:
        desk = Desk()
        jobs, job = begin(desk)
        assert state_of(job) == "waiting"
        with pytest.raises(Problem, match="the job is waiting"):
            job.take("result")
        desk.tickets[0].answer.set_running_or_notify_cancel()
        assert state_of(job) == "working"
        desk.tickets[0].answer.set_result(DONE)
        await settle(job)
        assert state_of(job) == "done"
        assert job.ticket is None
        assert jobs.admission.held_bytes == len(b"file" + b"[]")
        assert job.take("result") == b"file"
        jobs.end_if_fetched(job)
        assert jobs.get(job.id, "me") is job
        with pytest.raises(Problem, match="no result"):
            job.take("result")
        with pytest.raises(Problem, match="no mask"):
            job.take("mask")
        job.take("detections")
        jobs.end_if_fetched(job)
        with pytest.raises(Problem, match="no such job"):
            jobs.get(job.id, "me")
        assert (jobs.admission.held_bytes, jobs.admission.on_hand()) == (0, 0)

    asyncio.run(check())


def test_a_job_tells_how_far_it_is_and_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        desk = Desk()
        _, job = begin(desk)
        ticket = desk.tickets[0]
        assert (job.progress(), job.eta_s()) == ((0.0, ""), 1.0)
        ticket.answer.set_running_or_notify_cancel()
        ticket.begun_s, ticket.beat = time.monotonic() - 30, Progress("looked at 3 of 4 frames", 0.75)
        assert job.progress() == (0.75, "looked at 3 of 4 frames")
        assert job.eta_s() == pytest.approx(10, rel=0.1)
        ticket.beat = Progress("began anew", 0.1)
        assert job.progress() == (0.75, "began anew")  # a bar never goes back
        ticket.beat = Progress("looked at 9 frames")
        assert job.progress() == (0.75, "looked at 9 frames")
        ticket.answer.set_result(DONE)
        await settle(job)
        assert (job.progress(), job.eta_s()) == ((1.0, ""), 0.0)

    asyncio.run(check())


def test_names_of_jobs_cannot_be_guessed_and_serve_one_owner() -> None:
    async def check() -> None:
        desk = Desk()
        jobs, job = begin(desk)
        assert len(job.id) >= 22
        for owner in ("", "other"):
            with pytest.raises(Problem, match="no such job"):
                jobs.get(job.id, owner)
        jobs.delete(job)
        assert desk.dropped == [desk.tickets[0]]
        desk.tickets[0].answer.set_exception(DroppedError("gone"))
        await settle(job)
        assert list(jobs) == []
        assert jobs.admission.on_hand() == 0

    asyncio.run(check())


def test_what_nobody_fetches_is_forgotten() -> None:
    async def check() -> None:
        desk = Desk()
        jobs, job = begin(desk, keep_s=0.0)
        jobs.sweep()
        assert list(jobs) == [job]
        desk.tickets[0].answer.set_result(DONE)
        await settle(job)
        await asyncio.sleep(0.01)
        jobs.sweep()
        assert list(jobs) == []
        assert job.parts == {}

    asyncio.run(check())


@pytest.mark.parametrize("max_memory", [1000, 6])
def test_a_job_that_fails_holds_nothing(max_memory: int) -> None:
    async def check() -> None:
        desk = Desk()
        jobs, job = begin(desk, max_memory=max_memory)
        large = Done(bytes(2000), "image/png", "png", b"[]", None, [], {}, [], 0.5)
        desk.tickets[0].answer.set_result(large)
        await settle(job)
        assert job.state == "failed"
        with pytest.raises(Problem, match="of the memory"):
            job.take("result")
        assert jobs.admission.held_bytes == 0

    asyncio.run(check())


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Failed("too-large", "has many pixels"), 413), (StoppedError("stopped"), 503), (DroppedError("gone"), 404)],
)
def test_answers_that_are_none_are_problems(answer: Failed | Exception, status: int) -> None:
    future: Future[Done | Failed] = Future()
    if isinstance(answer, Failed):
        future.set_result(answer)
    else:
        future.set_exception(answer)
    with pytest.raises(Problem) as caught:
        asyncio.run(answer_of(Ticket(Order(b"", Settings()), future)))
    assert caught.value.status == status
