import pickle
from pathlib import Path

import pytest

from anonymizer.addresses import Address, is_address, to_place


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket", Address("s3", "bucket")),
        ("s3://bucket/some/folder/", Address("s3", "bucket", "some/folder")),
        ("S3://bucket/a b#c%20", Address("s3", "bucket", "a b#c%20")),
        ("gcs://bucket/x", Address("gs", "bucket", "x")),
        ("abfs://box/x", Address("az", "box", "x")),
        ("sftp://someone@host:2222/srv/x", Address("sftp", "someone@host:2222", "srv/x")),
        ("webhdfs://someone@host:9870/x", Address("webhdfs", "someone@host:9870", "x")),
        ("hdfs://host:8020/x", Address("hdfs", "host:8020", "x")),
        ("memory://x/y", Address("memory", "x", "y")),
    ],
)
def test_parses(text: str, address: Address) -> None:
    assert to_place(text) == address
    assert Address.parse(str(address)) == address
    assert pickle.loads(pickle.dumps(address)) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sftp://someone:hunter2@host/x", "must not hold credentials"),
        ("s3://hunter2@bucket/x", "must not hold credentials"),
        ("az://box/x?sig=hunter2", "must not hold a question mark"),
        ("ftp://hunter2/x", "ftp:// are not supported, only paths and s3://"),
        ("nfs://name/x", "nfs:// are not supported"),
        ("s3://", "names a bucket"),
        ("s3:///x", "names a bucket"),
        ("s3://bucket/a/../b", "without .."),
        ("s3://bucket//b", "without .."),
    ],
)
def test_refuses_without_repeating_what_may_be_secret(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        to_place(text)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("text", ["folder", "/folder", "s3:/bucket", "C:\\x", "", "a://"[:2]])
def test_paths(text: str) -> None:
    assert not is_address(text)
    assert to_place(text) == Path(text)


def test_behaves_as_a_path() -> None:
    root = Address("s3", "bucket", "in")
    below = root / Path("a/b.jpg")
    assert str(below) == "s3://bucket/in/a/b.jpg"
    assert (below.name, below.suffix, below.parent) == ("b.jpg", ".jpg", root / "a")
    assert below.with_suffix(".json").name == "b.json"
    assert below.with_name("c").as_posix() == "s3://bucket/in/a/c"
    assert root / Path() == root
    assert Address("s3", "bucket") / "x" == Address("s3", "bucket", "x")


def test_what_lies_inside() -> None:
    root = Address("s3", "bucket", "in")
    assert (root / "x").is_relative_to(root)
    assert root.is_relative_to(Address("s3", "bucket"))
    assert not Address("s3", "bucket", "inner").is_relative_to(root)
    assert not Address("gs", "bucket", "in").is_relative_to(root)
