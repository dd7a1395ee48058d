"""Parts of items: several processes share the work on one item, see `executor.SharedWork`.

An executor hands its processes *pieces* of work, and each calls `carry_out`. `Pieces` says what comes next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias

from anonymizer.run.executor import Item, SharedWork

Step: TypeAlias = Literal["whole", "first", "part", "last"]
"""whole: the item is not to be shared; first: it may be split; part: of it; last: its parts are joined."""


@dataclass(frozen=True, eq=False)
class Piece(Generic[Item]):
    """What a process does at a time."""

    item: Item
    step: Step = "whole"
    number: int = 0
    """Of the part, from 0 on."""
    content: Any = None
    """The part, or what all parts contribute."""
    is_second_try: bool = False
    """Whether a process ended on this piece before."""


@dataclass(frozen=True)
class Split:
    """What a process answers that has split an item."""

    parts: Sequence[Any]


def carry_out(work: Callable[[Item], Any], piece: Piece[Item]) -> Any:
    """Does a piece of work: the item's answer, a `Split`, or what a part contributes."""
    if isinstance(work, SharedWork):
        if piece.step == "first" and len(parts := work.split(piece.item)) > 1:
            return Split(parts)
        if piece.step == "part":
            return work.prepare(piece.item, piece.content)
        if piece.step == "last":
            return work.join(piece.item, piece.content)
    return work(piece.item)


@dataclass
class _Shared:
    """An item that was split."""

    prepared: list[Any]
    left: int
    """How many parts are still to come."""


@dataclass
class Pieces(Generic[Item]):
    """Which pieces of the items in flight are to be done next. Items are told apart by their identity."""

    on_beat: Callable[[Item, str], None] = lambda item, text: None
    """Called with an item of which one more part is done, and how many are."""
    waiting: deque[Piece[Item]] = field(default_factory=deque)
    """Those that nobody works on."""
    _shared: dict[int, _Shared] = field(default_factory=dict)
    """By identity of the item."""

    def finish(self, piece: Piece[Item], answer: Any) -> bool:
        """Takes the answer to a piece; whether it is the one to its item. Otherwise further pieces may wait now."""
        item = piece.item
        if isinstance(answer, Split):
            self._shared[id(item)] = _Shared([None] * len(answer.parts), len(answer.parts))
            self.waiting.extend(Piece(item, "part", number, part) for number, part in enumerate(answer.parts))
            return False
        if piece.step != "part":
            self.forget(item)
            return True
        shared = self._shared.get(id(item))
        if shared is not None:  # else nobody wants the item any more
            shared.prepared[piece.number] = answer
            shared.left -= 1
            self.on_beat(item, f"{len(shared.prepared) - shared.left} of {len(shared.prepared)} parts")
            if not shared.left:
                # Before parts of other items: what was gathered takes memory.
                self.waiting.appendleft(Piece(item, "last", content=shared.prepared))
        return False

    def is_tried_again(self, piece: Piece[Item]) -> bool:
        """Whether a piece on which a process ended is to be tried once more; if so, it waits, behind the others."""
        if piece.step != "part" or piece.is_second_try:
            return False
        self.waiting.append(Piece(piece.item, "part", piece.number, piece.content, is_second_try=True))
        return True

    def forget(self, item: Item) -> None:
        """Nothing more is to be done about an item."""
        self._shared.pop(id(item), None)
        self.waiting = deque(piece for piece in self.waiting if piece.item is not item)

    def forget_waiting(self) -> None:
        """Nothing more is to be done about the items of which pieces wait."""
        for item in [piece.item for piece in self.waiting]:
            self.forget(item)
