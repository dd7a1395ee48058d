"""How much the server takes on: pictures and films of each address, those that wait, and bytes in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from anonymizer.web.limits import ADDRESS_SHARE
from anonymizer.web.problems import Problem

_MAX_RETRY_S = 60


@dataclass
class Queue:
    """Pictures, or films, and the workers for them."""

    plural: str
    """What they are called."""
    max_jobs: int
    """Those of one address that are on hand."""
    max_waiting: int
    """Those of all that no worker has taken yet."""
    workers: int
    waiting: Callable[[], int]
    """How many no worker has taken yet."""
    mean_s: float = 1.0
    """Seconds that one takes, of late."""
    _on_hand: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> None:
        """
        Raises:
            Problem: this address has too many on hand, or too many of all wait.
        """
        if self._on_hand[address] >= self.max_jobs:
            detail = f"{self.max_jobs} {self.plural} of yours are on hand; fetch or delete some, or try later"
            raise Problem("too-many", detail, headers=self.retry())
        self.check()
        self._on_hand[address] += 1

    def leave(self, address: str) -> None:
        self._on_hand[address] -= 1
        if not self._on_hand[address]:
            del self._on_hand[address]

    def has(self, address: str) -> bool:
        """Whether this address has one on hand."""
        return address in self._on_hand

    def total(self) -> int:
        """Those of all, from upload to the end."""
        return self._on_hand.total()

    def check(self) -> None:
        """For what is about to wait. What still arrives does not count: slow uploads keep nobody out.

        Raises:
            Problem: too many wait.
        """
        if self.waiting() >= self.max_waiting:
            raise Problem("busy", f"{self.max_waiting} {self.plural} wait already; try later", headers=self.retry())

    def note_seconds(self, seconds: float) -> None:
        """One took so long."""
        self.mean_s += 0.1 * (seconds - self.mean_s)

    def seconds_until(self, position: int) -> float:
        """An estimate for one with so many before it."""
        return (position // self.workers + 1) * self.mean_s

    def retry(self) -> dict[str, str]:
        """When to try again, as a header."""
        return {"Retry-After": str(min(_MAX_RETRY_S, ceil(self.seconds_until(self.waiting()))))}


@dataclass
class Admission:
    """Counts what is on hand. Only for the thread of the server."""

    pictures: Queue
    films: Queue | None
    """None where no films are taken."""
    max_memory: int
    """Bytes of uploads and results."""
    held_bytes: int = 0
    _held_of: Counter[str] = field(default_factory=Counter)
    """Bytes by address."""

    def enter(self, address: str) -> Place:
        """
        Raises:
            Problem: this address has too much on hand, or all have.
        """
        self.pictures.enter(address)
        return Place(self, address, self.pictures)

    def on_hand(self) -> int:
        """Pictures and films of all, from upload to the end."""
        return self.pictures.total() + (0 if self.films is None else self.films.total())

    def _take_bytes(self, number: int, address: str) -> None:
        if self._held_of[address] + number > ADDRESS_SHARE * self.max_memory:
            detail = "uploads and results of yours fill their share of the memory; fetch or delete some, or try later"
            raise Problem("too-many", detail, headers=self.pictures.retry())
        if self.held_bytes + number > self.max_memory:
            raise Problem("busy", "uploads and results fill the memory; try later", headers=self.pictures.retry())
        self._give_bytes(-number, address)

    def _give_bytes(self, number: int, address: str) -> None:
        self.held_bytes -= number
        self._held_of[address] -= number

    def _leave(self, place: Place) -> None:
        self._give_bytes(place.held_bytes, place.address)
        place.queue.leave(place.address)
        if not self.pictures.has(place.address) and not (self.films and self.films.has(place.address)):
            del self._held_of[place.address]


@dataclass(eq=False)
class Place:
    """What one picture or film takes up, from the upload to the end."""

    admission: Admission
    address: str
    queue: Queue
    """Where it waits. Until it has arrived, it counts as a picture."""
    held_bytes: int = 0
    _is_left: bool = False

    def move_to(self, queue: Queue) -> None:
        """
        Raises:
            Problem: there is no room for it.
        """
        if queue is not self.queue:
            queue.enter(self.address)
            self.queue.leave(self.address)
            self.queue = queue

    def hold(self, number: int) -> None:
        """So many bytes more are in memory.

        Raises:
            Problem: that is too much for the server.
        """
        if not self._is_left:
            self.admission._take_bytes(number, self.address)
            self.held_bytes += number

    def let_go(self, number: int) -> None:
        """So many bytes are not in memory any more."""
        if not self._is_left:
            self.admission._give_bytes(number, self.address)
            self.held_bytes -= number

    def leave(self) -> None:
        """Nothing is in memory any more."""
        if not self._is_left:
            self.admission._leave(self)
            self._is_left = True
