"""XML files of others, read with care."""

from __future__ import annotations

from xml.etree import ElementTree


def parse(content: bytes) -> ElementTree.Element:
    """The root.

    Raises:
        ValueError: the content is not XML.
    """
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, RecursionError) as error:  # LookupError: of an unknown encoding
        raise ValueError(f"truncated or not XML: {error}") from None


def render(root: ElementTree.Element) -> bytes:
    """Indented, UTF-8."""
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def add(parent: ElementTree.Element, **texts: object) -> None:
    """Adds elements with a text, named by the keys."""
    for name, text in texts.items():
        ElementTree.SubElement(parent, name).text = str(text)
