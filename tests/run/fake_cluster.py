"""A cluster without machines: what its workers say is thought up, at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from anonymizer.run.dispatcher import Lost, Seat
from anonymizer.run.remote import Placed, RemoteMessage
from anonymizer.run.worker import Done, Ready

Said = Sequence[RemoteMessage] | Lost


class FakeCluster:
    """Doubles numbers, unless `fate` says otherwise. Its workers take turns on its nodes."""

    def __init__(
        self,
        nodes: int = 2,
        fate: Callable[[Seat[int], int], Said | None] = lambda seat, item: [Done(2 * item)],
        begins: Callable[[str], Said | None] = lambda node: [Placed(node), Ready()],
    ) -> None:
        """
        Args:
            fate: what a worker says that is given an item; None if it says nothing.
            begins: what a new one says.
        """
        self.nodes = nodes
        self.fate = fate
        self.begins = begins
        self.sent: list[tuple[str | None, int]] = []
        """On which node what was begun."""
        self.together: list[list[int]] = []
        """What was handed to one worker at a time."""
        self.ended: list[Seat[int]] = []
        self.is_open = self.is_closed = False
        self._numbers = count()
        self._said: deque[tuple[Seat[int], Said]] = deque()

    def open(self, workers: int | None) -> None:
        self.is_open = True

    def room(self) -> int:
        return self.nodes

    def hire(self, seat: Seat[int]) -> None:
        self._say(seat, self.begins(f"node {next(self._numbers) % self.nodes}"))

    def send(self, seat: Seat[int], items: Sequence[int]) -> None:
        self.together.append(list(items))
        for item in items:
            self.sent.append((seat.node, item))
            said = self.fate(seat, item)
            self._say(seat, said)
            if said is None or isinstance(said, Lost):
                return

    def poll(self, timeout_s: float) -> Iterable[tuple[Seat[int], Said]]:
        while self._said:
            yield self._said.popleft()

    def end(self, seat: Seat[int]) -> None:
        self.ended.append(seat)
        self._say(seat, Lost("was ended"))

    def close(self) -> None:
        self.is_closed = True

    def _say(self, seat: Seat[int], said: Said | None) -> None:
        if said is not None:
            self._said.append((seat, said))
