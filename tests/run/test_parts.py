"""What comes next of items whose work is shared."""

from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from run.tasks import Doubling, Sharing

from anonymizer.run.parts import Piece, Pieces, Split, carry_out

ITEM = 100


@pytest.fixture
def work(tmp_path: Path) -> Callable[[int], int]:
    return Sharing(tmp_path, parts={ITEM: (50, 30, 20), 4: (4,)}).begin()


def take_all(pieces: Pieces[int]) -> list[Piece[int]]:
    taken = list(pieces.waiting)
    pieces.waiting.clear()
    return taken


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_are_joined_in_their_order_whoever_is_done_first(
    work: Callable[[int], int], order: Sequence[int]
) -> None:
    told: list[str] = []
    pieces: Pieces[int] = Pieces(lambda item, text: told.append(text))
    first = Piece(ITEM, "first")
    assert not pieces.finish(first, carry_out(work, first))
    parts = take_all(pieces)
    assert [(piece.step, piece.number, piece.content) for piece in parts] == [
        ("part", 0, 50),
        ("part", 1, 30),
        ("part", 2, 20),
    ]
    for number in order:
        assert not pieces.waiting
        assert not pieces.finish(parts[number], carry_out(work, parts[number]))
    (last,) = take_all(pieces)
    assert [doubled for doubled, _ in last.content] == [100, 60, 40]
    assert carry_out(work, last) == 200
    assert pieces.finish(last, 200)
    assert told == ["1 of 3 parts", "2 of 3 parts", "3 of 3 parts"]


def test_what_is_not_split_is_done_as_a_whole(work: Callable[[int], int], tmp_path: Path) -> None:
    assert carry_out(work, Piece(ITEM)) == 200
    assert carry_out(work, Piece(4, "first")) == 8
    assert carry_out(work, Piece(5, "first")) == 10
    assert carry_out(Doubling(tmp_path).begin(), Piece(5, "first")) == 10
    assert Pieces[int]().finish(Piece(5, "first"), 10)


def test_a_part_is_tried_again_once_behind_the_others() -> None:
    pieces: Pieces[int] = Pieces()
    pieces.finish(Piece(ITEM, "first"), Split("ab"))
    one = pieces.waiting.popleft()
    assert pieces.is_tried_again(one)
    assert [piece.content for piece in pieces.waiting] == ["b", "a"]
    assert not pieces.is_tried_again(pieces.waiting[1])
    assert not pieces.is_tried_again(Piece(ITEM))
    assert not pieces.is_tried_again(Piece(ITEM, "last", content=[]))


def test_what_is_gathered_is_joined_before_other_parts_begin() -> None:
    pieces: Pieces[Any] = Pieces()
    for item in ("one", "other"):
        pieces.finish(Piece(item, "first"), Split("ab"))
    for _ in range(2):
        pieces.finish(pieces.waiting.popleft(), None)
    assert [(piece.item, piece.step) for piece in pieces.waiting] == [("one", "last"), *[("other", "part")] * 2]


def test_late_answers_to_what_nobody_wants_any_more_are_left_alone() -> None:
    pieces: Pieces[Any] = Pieces()
    for item in ("one", "other"):
        pieces.finish(Piece(item, "first"), Split("ab"))
    one = pieces.waiting.popleft()
    pieces.forget("one")
    assert {piece.item for piece in pieces.waiting} == {"other"}
    assert not pieces.finish(one, None)
    pieces.forget_waiting()
    assert not pieces.waiting
