"""Jobs that outlive their request: in memory only, for a few minutes, and each result is gone once it is fetched."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from anonymizer.run.service import DroppedError, Service, StoppedError, Ticket
from anonymizer.types import Progress
from anonymizer.web.admission import Admission, Place
from anonymizer.web.orders import Done, Failed, Order
from anonymizer.web.problems import Problem

State: TypeAlias = Literal["waiting", "working", "done", "failed"]
Part: TypeAlias = Literal["result", "detections", "mask"]
Desk: TypeAlias = Service[Order, Done | Failed]
"""What does the work."""


_LEAST_SHARE = 0.02
"""Of the work, before which nothing is said from how long it took."""


@dataclass(eq=False)
class Job:
    """One picture or film, from the upload until its results are fetched or too old."""

    owner: str
    place: Place
    desk: Desk
    """Where it is worked on."""
    ticket: Ticket[Order, Done | Failed] | None
    """None once there is an answer: it holds the upload."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    ended_s: float | None = None
    """When it was done, on the clock of time.monotonic()."""
    share: float = 0.0
    """Of the work, as it was last told."""
    parts: dict[Part, bytes] = field(default_factory=dict)
    """What can be fetched, once."""
    done: Done | None = None
    """Without its files."""
    problem: Problem | None = None

    @property
    def state(self) -> State:
        if self.ended_s is not None:
            return "done" if self.problem is None else "failed"
        return "working" if self.ticket is None or self.ticket.is_begun else "waiting"

    def progress(self) -> tuple[float, str]:
        """The share of the work that is done, 0..1, and how far the worker is in its own words."""
        if self.ended_s is not None:
            return 1.0, ""
        beat = "" if self.ticket is None else self.ticket.beat
        if isinstance(beat, Progress) and beat.share is not None:
            self.share = max(self.share, beat.share)
        return self.share, str(beat)

    def eta_s(self) -> float:
        """An estimate of the seconds until it is done."""
        share, _ = self.progress()
        if self.ticket is None:
            return 0.0
        if self.ticket.begun_s is not None and share >= _LEAST_SHARE:
            return (time.monotonic() - self.ticket.begun_s) * (1 - share) / share
        return self.place.queue.seconds_until(self.desk.position_of(self.ticket))

    def take(self, part: Part) -> bytes:
        """What can be fetched, for the last time.

        Raises:
            Problem: there is none, or it has been fetched.
        """
        if self.problem is not None:
            raise self.problem
        if self.ended_s is None:
            raise Problem("not-done", f"the job is {self.state}", headers={"Retry-After": "1"})
        if part not in self.parts:
            raise Problem("not-found", f"the job has no {part}, or it has been fetched")
        return self.parts.pop(part)


@dataclass(eq=False)
class Jobs:
    """All jobs. Only for the thread of the server."""

    admission: Admission
    keep_s: float
    """How long results are kept."""
    note: Callable[[str, float, Place], None] = lambda outcome, seconds, place: None
    """Is told what became of each job, done or the name of a problem, and how long a worker took."""
    _jobs: dict[str, Job] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def add(self, order: Order, owner: str, place: Place, desk: Desk) -> Job:
        """Begins a job, which holds the place until it ends."""
        ticket = desk.submit(order)
        job = Job(owner, place, desk, ticket)
        self._jobs[job.id] = job
        task = asyncio.get_running_loop().create_task(self._follow(job, ticket, place.held_bytes))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def get(self, name: str, owner: str) -> Job:
        """
        Raises:
            Problem: there is none of this owner.
        """
        job = self._jobs.get(name)
        if job is None or job.owner != owner:
            raise Problem("not-found", "there is no such job, or it has ended")
        return job

    def delete(self, job: Job) -> None:
        """Forgets a job and all that is in memory of it, also in the worker."""
        if job.ticket is not None:
            job.desk.drop(job.ticket)
        self._end(job)

    def sweep(self) -> None:
        """Forgets what is too old."""
        for job in list(self):
            if job.ended_s is not None and time.monotonic() - job.ended_s > self.keep_s:
                self._end(job)

    def end_if_fetched(self, job: Job) -> None:
        """Forgets a job whose result has been fetched, with all other parts."""
        if job.done is not None and not job.parts:
            self._end(job)

    def _end(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        job.parts.clear()
        job.place.leave()

    async def _follow(self, job: Job, ticket: Ticket[Order, Done | Failed], upload_bytes: int) -> None:
        """Waits for what becomes of a job."""
        try:
            answer = await answer_of(ticket)
            job.place.let_go(upload_bytes)
            self._note(job, answer)
        except Problem as problem:
            job.place.let_go(job.place.held_bytes)
            job.problem = problem
            self.note(problem.name, 0.0, job.place)
        job.ticket = None
        job.ended_s = time.monotonic()

    def _note(self, job: Job, done: Done) -> None:
        parts: dict[Part, bytes] = {"detections": done.detections}
        if done.file:
            parts["result"] = done.file
        if done.mask is not None:
            parts["mask"] = done.mask
        job.place.hold(sum(map(len, parts.values())))
        self.note("done", done.seconds, job.place)
        job.parts = parts
        job.done = done.without_files()


async def answer_of(ticket: Ticket[Order, Done | Failed]) -> Done:
    """Waits for the answer.

    Raises:
        Problem: there is none, or it is that the picture has failed.
    """
    try:
        answer = await asyncio.shield(asyncio.wrap_future(ticket.answer))
    except StoppedError:
        raise Problem("busy", "the server stops", headers={"Retry-After": "60"}) from None
    except DroppedError:
        raise Problem("not-found", "it has been deleted") from None
    if isinstance(answer, Failed):
        raise Problem(answer.problem, answer.reason)
    return answer
