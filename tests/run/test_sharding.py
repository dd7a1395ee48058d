"""Every picture is in one share, the same on all machines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.run.sharding import is_in_shard
from anonymizer.settings import Shard


@given(name=st.text(min_size=1), of=st.integers(1, 9))
def test_each_picture_is_in_exactly_one_share(name: str, of: int) -> None:
    assert sum(is_in_shard(name, Shard(number, of)) for number in range(1, of + 1)) == 1


@given(name=st.text(min_size=1))
def test_without_shares_every_picture_counts(name: str) -> None:
    assert is_in_shard(name, None)
    assert is_in_shard(name, Shard(1, 1))


@pytest.mark.parametrize(("name", "number"), [("a.png", 1), ("sub/b.jpg", 1), ("caf\udce9.png", 1)])
def test_shares_never_change(name: str, number: int) -> None:
    """Machines with other versions of Python, of which some randomise hashes, share the same folder."""
    assert is_in_shard(name, Shard(number, 8))


def test_shares_are_about_equal() -> None:
    numbers = [sum(is_in_shard(f"{index}.png", Shard(number, 4)) for index in range(4000)) for number in range(1, 5)]
    assert sum(numbers) == 4000
    assert min(numbers) > 900
