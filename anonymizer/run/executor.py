"""Executors: who carries out items of work. This process here; others in modules beside it.

An executor knows nothing of pictures: it takes a `Task`, which says how an item is worked on and what becomes of one
that cannot be finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_ItemIn = TypeVar("_ItemIn", contravariant=True)
_AnswerOut = TypeVar("_AnswerOut", covariant=True)


class Task(Protocol[_ItemIn, _AnswerOut]):
    """What is done to each item, in a form that can be sent to another process: it must be picklable."""

    def begin(self) -> Callable[[_ItemIn], _AnswerOut]:
        """Makes ready what is needed, such as models, and returns what does the work.

        Raises:
            AnonymizerError: it cannot be made ready.
        """

    def give_up(self, item: _ItemIn, reason: str) -> _AnswerOut:
        """The answer for an item on which a process ended or took too long; cleans up after it.

        Raises:
            OutputError: what it left cannot be cleaned up.
        """

    def sweep(self, item: _ItemIn) -> None:
        """Removes the unfinished files of a process that was ended while it worked on an item."""


@runtime_checkable
class LongWork(Protocol):
    """What a task may return to do the work, if single items take so long that it tells how far it is."""

    def listen(self, beat: Callable[[str], None]) -> None:
        """Calls `beat` from time to time from now on, with a text that says how far an item is."""


@runtime_checkable
class SharedWork(Protocol):
    """What a task may return to do the work, if several processes may share the work on a single item.

    An executor with several processes asks one of them to split an item, any of them to prepare the parts, in any order
    and at the same time, and then one of them to join. The item's answer must be the same as without all that: parts
    only save time. Nothing but `join`, and the work itself, may leave anything behind. `parts` does the bookkeeping.
    """

    def split(self, item: Any) -> Sequence[Any]:
        """The parts of an item, in a form that can be sent to other processes; none if it is to be done as a whole."""

    def prepare(self, item: Any, part: Any) -> Any:
        """What one part contributes, in a form that can be sent to other processes."""

    def join(self, item: Any, prepared: Sequence[Any]) -> Any:
        """The answer to an item, with what all of its parts contribute, in their order."""


class Executor(Protocol[Item, _AnswerOut]):
    """Carries out a task: in this process, in others on this machine, or on many machines."""

    @property
    def workers(self) -> int:
        """How many processes share the work; 0 for this one."""

    def start(self) -> None:
        """Makes ready what is to begin before the first item, and proves that the task can begin.

        Raises:
            AnonymizerError: it cannot.
        """

    def run(self, items: Iterable[Item]) -> Iterator[tuple[Item, _AnswerOut]]:
        """Takes items when a worker is free for them; yields the answer to each, in any order.

        Raises:
            AnonymizerError: no further item can be worked on.
        """

    def close(self) -> None:
        """Ends at once whatever is still in flight."""


class SerialExecutor(Generic[Item, Answer]):
    """The executor without other processes. Nothing guards it against crashes and hangs of native code."""

    workers = 0

    def __init__(
        self, task: Task[Item, Answer], on_beat: Callable[[Item, str], None] = lambda item, text: None
    ) -> None:
        """
        Args:
            on_beat: called with an item that takes long, and how far it is.
        """
        self._task = task
        self._on_beat = on_beat
        self._work: Callable[[Item], Answer] | None = None

    def start(self) -> None:
        self._work = self._work or self._task.begin()

    def run(self, items: Iterable[Item]) -> Iterator[tuple[Item, Answer]]:
        for item in items:
            self.start()
            assert self._work is not None
            if isinstance(self._work, LongWork):
                self._work.listen(partial(self._on_beat, item))
            yield item, self._work(item)

    def close(self) -> None:
        pass
