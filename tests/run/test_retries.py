"""What becomes of items whose worker died."""

from __future__ import annotations

import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.run.retries import RetryAtOnce, RetryPolicy


def test_a_policy_gives_each_item_one_more_chance() -> None:
    policy: RetryPolicy[int] = RetryPolicy()
    assert policy.is_tried_again(1)
    assert policy.is_tried_again(2)
    assert policy.begin_second_round() == [1, 2]
    assert not policy.is_tried_again(1)


def test_a_policy_bears_some_false_starts_in_a_row() -> None:
    policy: RetryPolicy[int] = RetryPolicy(max_false_starts=2)
    policy.note_false_start("signal 9")
    policy.note_ready()
    policy.note_false_start("signal 9")
    with pytest.raises(AnonymizerError, match="signal 9"):
        policy.note_false_start("signal 9")


def test_where_items_have_no_end_each_gets_its_chance_at_once_and_only_one() -> None:
    policy: RetryAtOnce[list[int]] = RetryAtOnce()
    one, other = [1], [1]
    assert policy.is_tried_again(one)
    assert policy.is_tried_again(other)
    assert policy.take_suspects() == [one, other]
    assert policy.take_suspects() == []
    assert not policy.is_tried_again(one)
    policy.forget(other)
    assert policy.is_tried_again(other)
