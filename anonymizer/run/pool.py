"""The executor with several processes on this machine, none of which can take down the run."""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from typing import Generic

from anonymizer.errors import AnonymizerError, SettingsError
from anonymizer.run.executor import Answer, Executor, Item, SerialExecutor, Task
from anonymizer.run.machine import auto_workers
from anonymizer.run.parts import Piece, Pieces
from anonymizer.run.retries import RetryPolicy
from anonymizer.run.worker import Beat, Done, Ready, Worker

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 300.0
"""How long a worker may take to load its models."""
GRACE_S = 10.0
"""How long items in flight may take once the run is to stop."""
_POLL_S = 0.1
_DEATH_S = 2.0
"""How long the process of a worker whose connection has ended may take to end."""


class Pool(Generic[Item, Answer]):
    """Hands each worker one item at a time, or one piece of an item that several can share.

    A worker that dies is replaced. A part of an item is then tried once more; otherwise the `RetryPolicy` says what
    becomes of the item. A worker that takes too long is killed, and its item is given up.
    """

    def __init__(
        self,
        task: Task[Item, Answer],
        workers: int,
        timeout_s: float,
        locks: Sequence[int] = (),
        is_stopping: Callable[[], bool] = lambda: False,
        retries: RetryPolicy[Item] | None = None,
        on_beat: Callable[[Item, str], None] = lambda item, text: None,
    ) -> None:
        """
        Args:
            timeout_s: seconds that an item may take, or that may pass until its worker tells how far it is.
            locks: descriptors that workers keep for as long as they live.
            is_stopping: whether items that take long are to be dropped.
            retries: for callers that hand in items themselves; each `run` has its own.
            on_beat: called with an item that takes long, and how far it is.
        """
        self.workers = workers
        self._task = task
        self._timeout_s = timeout_s
        self._locks = locks
        self._is_stopping = is_stopping
        self._on_beat = on_beat
        self._stopping_since: float | None = None
        self._workers: list[Worker[Item, Answer]] = []
        self._retries: RetryPolicy[Item] = retries or RetryPolicy()
        self._pieces: Pieces[Item] = Pieces(on_beat)
        self._lifeline, self._lifeline_end = os.pipe()

    def start(self) -> None:
        while not any(worker.is_ready for worker in self._workers):
            if not self._workers:
                self._spawn()
            list(self.poll())  # no worker has an item yet

    def run(self, items: Iterable[Item]) -> Iterator[tuple[Item, Answer]]:
        self._retries = RetryPolicy()
        for item in items:
            while len(self.busy()) + len(self._pieces.waiting) >= self.workers:
                yield from self.poll()
            self.submit(item)
        yield from self._finish()
        for item in self._retries.begin_second_round():
            if self._is_stopping():
                return
            self._hand(Piece(item))  # as a whole, so that nothing else takes memory
            yield from self._finish()

    def _finish(self) -> Iterator[tuple[Item, Answer]]:
        while self.busy() or self._pieces.waiting:
            yield from self.poll()

    def close(self) -> None:
        for worker in list(self._workers):
            self._kill(worker)
        os.close(self._lifeline)
        os.close(self._lifeline_end)

    def busy(self) -> list[Worker[Item, Answer]]:
        """The workers that work on something."""
        return [worker for worker in self._workers if worker.piece is not None]

    def fill(self) -> None:
        """Starts the workers that are missing."""
        while len(self._workers) < self.workers:
            self._spawn()

    def is_free(self) -> bool:
        """Whether a worker is ready and has nothing to do, nor will have."""
        return sum(worker.is_ready and worker.piece is None for worker in self._workers) > len(self._pieces.waiting)

    def submit(self, item: Item) -> None:
        """Hands an item to a worker; one that is not ready may keep the caller waiting until it is."""
        self._hand(Piece(item, "first" if self.workers > 1 else "whole"))

    def _hand(self, piece: Piece[Item]) -> None:
        free = [worker for worker in self._workers if worker.piece is None]
        worker = max(free, key=lambda worker: worker.is_ready) if free else self._spawn()
        worker.submit(piece)
        if worker.is_ready:  # otherwise its time begins when it is
            worker.deadline = time.monotonic() + self._timeout_s

    def _spawn(self) -> Worker[Item, Answer]:
        worker: Worker[Item, Answer] = Worker(self._task, self._lifeline, self._locks)
        worker.deadline = time.monotonic() + START_TIMEOUT_S
        self._workers.append(worker)
        return worker

    def _kill(self, worker: Worker[Item, Answer], grace_s: float = 0.0) -> str:
        """Ends a worker, and says how it ended."""
        self._workers.remove(worker)
        how = worker.end(grace_s)
        if worker.piece is not None:
            self._task.sweep(worker.piece.item)
        return how

    def drop(self, item: Item) -> None:
        """Ends the workers that work on an item; there will be no answer to it."""
        self._pieces.forget(item)
        for worker in self.busy():
            if worker.piece is not None and worker.piece.item is item:
                self._kill(worker)

    def poll(self, wakeups: Sequence[int] = ()) -> Iterator[tuple[Item, Answer]]:
        """Yields the answers that come within a moment; replaces workers that died or took too long.

        Args:
            wakeups: descriptors; what can be read from one ends the wait.
        """
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait([*by_connection, *wakeups], _POLL_S):
            worker = by_connection.get(connection)  # type: ignore[call-overload]
            if worker is None or worker not in self._workers:  # others of its item may have ended it
                continue
            message = worker.receive()
            if isinstance(message, Ready):
                worker.is_ready = True
                self._retries.note_ready()
                worker.deadline = time.monotonic() + self._timeout_s
            elif isinstance(message, Beat):
                worker.deadline = time.monotonic() + self._timeout_s
                if worker.piece is not None and worker.piece.step != "part":
                    self._on_beat(worker.piece.item, message.text)
            elif isinstance(message, Done):
                piece, worker.piece, worker.deadline = worker.piece, None, float("inf")
                assert piece is not None
                if self._pieces.finish(piece, message.answer):
                    yield piece.item, message.answer
            elif isinstance(message, AnonymizerError):
                raise message
            elif message is None:
                yield from self._on_death(worker)
        for worker in [worker for worker in self._workers if time.monotonic() > worker.deadline]:
            if worker in self._workers:
                yield from self._on_timeout(worker)
        self._drop_if_stopping()
        while self._pieces.waiting and len(self.busy()) < self.workers:
            self._hand(self._pieces.waiting.popleft())

    def _on_death(self, worker: Worker[Item, Answer]) -> Iterator[tuple[Item, Answer]]:
        how, piece = self._kill(worker, _DEATH_S), worker.piece
        logger.debug("a worker process ended (%s) while it worked on %s", how, None if piece is None else piece.item)
        if not worker.is_ready:
            self._retries.note_false_start(how)
        if piece is None:
            return
        if not worker.is_ready:
            self._hand(piece)
        elif not self._pieces.is_tried_again(piece):
            self.drop(piece.item)
            if not self._retries.is_tried_again(piece.item):
                reason = f"ended the process that worked on it, twice ({how})"
                yield piece.item, self._task.give_up(piece.item, reason)

    def _on_timeout(self, worker: Worker[Item, Answer]) -> Iterator[tuple[Item, Answer]]:
        self._kill(worker)
        if not worker.is_ready:
            raise AnonymizerError(f"a worker process did not load the models within {START_TIMEOUT_S:g} s")
        if worker.piece is not None:
            item, reason = worker.piece.item, f"took longer than --timeout {self._timeout_s:g} seconds"
            self.drop(item)
            yield item, self._task.give_up(item, reason)

    def _drop_if_stopping(self) -> None:
        if not self._is_stopping():
            return
        self._pieces.forget_waiting()
        self._stopping_since = self._stopping_since or time.monotonic()
        if time.monotonic() - self._stopping_since > GRACE_S:
            for worker in self.busy():
                self._kill(worker)


def require_sendable(task: Task[Item, Answer]) -> None:
    """
    Raises:
        SettingsError: the task cannot be sent to worker processes.
    """
    try:
        pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        text = (
            "what the run is to do cannot be sent to worker processes; functions must lie at the top level of a module"
        )
        raise SettingsError(f"{text}, or use --workers 0: {error}") from None


def make_executor(
    task: Task[Item, Answer],
    workers: int | None,
    timeout_s: float,
    locks: Sequence[int] = (),
    is_stopping: Callable[[], bool] = lambda: False,
    on_beat: Callable[[Item, str], None] = lambda item, text: None,
) -> Executor[Item, Answer]:
    """A pool of worker processes; a serial executor where their number is 0.

    Args:
        workers: their number; None for one for each core, as far as memory goes.
    """
    number = auto_workers() if workers is None else workers
    if not number:
        return SerialExecutor(task, on_beat)
    return Pool(task, number, timeout_s, locks, is_stopping, on_beat=on_beat)
