from xml.etree.ElementTree import Element

import pytest

from anonymizer.record.exports.xml_file import add, parse, render


def test_round_trip() -> None:
    root = Element("a", name="<ä>&")
    add(root, b=1, c="x & y")
    read = parse(render(root))
    assert read.get("name") == "<ä>&"
    assert (read.findtext("b"), read.findtext("c")) == ("1", "x & y")


@pytest.mark.parametrize(
    "content", [b"", b"<a", b"<a></b>", b"\xff", b"<a>\x00</a>", b"{}", b"<?xml version='1.0' encoding='x'?><a/>"]
)
def test_damaged(content: bytes) -> None:
    with pytest.raises(ValueError, match="truncated or not XML"):
        parse(content)


def test_entities_of_entities() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20}">' for n in range(1, 9))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "{"x" * 1000}">{levels}]><a>&e8;</a>'
    with pytest.raises(ValueError, match="truncated or not XML"):
        parse(bomb.encode())


def test_files_of_the_machine_are_not_read() -> None:
    content = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
    with pytest.raises(ValueError, match="undefined entity"):
        parse(content)
