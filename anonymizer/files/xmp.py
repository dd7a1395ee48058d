"""Which properties of an XMP packet are kept. (ISO 16684-1.)

Properties that may hold a picture are taken out, whatever they are called. A packet in which that cannot be done, since
it is damaged or holds data outside its properties, is left out as a whole.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from anonymizer.files.plain_language import (
    MAX_CHANCE_TOGETHER,
    MAX_DIGITS,
    MAX_OPAQUE_TOGETHER,
    Measure,
    find_plain,
    measure,
    measure_bytes,
    not_language,
    together,
)

logger = logging.getLogger(__name__)

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_TIFF, _TIFF_PREFIX, _ORIENTATION = "http://ns.adobe.com/tiff/1.0/", "tiff", "Orientation"
_LIKELY_ORIENTATION = re.compile(rb"""Orientation[^0-9]{1,200}?([1-8])(?![0-9])""")
_EXTENDED = "xmpNote:HasExtendedXMP"  # leads to further segments of a JPEG file, which are never kept
_IPTC_DIGEST, _MD5 = "photoshop:LegacyIPTCDigest", re.compile(r"\s*[0-9A-Fa-f]{32}\s*")
_DIGEST = re.compile(r"(?:\d{1,5},){1,99}\d{1,5};[0-9A-F]{32}")  # numbers of tags and a checksum of their values
_YEAR = re.compile(r"(?:PV)?20[12]\d")  # in names of settings, by the version of the raw converter
_LARGE = frozenset(
    f"{prefix}:{name}"
    for prefix, names in (
        ("photoshop", "DocumentAncestors History ICCProfile TextLayers"),
        (
            "xmpMM",
            "DerivedFrom DocumentID History Ingredients InstanceID ManagedFrom OriginalDocumentID Pantry Versions",
        ),
        (
            "crs",
            "CircularGradientBasedCorrections GradientBasedCorrections Look MaskGroupBasedCorrections "
            "PaintBasedCorrections PointColors RetouchAreas RetouchInfo ToneCurve ToneCurveBlue ToneCurveGreen "
            "ToneCurvePV2012 ToneCurvePV2012Blue ToneCurvePV2012Green ToneCurvePV2012Red ToneCurveRed",
        ),
    )
    for name in names.split()
)
"""Properties that are often too large to be kept: histories, identifiers and curves of raw converters."""
_DEEPEST = 60  # elements within each other
_LARGEST = 1_000_000  # bytes
PICTURE_NAMES = ("humbnail", "GImage", "GDepth", "GContainer", "hdrgm", "MotionPhoto", "MakerNote", "PreviewImage")
"""Parts of names of properties that hold pictures, or describe pictures in the same file."""
PICTURE_TEXTS = ("/9j/", "iVBORw0KGgo", "data:image")
"""Beginnings of JPEG and PNG files in base64, and of any picture in an address."""


@dataclass(frozen=True)
class Filtered:
    """What is kept of some metadata."""

    content: bytes | None
    """None if nothing is."""
    left_out: tuple[str, ...] = ()
    """Names of what is not."""


@dataclass(frozen=True)
class _Property:
    """An element or an attribute that describes the picture."""

    name: str
    owner: minidom.Element
    element: minidom.Element | None
    """None for an attribute."""


def plain_xmp(packet: bytes) -> Filtered:
    """An XMP packet without the properties that are not plain language of ordinary length.

    It stays byte for byte if all of them are plain.
    """
    document = _parse(packet)
    if document is None:
        is_plain = (
            len(packet) <= _LARGEST and measure_bytes(packet).is_plain and not names_picture(packet.decode("latin-1"))
        )
        return Filtered(packet) if is_plain else Filtered(None, ("an XMP packet",))
    properties = list(_properties(document))
    measures = {number: _measure(one) for number, one in enumerate(properties)}
    kept = find_plain(measures)
    if not _is_frame_plain(document, properties):
        return Filtered(None, ("an XMP packet",))
    gone = [one for number, one in enumerate(properties) if number not in kept]
    if not gone:
        return Filtered(packet)
    names = tuple(dict.fromkeys(f"{one.name[:40]} in XMP" for one in gone if not _is_stale(one)))
    for one in gone:
        if one.element is None:
            one.owner.removeAttribute(one.name)
        else:
            one.owner.removeChild(one.element)
    return Filtered(_written(document), names) if len(gone) < len(properties) else Filtered(None, names)


def measure_packet(packet: bytes) -> dict[str, tuple[Measure, bool]]:
    """What the properties of a packet consist of, and whether they are kept, by their places.

    Not those that are known to be large, to hold pictures, or to be valid only for the source, if they are not kept.
    """
    document = _parse(packet)
    if document is None:
        return {"": (measure_bytes(packet), True)} if plain_xmp(packet).content is not None else {}
    properties = list(_properties(document))
    measures = {number: _measure(one) for number, one in enumerate(properties)}
    kept = find_plain(measures)
    expected = set[str]()
    found = {}
    for number, one in enumerate(properties):
        is_expected = one.name in _LARGE and one.name not in expected
        if number in kept or not (is_expected or _is_stale(one) or names_picture(one.name)):
            found[f"{number}: {one.name}"] = measures[number], number in kept
        expected.add(one.name)
    return found


def names_picture(text: str) -> bool:
    """Whether a text holds the name of a property that holds pictures."""
    return any(name in text for name in PICTURE_NAMES)


def orientations_in(packet: bytes) -> list[int]:
    """The orientations of a picture, 1..8, that a packet states; of a damaged one those that it seems to state."""
    if _ORIENTATION.encode() not in packet.replace(b"\0", b""):
        return []
    document = _parse(packet)
    if document is None:
        return [int(number) for number in _LIKELY_ORIENTATION.findall(packet.replace(b"\0", b""))]
    texts = [text for place in _orientation_places(document) for text in _own_texts(place)]
    return [int(text) for text in texts if re.fullmatch("[1-8]", text)]


def with_orientation(packet: bytes, orientation: int) -> bytes | None:
    """A packet in which each orientation is this one; byte for byte the same if it states no other.

    None if it may state one in a place that cannot be changed.
    """
    if _ORIENTATION.encode() not in packet.replace(b"\0", b""):
        return packet
    document = _parse(packet)
    if document is None:
        return None
    places = _orientation_places(document)
    if all(_own_texts(place) == [str(orientation)] for place in places):
        return packet
    for place in places:
        if isinstance(place, minidom.Attr):
            place.value = str(orientation)
        else:
            for child in list(place.childNodes):
                place.removeChild(child)
            for attribute in _attributes(place):
                if attribute.namespaceURI != _XMLNS:
                    place.removeAttributeNode(attribute)
            place.appendChild(document.createTextNode(str(orientation)))
    return _written(document)


def _orientation_places(document: minidom.Document) -> list[minidom.Element | minidom.Attr]:
    """The elements and attributes named tiff:Orientation, also those that describe another picture."""
    elements = [node for node, _ in _walk(document) if isinstance(node, minidom.Element)]
    nodes: list[minidom.Element | minidom.Attr] = [*elements, *(one for node in elements for one in _attributes(node))]
    return [
        one
        for one in nodes
        if one.localName == _ORIENTATION and (one.namespaceURI == _TIFF or one.prefix == _TIFF_PREFIX)
    ]


def _own_texts(place: minidom.Element | minidom.Attr) -> list[str]:
    """The values in an element or attribute, apart from those that only name namespaces."""
    if isinstance(place, minidom.Attr):
        return [place.value.strip()]
    nodes = [node for node, _ in _walk(place)]
    texts = [node.data for node in nodes if isinstance(node, minidom.Text)]
    attributes = [one for node in nodes if isinstance(node, minidom.Element) for one in _attributes(node)]
    texts += [one.value for one in attributes if one.namespaceURI != _XMLNS]
    return [text.strip() for text in texts if text.strip()]


def _written(document: minidom.Document) -> bytes:
    return "".join(node.toxml() for node in document.childNodes).encode()


def _parse(packet: bytes) -> minidom.Document | None:
    """The packet as XML; None if it is not XML, or too large, deep or clever."""
    body = packet.strip(b"\0 \t\r\n")
    if len(body) > _LARGEST or b"\0" in body or b"<!DOCTYPE" in body or not body.endswith(b">"):
        return None
    try:
        document = minidom.parseString(body)
    except (ExpatError, ValueError, LookupError, RecursionError) as error:
        logger.debug("XMP is not parsed: %s", error)
        return None
    return document if all(depth <= _DEEPEST for _, depth in _walk(document)) else None


def _walk(start: minidom.Node) -> Iterator[tuple[minidom.Node, int]]:
    """All nodes below one, in any order, with their depths."""
    open_nodes = [(start, 0)]
    while open_nodes:
        node, depth = open_nodes.pop()
        yield node, depth
        open_nodes += [(child, depth + 1) for child in node.childNodes]


def _descriptions(document: minidom.Document) -> Iterator[minidom.Element]:
    for root in document.getElementsByTagNameNS(_RDF, "RDF"):
        yield from (
            node for node in root.childNodes if isinstance(node, minidom.Element) and node.localName == "Description"
        )


def _properties(document: minidom.Document) -> Iterator[_Property]:
    for owner in _descriptions(document):
        for attribute in _attributes(owner):
            if attribute.namespaceURI not in (_XMLNS, _RDF):
                yield _Property(attribute.name, owner, None)
        for node in owner.childNodes:
            if isinstance(node, minidom.Element):
                yield _Property(node.tagName, owner, node)


def _attributes(element: minidom.Element) -> list[minidom.Attr]:
    return list(element.attributes.values())


def _is_stale(one: _Property) -> bool:
    """Whether a property is valid only for the source: a pointer to extended XMP, or a checksum of other metadata."""
    if one.name == _EXTENDED:
        return True
    value = one.owner.getAttribute(one.name) if one.element is None else "".join(_texts_below(one.element))
    if one.name == _IPTC_DIGEST:
        return bool(_MD5.fullmatch(value))
    tags = (_DIGEST.fullmatch(value) or [""])[0].partition(";")[0].split(",")
    return bool(_DIGEST.fullmatch(value)) and len(tags) == len(set(tags))


def _texts_below(element: minidom.Element) -> list[str]:
    return [text for node, _ in _walk(element) for text in _texts(node)]


def _measure(one: _Property) -> Measure:
    if _is_stale(one):
        return not_language(0)
    if one.element is None:
        texts, names = [one.owner.getAttribute(one.name)], [one.name]
    else:
        texts, names = _texts_below(one.element), _names(one.element)
    of_names = together(measure(_YEAR.sub("", name)) for name in dict.fromkeys(names))
    # Names that are words do not make the values readable.
    total = together([*map(measure, texts), Measure(strange=of_names.opaque, digits=of_names.numeric)])
    is_picture = any(map(names_picture, names)) or any(sign in text for text in texts for sign in PICTURE_TEXTS)
    is_plain = all(measure(text).is_plain for text in dict.fromkeys((*texts, *names)))
    return replace(total, is_language=is_plain and not is_picture)


def _names(element: minidom.Element) -> list[str]:
    elements = [node for node, _ in _walk(element) if isinstance(node, minidom.Element)]
    return [name for node in elements for name in (node.tagName, *(one.name for one in _attributes(node)))]


def _texts(node: minidom.Node) -> Iterator[str]:
    """The values that a node itself holds."""
    if isinstance(node, minidom.Element):
        yield from (attribute.value for attribute in _attributes(node))
    elif isinstance(node, minidom.CharacterData):
        yield node.data
    elif isinstance(node, minidom.ProcessingInstruction):
        yield from (node.nodeName, node.data)


def _is_frame_plain(document: minidom.Document, properties: list[_Property]) -> bool:
    """Whether what lies around the properties is plain language."""
    inside = {id(one.element) for one in properties if one.element is not None}
    attributes = {(id(one.owner), one.name) for one in properties if one.element is None}
    texts, values = dict[str, None](), list[str]()
    open_nodes: list[minidom.Node] = [document]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, minidom.Element):
            texts[node.tagName] = None
            for one in _attributes(node):
                if (id(node), one.name) not in attributes:
                    texts.update({one.name: None, one.value: None})
                    values += [one.value] if one.namespaceURI != _XMLNS else []
        else:
            texts.update(dict.fromkeys(_texts(node)))
            values += _texts(node)
        open_nodes += [child for child in node.childNodes if id(child) not in inside]
    if any(sign in value for value in values for sign in (*PICTURE_TEXTS, *PICTURE_NAMES)):
        return False
    measures = {text: measure(text) for text in texts}
    total = together(measures.values())
    are_few = total.opaque <= MAX_OPAQUE_TOGETHER and total.numeric <= MAX_DIGITS
    are_plain = all(one.is_plain for one in measures.values()) and total.excess_chance <= MAX_CHANCE_TOGETHER
    in_values = {text: measures[text] for text in values}  # addresses of namespaces have few words
    return are_few and are_plain and find_plain(in_values) == set(in_values)
