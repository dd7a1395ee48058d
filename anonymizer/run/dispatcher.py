"""The executor with workers on many machines: which of them works on what, and what becomes of the items of lost ones.

What carries the workers is a `Cluster`. Only that knows the engine.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, Protocol

from anonymizer._version import __version__
from anonymizer.errors import AnonymizerError
from anonymizer.run.executor import Answer, Item, Task
from anonymizer.run.pool import GRACE_S, START_TIMEOUT_S
from anonymizer.run.remote import Placed, RemoteMessage, Returned
from anonymizer.run.retries import RetryPolicy
from anonymizer.run.worker import Beat, Done, Ready

logger = logging.getLogger(__name__)

PLACE_TIMEOUT_S = 1800.0
"""How long a run waits for the first place for a worker: machines that are started for it take minutes."""
MAX_NODES = 3
"""So many machines may end with an item before the item has failed. They mostly end for reasons of their own."""
BATCH_S = 0.15
"""So long a worker is busy with the items that it is handed together. A call costs a millisecond and more, beside which
items of a few milliseconds do not count for much."""
MOST_TOGETHER = 32
_POLL_S = 0.1
_LOOK_S = 0.5
"""How often deadlines are looked at: with a thousand workers that takes a while."""
_ROOM_S = 10.0
"""How often the cluster is asked whether it has grown."""
_PATIENCE_S = 30.0
"""How long workers may wait for a place until the user hears of it."""
_END_S = 30.0
"""How long a worker that is to end may take for it, before it is taken for lost."""


@dataclass(frozen=True)
class Lost:
    """A worker has ended, or cannot be reached any more."""

    how: str
    is_with_node: bool = False
    """Whether its machine is gone, too: then the item is hardly to blame."""


@dataclass(eq=False)
class Seat(Generic[Item]):
    """A worker, seen from here."""

    items: deque[Item] = field(default_factory=deque)
    """What it was handed and has not answered, in this order."""
    number: int = 0
    """How many it was handed together the last time."""
    began_s: float = 0.0
    """When, on the clock of time.monotonic()."""
    deadline: float = float("inf")
    """When it must be done with the first of them, on the same clock."""
    node: str | None = None
    """The machine that it runs on; None until it has a place."""
    is_ready: bool = False
    """Whether its models are loaded."""
    verdict: str | None = None
    """Why its item is given up once it has ended."""

    @property
    def item(self) -> Item | None:
        """What it works on, as far as is known here."""
        return self.items[0] if self.items else None


class Cluster(Protocol[Item]):
    """Carries workers. It calls nothing back: what they say is fetched by `poll`."""

    def open(self, workers: int | None) -> None:
        """Makes ready what is to carry them.

        Args:
            workers: how many there will be; None for as many as fit.

        Raises:
            AnonymizerError: it cannot be reached, or not be started.
        """

    def room(self) -> int:
        """How many workers fit at present, those that are there included."""

    def hire(self, seat: Seat[Item]) -> None:
        """Begins to start a worker, which may have to wait for a place."""

    def send(self, seat: Seat[Item], items: Sequence[Item]) -> None:
        """Hands it items, which it works on one after the other."""

    def poll(self, timeout_s: float) -> Iterable[tuple[Seat[Item], Sequence[RemoteMessage] | Lost]]:
        """What workers have said since, in the order of each; waits for the first."""

    def end(self, seat: Seat[Item]) -> None:
        """Begins to end a worker. `poll` tells when it has."""

    def close(self) -> None:
        """Ends all workers, and what was started to carry them."""


@dataclass
class _Queue(Generic[Item]):
    """Items that wait. The next one is taken from their source when it is asked for, not earlier."""

    source: Iterator[Item]
    ahead: deque[Item] = field(default_factory=deque)
    """Those that go first."""

    def is_empty(self) -> bool:
        self.fill(1)
        return not self.ahead

    def fill(self, number: int) -> None:
        """Takes so many from their source as are missing."""
        self.ahead.extend(islice(self.source, max(0, number - len(self.ahead))))


class Dispatcher(Generic[Item, Answer]):
    """Hands each worker one item at a time, or some together where they take but a few milliseconds.

    A worker that dies is replaced, and the `RetryPolicy` says what becomes of its item: it is tried again on another
    machine, if there is one. Where the machine died, the items go to others at once. A worker that takes too long is
    ended, and its item is given up when it has. Where a worker ends that was handed several items, it is not known
    which of them is to blame: each is handed out again, alone.
    """

    def __init__(
        self,
        cluster: Cluster[Item],
        task: Task[Item, Answer],
        workers: int | None,
        timeout_s: float,
        is_stopping: Callable[[], bool] = lambda: False,
        on_beat: Callable[[Item, str], None] = lambda item, text: None,
    ) -> None:
        """
        Args:
            workers: how many there are to be; None for as many as fit, also while the cluster grows.
            timeout_s: seconds that an item may take, or that may pass until its worker tells how far it is.
            is_stopping: whether items that take long are to be dropped.
            on_beat: called with an item that takes long, and how far it is.
        """
        self._cluster = cluster
        self._task = task
        self._wanted = workers
        self._timeout_s = timeout_s
        self._is_stopping = is_stopping
        self._on_beat = on_beat
        self._is_open = False
        self._most_ready = 0
        self._seats: dict[Seat[Item], None] = {}
        """Those that work, are free, or wait for a place or for their models."""
        self._free: dict[Seat[Item], None] = {}
        self._busy: dict[Seat[Item], None] = {}
        """Those with an item, also while they are to end."""
        self._ending: dict[Seat[Item], None] = {}
        self._retries: RetryPolicy[Item] = RetryPolicy()
        self._died_on: dict[int, str | None] = {}
        """The machines on which suspects were worked on, by the identity of these."""
        self._nodes_lost: dict[int, tuple[Item, int]] = {}
        """How many machines ended while they worked on an item, by its identity."""
        self._alone: dict[int, Item] = {}
        """Items that are not to be handed out together with others, by their identity."""
        self._pace_s: float | None = None
        """Seconds that an item takes, the latest ones before all."""
        self._room = 0
        self._looked_s = self._placed_s = 0.0
        self._asked_s = float("-inf")
        self._stopping_since: float | None = None
        self._has_warned = False

    @property
    def workers(self) -> int:
        """The most that were ready at the same time; before that, how many there are to be."""
        return self._most_ready or self._wanted or 1

    def start(self) -> None:
        self._open()
        nothing: _Queue[Item] = _Queue(iter(()))
        while not any(seat.is_ready for seat in self._seats) and not self._is_stopping():
            list(self._poll(nothing))  # no worker has an item yet

    def run(self, items: Iterable[Item]) -> Iterator[tuple[Item, Answer]]:
        self._retries = RetryPolicy()
        self._died_on.clear()
        self._nodes_lost.clear()
        self._alone.clear()
        self._pace_s = None
        yield from self._work_off(items, self._choose_any)
        yield from self._work_off(self._retries.begin_second_round(), self._choose_alone)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._cluster.close()
            for seat in self._busy:
                self._sweep(seat)

    def _open(self) -> None:
        if not self._is_open:
            self._cluster.open(self._wanted)
            self._is_open = True
            self._placed_s = time.monotonic()
            self._look()

    def _work_off(
        self, items: Iterable[Item], choose: Callable[[Item], Seat[Item] | None]
    ) -> Iterator[tuple[Item, Answer]]:
        queue = _Queue(iter(items))
        answers: list[tuple[Item, Answer]] = []
        while True:
            while not self._is_stopping() and (self._free or not self._is_open) and not queue.is_empty():
                self._open()
                seat = choose(queue.ahead[0])
                if seat is None:
                    break
                self._send(seat, self._take_together(queue))
            yield from answers  # while those who gave them work on the next items
            if not self._busy and (self._is_stopping() or queue.is_empty()):
                return
            answers = []
            try:
                answers.extend(self._poll(queue))
            except AnonymizerError:
                yield from answers
                raise

    def _take_together(self, queue: _Queue[Item]) -> list[Item]:
        """The next items for one worker, at least one: as many as keep it busy for a moment."""
        number = 1 if not self._pace_s else max(1, min(MOST_TOGETHER, int(BATCH_S / self._pace_s)))
        queue.fill(number)
        items = [queue.ahead.popleft()]
        while queue.ahead and len(items) < number and not {id(items[0]), id(queue.ahead[0])} & self._alone.keys():
            items.append(queue.ahead.popleft())
        return items

    def _choose_any(self, item: Item) -> Seat[Item] | None:
        return next(iter(self._free), None)

    def _choose_alone(self, suspect: Item) -> Seat[Item] | None:
        """A worker on a machine that works on nothing else, and best on another one than before."""
        busy = {seat.node for seat in self._busy}
        alone = [seat for seat in self._free if seat.node not in busy]
        elsewhere = [seat for seat in alone if seat.node != self._died_on.get(id(suspect))]
        if elsewhere or self._busy:
            return next(iter(elsewhere), None)
        return next(iter(alone), None)

    def _send(self, seat: Seat[Item], items: Sequence[Item]) -> None:
        del self._free[seat]
        self._busy[seat] = None
        seat.items, seat.number, seat.began_s = deque(items), len(items), time.monotonic()
        seat.deadline = seat.began_s + self._timeout_s
        self._cluster.send(seat, items)

    def _poll(self, queue: _Queue[Item]) -> Iterator[tuple[Item, Answer]]:
        """Yields the answers that come within a moment; replaces workers that ended, ends those that take too long."""
        for seat, said in self._cluster.poll(_POLL_S):
            if isinstance(said, Lost):
                yield from self._on_lost(seat, said, queue)
            else:
                for message in said:
                    yield from self._on_message(seat, message, queue)
        if time.monotonic() - self._looked_s >= _LOOK_S:
            for seat in [seat for seat in self._ending if time.monotonic() > seat.deadline]:
                yield from self._on_lost(seat, Lost("could not be reached"), queue)
            self._look()

    def _on_message(
        self, seat: Seat[Item], message: RemoteMessage, queue: _Queue[Item]
    ) -> Iterator[tuple[Item, Answer]]:
        if isinstance(message, Placed):
            if message.version != __version__:
                text = f"a machine of the cluster has version {message.version} of the program, this one {__version__}"
                raise AnonymizerError(f"{text}: install the same everywhere")
            seat.node, seat.deadline = message.node, time.monotonic() + START_TIMEOUT_S
            self._placed_s = time.monotonic()
        elif isinstance(message, Ready):
            seat.is_ready, seat.deadline = True, float("inf")
            self._retries.note_ready()
            if seat in self._seats:
                self._free[seat] = None
            self._most_ready = max(self._most_ready, sum(seat.is_ready for seat in self._seats))
        elif isinstance(message, Beat):
            seat.deadline = time.monotonic() + self._timeout_s
            if seat.item is not None:
                self._on_beat(seat.item, message.text)
        elif isinstance(message, Done):
            if seat not in self._busy:
                return  # it was dropped
            item, seat.verdict = seat.items.popleft(), None
            if seat in self._seats:
                seat.deadline = time.monotonic() + self._timeout_s
            if not seat.items:
                self._note_pace(time.monotonic() - seat.began_s, seat.number)
                self._set_free(seat)
            self._nodes_lost.pop(id(item), None)
            self._alone.pop(id(item), None)
            yield item, message.answer
        elif isinstance(message, Returned):
            if seat in self._busy:
                back = [seat.items.pop() for _ in range(message.number)]
                queue.ahead.extendleft(back)
                seat.number -= len(back)
        elif isinstance(message, AnonymizerError):
            raise message
        elif isinstance(message, logging.LogRecord):
            logging.getLogger(message.name).handle(message)

    def _set_free(self, seat: Seat[Item]) -> None:
        """It has answered all that it was handed."""
        del self._busy[seat]
        if seat in self._seats:
            seat.deadline = float("inf")
            self._free[seat] = None

    def _note_pace(self, seconds: float, number: int) -> None:
        """So many items took so long. A long one is to be forgotten after some short ones."""
        pace_s = min(1.0, seconds / number)
        self._pace_s = pace_s if self._pace_s is None else 0.7 * self._pace_s + 0.3 * pace_s

    def _sweep(self, seat: Seat[Item]) -> None:
        for item in seat.items:
            self._task.sweep(item)

    def _on_lost(self, seat: Seat[Item], lost: Lost, queue: _Queue[Item]) -> Iterator[tuple[Item, Answer]]:
        item, number = (seat.item, len(seat.items)) if seat in self._busy else (None, 0)
        is_ending = seat in self._ending
        for seats in (self._seats, self._free, self._busy, self._ending):
            seats.pop(seat, None)
        logger.debug("a worker on %s ended (%s) while it worked on %s", seat.node, lost, item)
        if not seat.is_ready and not lost.is_with_node and not is_ending:
            self._retries.note_false_start(lost.how)
        if item is None:
            return
        self._sweep(seat)
        if number > 1 or (is_ending and seat.verdict is None):
            self._alone.update((id(item), item) for item in seat.items)
            queue.ahead.extendleft(reversed(seat.items))
        elif seat.verdict is not None:
            yield item, self._task.give_up(item, seat.verdict)
        elif lost.is_with_node:
            _, before = self._nodes_lost.get(id(item), (item, 0))
            self._nodes_lost[id(item)] = item, before + 1
            if before + 1 < MAX_NODES:
                queue.ahead.appendleft(item)
            else:
                yield item, self._task.give_up(item, f"the machines that worked on it ended, {MAX_NODES} times")
        elif self._retries.is_tried_again(item):
            self._died_on[id(item)] = seat.node
            self._alone[id(item)] = item
        else:
            yield item, self._task.give_up(item, f"ended the process that worked on it, twice ({lost.how})")

    def _look(self) -> None:
        """Looks at the deadlines, and hires the workers that are missing."""
        self._looked_s = now = time.monotonic()
        for seat in [seat for seat in self._seats if now > seat.deadline]:
            if not seat.is_ready:
                self._retries.note_false_start(f"took longer than {START_TIMEOUT_S:g} s")
            seat.verdict = f"took longer than --timeout {self._timeout_s:g} seconds"
            self._end(seat)
        self._drop_if_stopping()
        if self._wanted is None and now - self._asked_s >= _ROOM_S:
            self._asked_s, self._room = now, self._cluster.room()
        for _ in range(len(self._seats), self._wanted or max(1, self._room)):
            seat = Seat[Item]()
            self._seats[seat] = None
            self._cluster.hire(seat)
        self._require_places(now)

    def _require_places(self, now: float) -> None:
        """
        Raises:
            AnonymizerError: no worker has found a place for a long time.
        """
        if any(seat.node is not None for seat in self._seats):
            self._placed_s = now
        elif now - self._placed_s > PLACE_TIMEOUT_S:
            raise AnonymizerError(f"the cluster has had no place for a worker for {PLACE_TIMEOUT_S / 60:g} minutes")
        elif now - self._placed_s > _PATIENCE_S and not self._has_warned:
            self._has_warned = True
            logger.warning("the cluster has no place for a worker yet; the run waits for one")

    def _end(self, seat: Seat[Item]) -> None:
        self._seats.pop(seat)
        self._free.pop(seat, None)
        self._ending[seat] = None
        seat.deadline = time.monotonic() + _END_S
        self._cluster.end(seat)

    def _drop_if_stopping(self) -> None:
        if not self._is_stopping():
            return
        self._stopping_since = self._stopping_since or time.monotonic()
        if time.monotonic() - self._stopping_since > GRACE_S:
            for seat in list(self._busy):
                del self._busy[seat]
                if seat in self._seats:
                    self._end(seat)
                self._sweep(seat)
