"""A pool that serves a program for as long as that runs: items come one at a time, from any thread."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Generic

from anonymizer.errors import AnonymizerError
from anonymizer.run.executor import Answer, Item, Task
from anonymizer.run.pool import Pool
from anonymizer.run.retries import RetryAtOnce

logger = logging.getLogger(__name__)


class StoppedError(AnonymizerError):
    """No item is worked on any more."""


class DroppedError(AnonymizerError):
    """Somebody wanted no answer any more."""


@dataclass(eq=False)
class Ticket(Generic[Item, Answer]):
    """An item that waits for its answer."""

    item: Item
    answer: Future[Answer] = field(default_factory=Future)
    """Raises `StoppedError` or `DroppedError` where there will be none."""
    begun_s: float | None = None
    """When a worker took it, on the clock of time.monotonic(); the last one, where the first one died."""
    beat: str = ""
    """How far the worker is, as it says itself. It may come from another worker than the one before."""

    @property
    def is_begun(self) -> bool:
        """Whether a worker has taken the item."""
        return self.answer.running() or self.answer.done()


class Service(Generic[Item, Answer]):
    """Hands items to the workers of a `Pool` in their order, and keeps all of its workers ready.

    Items are told apart by their identity.
    An item on which a worker dies is tried once more at once; after that, and where it takes too long, it is given up.
    """

    def __init__(self, task: Task[Item, Answer], workers: int, timeout_s: float) -> None:
        """
        Args:
            workers: number of processes, from 1 on.
            timeout_s: seconds that an item may take, or that may pass until its worker tells how far it is.
        """
        self.workers = workers
        self.error: AnonymizerError | None = None
        """What has ended the service."""
        self._retries: RetryAtOnce[Item] = RetryAtOnce()
        self._pool = Pool(task, workers, timeout_s, retries=self._retries, on_beat=self._note_beat)
        self._thread = Thread(target=self._serve, name="service", daemon=True)
        self._lock = Lock()
        self._waiting: deque[Ticket[Item, Answer]] = deque()
        self._unwanted: list[Ticket[Item, Answer]] = []
        self._in_flight: list[Ticket[Item, Answer]] = []
        self._wakeup, self._wakeup_end = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._wakeup_end, False)
        self._is_closing = False

    def start(self) -> None:
        """Returns when a worker is ready.

        Raises:
            AnonymizerError: the task cannot begin.
        """
        self._pool.fill()
        self._pool.start()
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether items are worked on."""
        return self._thread.is_alive() and not self._is_closing

    def count_waiting(self) -> int:
        """Number of items that no worker has taken yet."""
        return len(self._waiting)

    def position_of(self, ticket: Ticket[Item, Answer]) -> int:
        """Number of items that are taken before this one."""
        with self._lock:
            return next((number for number, other in enumerate(self._waiting) if other is ticket), 0)

    def submit(self, item: Item) -> Ticket[Item, Answer]:
        """Takes an item. It never waits."""
        ticket: Ticket[Item, Answer] = Ticket(item)
        with self._lock:
            if self._is_closing or self.error is not None:
                ticket.answer.set_exception(StoppedError("the service has stopped"))
                return ticket
            self._waiting.append(ticket)
        self._wake()
        return ticket

    def drop(self, ticket: Ticket[Item, Answer]) -> None:
        """Nobody wants this answer any more: the item leaves the queue, or the worker that works on it is ended."""
        with self._lock:
            self._unwanted.append(ticket)
        self._wake()

    def close(self) -> None:
        """Ends at once whatever is in flight."""
        self._is_closing = True
        self._wake()
        if self._thread.ident is None:  # it was never started
            self._pool.close()
        else:
            self._thread.join()
        os.close(self._wakeup_end)
        os.close(self._wakeup)

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it will wake up anyway
            os.write(self._wakeup_end, b"\0")

    def _serve(self) -> None:
        try:
            while not self._is_closing:
                self._pool.fill()
                self._drop_unwanted()
                self._hand_out()
                for item, answer in self._pool.poll([self._wakeup]):
                    self._finish(item, answer)
                with suppress(BlockingIOError):
                    os.read(self._wakeup, 1 << 12)
        except AnonymizerError as error:
            logger.debug("the service ends", exc_info=True)
            self.error = error
        finally:
            self._pool.close()
            self._stop_all()

    def _hand_out(self) -> None:
        for item in self._retries.take_suspects():
            with self._lock:
                self._waiting.appendleft(self._take(item))
        while self._pool.is_free():
            with self._lock:
                if not self._waiting:
                    return
                ticket = self._waiting.popleft()
                if ticket.answer.running() or ticket.answer.set_running_or_notify_cancel():
                    ticket.begun_s = time.monotonic()
                    self._in_flight.append(ticket)
                else:
                    continue
            self._pool.submit(ticket.item)

    def _note_beat(self, item: Item, text: str) -> None:
        for ticket in self._in_flight:
            if ticket.item is item:
                ticket.beat = text

    def _finish(self, item: Item, answer: Answer) -> None:
        self._retries.forget(item)
        self._take(item).answer.set_result(answer)

    def _take(self, item: Item) -> Ticket[Item, Answer]:
        """The ticket of an item that no worker works on any more."""
        number = next(number for number, ticket in enumerate(self._in_flight) if ticket.item is item)
        return self._in_flight.pop(number)

    def _drop_unwanted(self) -> None:
        with self._lock:
            unwanted, self._unwanted = self._unwanted, []
            for ticket in unwanted:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
        for ticket in unwanted:
            if ticket in self._in_flight:
                self._in_flight.remove(ticket)
                self._pool.drop(ticket.item)
                self._retries.suspects = [item for item in self._retries.suspects if item is not ticket.item]
                self._retries.forget(ticket.item)
            if not ticket.answer.done():
                ticket.answer.set_exception(DroppedError("nobody wants the answer any more"))

    def _stop_all(self) -> None:
        with self._lock:
            self._is_closing = True
            tickets = [*self._waiting, *self._in_flight]
            self._waiting.clear()
        for ticket in tickets:
            if not ticket.answer.done():
                ticket.answer.set_exception(StoppedError("the service has stopped"))
