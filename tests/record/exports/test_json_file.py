import pytest

from anonymizer.record.exports.json_file import entries_of, parse


def test_parse() -> None:
    assert parse({"a.json": b'{"a": [1]}'}) == {"a": [1]}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "one JSON file is expected, not 0"),
        ({"a": b"", "b": b""}, "one JSON file is expected, not 2"),
        ({"a": b'{"a": [1,'}, "truncated or not JSON: .* in line 1"),
        ({"a": b"\xff\xfe\x00"}, "not JSON"),
        ({"a": b"[" * 10**6}, "nested too deeply"),
        ({"a": b"1" * 5000}, "not JSON"),
    ],
)
def test_damaged(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(files)


@pytest.mark.parametrize("content", [None, [], {}, {"a": 1}, {"a": [1]}])
def test_no_entries(content: object) -> None:
    with pytest.raises(ValueError, match="holds no list of 'a'"):
        entries_of(content, "a")


def test_entries() -> None:
    assert entries_of({"a": [{"b": 1}]}, "a") == [{"b": 1}]
