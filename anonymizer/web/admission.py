"""How much the server takes on: pictures of each address, pictures that wait, and bytes in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from anonymizer.web.limits import ADDRESS_SHARE
from anonymizer.web.problems import Problem

_MAX_RETRY_S = 60


@dataclass
class Admission:
    """Counts what is on hand. Only for the thread of the server."""

    max_jobs: int
    """Pictures of one address that are on hand."""
    max_waiting: int
    """Pictures of all that no worker has taken yet."""
    max_memory: int
    """Bytes of uploads and results."""
    workers: int
    waiting: Callable[[], int]
    """How many pictures no worker has taken yet."""
    mean_s: float = 1.0
    """Seconds that a picture takes, of late."""
    held_bytes: int = 0
    _on_hand: Counter[str] = field(default_factory=Counter)
    _held_of: Counter[str] = field(default_factory=Counter)
    """Bytes by address."""

    def enter(self, address: str) -> Place:
        """
        Raises:
            Problem: this address has too much on hand, or all have.
        """
        if self._on_hand[address] >= self.max_jobs:
            detail = f"{self.max_jobs} pictures of yours are on hand; fetch or delete some, or try later"
            raise Problem("too-many", detail, headers=self._retry())
        self.check_queue()
        self._on_hand[address] += 1
        return Place(self, address)

    def check_queue(self) -> None:
        """For pictures that are about to wait. Those that still arrive do not count: slow uploads keep nobody out.

        Raises:
            Problem: too many wait.
        """
        if self.waiting() >= self.max_waiting:
            raise Problem("busy", f"{self.max_waiting} pictures wait already; try later", headers=self._retry())

    def note_seconds(self, seconds: float) -> None:
        """A picture took so long."""
        self.mean_s += 0.1 * (seconds - self.mean_s)

    def seconds_until(self, position: int) -> float:
        """An estimate for a picture with so many before it."""
        return (position // self.workers + 1) * self.mean_s

    def on_hand(self) -> int:
        """Pictures of all, from upload to the end."""
        return self._on_hand.total()

    def _retry(self) -> dict[str, str]:
        return {"Retry-After": str(min(_MAX_RETRY_S, ceil(self.seconds_until(self.waiting()))))}

    def _take_bytes(self, number: int, address: str) -> None:
        if self._held_of[address] + number > ADDRESS_SHARE * self.max_memory:
            detail = "uploads and results of yours fill their share of the memory; fetch or delete some, or try later"
            raise Problem("too-many", detail, headers=self._retry())
        if self.held_bytes + number > self.max_memory:
            raise Problem("busy", "uploads and results fill the memory; try later", headers=self._retry())
        self._give_bytes(-number, address)

    def _give_bytes(self, number: int, address: str) -> None:
        self.held_bytes -= number
        self._held_of[address] -= number

    def _leave(self, place: Place) -> None:
        self._give_bytes(place.held_bytes, place.address)
        self._on_hand[place.address] -= 1
        if not self._on_hand[place.address]:
            del self._on_hand[place.address], self._held_of[place.address]


@dataclass(eq=False)
class Place:
    """What one picture takes up, from the upload to the end."""

    admission: Admission
    address: str
    held_bytes: int = 0
    _is_left: bool = False

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
