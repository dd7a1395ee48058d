from pathlib import Path

import click
import pytest

from anonymizer.addresses import Address
from anonymizer.cli.places import PLACE


def test_paths_and_addresses() -> None:
    assert PLACE.convert("a//b", None, None) == Path("a/b")
    assert PLACE.convert("s3://bucket/b", None, None) == Address("s3", "bucket", "b")
    assert PLACE.convert(Address("s3", "bucket"), None, None) == Address("s3", "bucket")


def test_a_wrong_address_is_not_repeated() -> None:
    with pytest.raises(click.BadParameter, match="must not hold credentials") as error:
        PLACE.convert("s3://me:hunter2@bucket", None, None)
    assert "hunter2" not in str(error.value)
