"""A worker on another machine, or in a process that an engine for distributed work has started: what runs there.

It is asked, and answers: nothing but calls and their answers goes between the machines.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeAlias

from anonymizer._version import __version__
from anonymizer.files.library_messages import catch_messages
from anonymizer.run.parts import Piece
from anonymizer.run.worker import ONE_THREAD, Done, Message, Ready, work_for

PATIENCE_S = 1.0
"""How long a call waits for the end of what it asks for, before it answers with what there is, and gives back what is
not begun."""
_POLL_S = 0.2


@dataclass(frozen=True)
class Placed:
    """The worker has got a place, and begins to make itself ready."""

    node: str
    """The machine."""
    version: str = __version__
    """Of the program there."""


@dataclass(frozen=True)
class Returned:
    """So many items, the last of those that the worker was handed, are not begun, and will not be."""

    number: int


RemoteMessage: TypeAlias = Placed | Returned | Message[Any]


class Reply(NamedTuple):
    """What a call brings."""

    messages: Sequence[RemoteMessage]
    is_last: bool
    """Whether the worker has nothing more to say until it is handed more; else there is more to ask for."""


class RemoteWorker:
    """Works in a thread of its own, so that it can be asked how far it is."""

    def __init__(self) -> None:
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)
        self._inbox = SimpleQueue[Callable[[], Any]]()
        self._outbox = SimpleQueue[RemoteMessage]()
        self._awaited = 0
        """How many ends of work are still to come."""

    def begin(self, task: bytes, level: int, folder: str) -> Reply:
        """Begins to make itself ready.

        Args:
            task: pickled; it is opened here, where an import that fails is an error with a name.
            level: of the log.
            folder: from which relative paths lead on; it need not be there if there are none.
        """
        with suppress(OSError):
            os.chdir(folder)
        threading.Thread(target=_end_with_parent, args=[os.getppid()], daemon=True).start()
        threading.Thread(target=self._work, daemon=True).start()
        self._awaited = 1
        self._inbox.put(lambda: (pickle.loads(task), level))
        return Reply([Placed(self._node())], False)

    def take(self, items: bytes) -> Reply:
        """Works on items, each as a whole; see `go_on`.

        Args:
            items: a list, pickled.
        """
        for item in pickle.loads(items):
            self._awaited += 1
            self._inbox.put(partial(Piece, item))
        return self.go_on()

    def go_on(self) -> Reply:
        """What there is to say."""
        messages: list[RemoteMessage] = []
        deadline = time.monotonic() + PATIENCE_S
        with suppress(Empty):
            while self._awaited:
                messages.append(self._outbox.get(timeout=max(0.0, deadline - time.monotonic())))
                self._awaited -= isinstance(messages[-1], Ready | Done | Exception)
        returned = self._take_back() if self._awaited > 1 else 0
        self._awaited -= returned
        return Reply([*messages, Returned(returned)] if returned else messages, not self._awaited)

    def _take_back(self) -> int:
        """Forgets the items that are not begun: they would wait for one that takes long. How many these are."""
        for number in count():
            try:
                self._inbox.get_nowait()
            except Empty:
                return number
        raise AssertionError

    def _node(self) -> str:
        return ""

    def _work(self) -> None:
        with catch_messages():
            work_for(_Channel(self._inbox, self._outbox))


class _Channel:
    """Between the thread that works and the one that is asked."""

    def __init__(self, inbox: SimpleQueue[Callable[[], Any]], outbox: SimpleQueue[RemoteMessage]) -> None:
        self._inbox = inbox
        self._outbox = outbox

    def send(self, message: RemoteMessage, /) -> None:
        self._outbox.put(message)

    def recv(self) -> Any:
        return self._inbox.get()()


def _end_with_parent(parent: int) -> None:
    """What started this process watches over it: without that nobody would end it, and its item is given to others."""
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)
