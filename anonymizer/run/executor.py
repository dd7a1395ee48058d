"""Executors: who carries out items of work. This process here; others in modules beside it.

An executor knows nothing of pictures: it takes a `Task`, which says how an item is worked on and what becomes of one
that cannot be finished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from anonymizer.errors import AnonymizerError

logger = logging.getLogger(__name__)

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

    def __init__(self, task: Task[Item, Answer]) -> None:
        self._task = task
        self._work: Callable[[Item], Answer] | None = None

    def start(self) -> None:
        self._work = self._work or self._task.begin()

    def run(self, items: Iterable[Item]) -> Iterator[tuple[Item, Answer]]:
        for item in items:
            self.start()
            assert self._work is not None
            yield item, self._work(item)

    def close(self) -> None:
        pass


@dataclass
class RetryPolicy(Generic[Item]):
    """What becomes of items whose worker died: they are tried once more, alone, when everything else is done.

    The dead worker may have had too little memory beside the others, or the item may be what kills it.
    """

    max_false_starts: int = 3
    """So many workers in a row that end before they are ready are not an accident."""
    suspects: list[Item] = field(default_factory=list)
    """Items to try once more."""
    _is_second_round: bool = False
    _false_starts: int = 0

    def begin_second_round(self) -> list[Item]:
        """The items to try once more. From now on, no item gets another chance."""
        self._is_second_round = True
        return self.suspects

    def note_ready(self) -> None:
        """A worker is ready."""
        self._false_starts = 0

    def note_false_start(self, how: str) -> None:
        """A worker ended before it was ready.

        Raises:
            AnonymizerError: too many did in a row.
        """
        self._false_starts += 1
        logger.debug("a worker ended before it was ready (%s), %d in a row", how, self._false_starts)
        if self._false_starts >= self.max_false_starts:
            raise AnonymizerError(f"worker processes end while they load the models ({how}); try fewer --workers")

    def is_tried_again(self, item: Item) -> bool:
        """Whether an item on which a worker died gets another chance; if so, takes it down."""
        if not self._is_second_round:
            self.suspects.append(item)
        return not self._is_second_round
