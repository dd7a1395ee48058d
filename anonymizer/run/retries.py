"""Retries: what becomes of items whose worker died, whatever executor the worker belonged to."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Generic

from anonymizer.errors import AnonymizerError
from anonymizer.run.executor import Item

logger = logging.getLogger(__name__)


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


@dataclass
class RetryAtOnce(RetryPolicy[Item]):
    """For items that come one at a time, without an end: each is tried once more, as soon as that can be.

    Items are told apart by their identity.
    """

    _tried: list[Item] = field(default_factory=list)

    def is_tried_again(self, item: Item) -> bool:
        is_first = not any(item is other for other in self._tried)
        if is_first:
            self._tried.append(item)
            self.suspects.append(item)
        else:
            self.forget(item)
        return is_first

    def take_suspects(self) -> list[Item]:
        """The items to try once more, each once."""
        suspects, self.suspects = self.suspects, []
        return suspects

    def forget(self, item: Item) -> None:
        """An item is done."""
        self._tried = [other for other in self._tried if other is not item]
