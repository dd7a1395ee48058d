"""The executor with several processes on this machine, none of which can take down the run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import wait

from anonymizer.errors import AnonymizerError
from anonymizer.run.executor import Task
from anonymizer.run.worker import READY, Worker
from anonymizer.types import Job, Result

START_TIMEOUT_S = 300.0
"""How long a worker may take to load its models."""
GRACE_S = 10.0
"""How long pictures in hand may take once the run is to stop."""
_FALSE_STARTS = 3
"""So many workers in a row that end before they are ready are no accident."""
_LOOK_AROUND_S = 0.1


class Pool:
    """Hands each worker one picture at a time.

    A worker that dies is replaced, and what it had in hand is tried once more when everything else is done and no other
    worker needs memory. A worker that takes too long is ended, and its picture has failed.
    """

    def __init__(
        self, task: Task, workers: int, timeout_s: float, locks: Sequence[int], is_stopping: Callable[[], bool]
    ) -> None:
        """
        Args:
            timeout_s: seconds that a picture may take.
            locks: descriptors that workers keep for as long as they live.
            is_stopping: whether pictures that take long are to be left.
        """
        self.workers = workers
        self._task = task
        self._timeout_s = timeout_s
        self._locks = locks
        self._is_stopping = is_stopping
        self._stopping_since: float | None = None
        self._staff: list[Worker] = []
        self._false_starts = 0
        self._lifeline, self._lifeline_end = os.pipe()

    def start(self) -> None:
        while not any(worker.is_ready for worker in self._staff):
            if not self._staff:
                self._hire()
            list(self._listen([]))  # nobody has a job yet

    def carry_out(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        suspects: list[Job] = []
        for job in jobs:
            while len(self._busy()) == self.workers:
                yield from self._listen(suspects)
            self._hand(job)
        while self._busy():
            yield from self._listen(suspects)
        for job in suspects:
            if self._is_stopping():
                return
            self._hand(job)
            while self._busy():
                yield from self._listen(None)

    def close(self) -> None:
        for worker in list(self._staff):
            self._dismiss(worker)
        os.close(self._lifeline)
        os.close(self._lifeline_end)

    def _busy(self) -> list[Worker]:
        return [worker for worker in self._staff if worker.job is not None]

    def _hand(self, job: Job) -> None:
        free = [worker for worker in self._staff if worker.job is None]
        worker = free[0] if free else self._hire()
        worker.hand(job)
        if worker.is_ready:  # otherwise its time begins when it is
            worker.deadline = time.monotonic() + self._timeout_s

    def _hire(self) -> Worker:
        worker = Worker(self._task, self._lifeline, self._locks)
        worker.deadline = time.monotonic() + START_TIMEOUT_S
        self._staff.append(worker)
        return worker

    def _dismiss(self, worker: Worker) -> str:
        """Ends a worker at once, and says how it ended."""
        self._staff.remove(worker)
        how = worker.end()
        if worker.job is not None:
            self._task.sweep(worker.job)
        return how

    def _listen(self, suspects: list[Job] | None) -> Iterator[tuple[Job, Result]]:
        """Yields the results that come within a moment.

        Args:
            suspects: takes the jobs of workers that died; without it these jobs have failed.
        """
        by_connection = {worker.connection: worker for worker in self._staff}
        for connection in wait(list(by_connection), _LOOK_AROUND_S):
            worker = by_connection[connection]  # type: ignore[index]
            answer = worker.answer()
            if answer == READY:
                worker.is_ready, self._false_starts = True, 0
                worker.deadline = time.monotonic() + self._timeout_s
            elif isinstance(answer, Result):
                job, worker.job, worker.deadline = worker.job, None, float("inf")
                assert job is not None
                yield job, answer
            elif isinstance(answer, AnonymizerError):
                raise answer
            else:
                yield from self._bury(worker, suspects)
        for worker in [worker for worker in self._staff if time.monotonic() > worker.deadline]:
            yield from self._lose_patience(worker)
        self._hurry()

    def _bury(self, worker: Worker, suspects: list[Job] | None) -> Iterator[tuple[Job, Result]]:
        how = self._dismiss(worker)
        if not worker.is_ready:
            self._false_starts += 1
            if self._false_starts == _FALSE_STARTS:
                raise AnonymizerError(f"worker processes end while they load the models ({how}); try fewer --workers")
        if worker.job is None:
            return
        if not worker.is_ready:
            self._hand(worker.job)
        elif suspects is not None:
            suspects.append(worker.job)
        else:
            yield worker.job, self._task.give_up(worker.job, f"ended the process that worked on it, twice ({how})")

    def _lose_patience(self, worker: Worker) -> Iterator[tuple[Job, Result]]:
        self._dismiss(worker)
        if not worker.is_ready:
            raise AnonymizerError(f"a worker process did not load the models within {START_TIMEOUT_S:g} s")
        if worker.job is not None:
            yield worker.job, self._task.give_up(worker.job, f"took longer than --timeout {self._timeout_s:g} seconds")

    def _hurry(self) -> None:
        if not self._is_stopping():
            return
        self._stopping_since = self._stopping_since or time.monotonic()
        if time.monotonic() - self._stopping_since > GRACE_S:
            for worker in self._busy():
                self._dismiss(worker)
