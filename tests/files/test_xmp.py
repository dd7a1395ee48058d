"""Properties that may hold pictures are taken out of XMP; all others stay as they are."""

import base64

import numpy as np
import pytest

from anonymizer.files.xmp import orientations_in, plain_xmp, with_orientation

SECRET = base64.b64encode(np.random.default_rng(0).bytes(900)).decode()
HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:own="http://ns.example.org/own/" '
)
END = '</rdf:Description></rdf:RDF></x:xmpmeta>      <?xpacket end="w"?>'
CAPTION = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">At the bridge, 橋の上</rdf:li></rdf:Alt></dc:title>'


def packet(attributes: str = "", elements: str = "") -> bytes:
    return f"{HEAD}{attributes}>{CAPTION}{elements}{END}".encode()


def test_ordinary_packets_stay_byte_for_byte() -> None:
    content = packet('own:Lens="EF24-105mm f/4L IS USM" own:Date="2017-05-06T01:08:21+02:00"')
    assert plain_xmp(content).content == content
    assert plain_xmp(content).left_out == ()


@pytest.mark.parametrize(
    ("attributes", "elements", "name"),
    [
        (f'own:Harmless="{SECRET}"', "", "own:Harmless"),
        ("", f"<own:Data>{SECRET}</own:Data>", "own:Data"),
        ("", f"<own:Data><![CDATA[{SECRET}]]></own:Data>", "own:Data"),
        ("", f"<own:Data><!-- {SECRET} --></own:Data>", "own:Data"),
        ("", f'<own:Data><rdf:Description own:inner="{SECRET}"/></own:Data>', "own:Data"),
        (
            "",
            "<own:Data><rdf:Seq>"
            + "".join(f"<rdf:li>{SECRET[at : at + 25]}</rdf:li>" for at in range(0, len(SECRET), 25))
            + "</rdf:Seq></own:Data>",
            "own:Data",
        ),
        ("", "<own:Thumbnails>small</own:Thumbnails>", "own:Thumbnails"),
    ],
)
def test_single_properties_are_left_out(attributes: str, elements: str, name: str) -> None:
    filtered = plain_xmp(packet(attributes, elements))
    assert filtered.left_out == (f"{name} in XMP",)
    assert filtered.content is not None
    assert "橋の上".encode() in filtered.content
    assert SECRET[:20].encode() not in filtered.content
    assert plain_xmp(filtered.content).content == filtered.content


def test_pieces_in_many_properties() -> None:
    attributes = " ".join(f'own:part{at}="{SECRET[at : at + 40]}"' for at in range(0, len(SECRET), 40))
    content = plain_xmp(packet(attributes)).content
    assert content is not None
    assert "橋の上".encode() in content
    assert not any(SECRET[at : at + 40].encode() in content for at in range(0, len(SECRET), 40))


@pytest.mark.parametrize(
    "content",
    [
        packet(elements=f"<!-- {SECRET} -->"),
        packet() + f"<!-- {SECRET} -->".encode(),
        b"<!DOCTYPE x [<!ENTITY a 'a'>]>" + packet(),
        packet().decode().encode("utf-16"),
        packet()[:-60] + SECRET.encode(),
        b"<a>" * 100 + b"</a>" * 100,
    ],
)
def test_packets_that_are_left_out_as_a_whole(content: bytes) -> None:
    assert plain_xmp(content).content is None


def test_stale_properties_go_silently() -> None:
    digest = ",".join(map(str, range(256, 290))) + ";0123456789ABCDEF0123456789ABCDEF"
    filtered = plain_xmp(packet(f'own:NativeDigest="{digest}"'))
    assert filtered.left_out == ()
    assert filtered.content is not None
    assert b"NativeDigest" not in filtered.content


TIFF = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
OTHER_PREFIX = 'xmlns:t="http://ns.adobe.com/tiff/1.0/" '


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (packet(TIFF + 'tiff:Orientation="6" own:x="8"'), 'tiff:Orientation="1"'),
        (packet(OTHER_PREFIX + "t:Orientation = '6'"), 't:Orientation="1"'),
        (packet(TIFF, "<tiff:Orientation>\n 6 </tiff:Orientation>"), "<tiff:Orientation>1</tiff:Orientation>"),
        (packet(TIFF, "<tiff:Orientation><!-- -->&#54;</tiff:Orientation>"), "<tiff:Orientation>1</tiff:Orientation>"),
        (packet(TIFF, '<tiff:Orientation rdf:value="6"/>'), "<tiff:Orientation>1</tiff:Orientation>"),
        (packet(TIFF, '<own:From><rdf:Bag><rdf:li tiff:Orientation="6"/></rdf:Bag></own:From>'), "Orientation="),
    ],
)
def test_orientations_are_read_and_replaced(before: bytes, after: str) -> None:
    assert orientations_in(before) == [6]
    assert with_orientation(before, 6) in (before, with_orientation(before, 6))
    changed = with_orientation(before, 1)
    assert changed is not None
    assert after.encode() in changed
    assert orientations_in(changed) == [1]
    assert with_orientation(changed, 1) == changed
    assert plain_xmp(changed).content == changed


@pytest.mark.parametrize(
    "content",
    [
        packet('own:Orientation="6"'),
        packet(TIFF + 'tiff:OrientationX="6"'),
        packet(TIFF, "<own:x>the Orientation is 6</own:x>"),
        packet(),
        b"",
    ],
)
def test_what_is_no_orientation_stays(content: bytes) -> None:
    assert orientations_in(content) == []
    assert with_orientation(content, 1) == content


def test_packets_that_agree_stay_byte_for_byte() -> None:
    content = packet(TIFF + 'tiff:Orientation = "6"')
    assert with_orientation(content, 6) == content


@pytest.mark.parametrize("value", ["0", "9", "66", "up", ""])
def test_values_that_are_no_orientations_state_none_and_are_replaced(value: str) -> None:
    content = packet(f'{TIFF}tiff:Orientation="{value}"')
    assert orientations_in(content) == []
    assert orientations_in(with_orientation(content, 3) or b"") == [3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_damaged_packets_seem_to_state_orientations(encoding: str) -> None:
    content = packet(TIFF + 'tiff:Orientation="6"').decode().replace("</x:xmpmeta>", "").encode(encoding)
    assert orientations_in(content) == [6]
    assert with_orientation(content, 6) is None


def test_numbers_in_elements_of_their_own() -> None:
    numbers = np.random.default_rng(0).bytes(900)
    for elements in (
        "<own:Data><rdf:Seq>" + "".join(f"<rdf:li>{one}</rdf:li>" for one in numbers) + "</rdf:Seq></own:Data>",
        "".join(f"<own:Data><!-- {numbers[at : at + 30].hex(' ')} --></own:Data>" for at in range(0, 900, 30)),
        "".join(f"<own:p>{one}</own:p>" for one in numbers),
    ):
        content = plain_xmp(packet(elements=elements)).content
        assert content is not None
        assert b"own:Data" not in content
        assert b"own:p" not in content


def test_numbers_in_comments_between_properties() -> None:
    numbers = np.random.default_rng(0).bytes(900)
    comments = "".join(f"<!-- {', '.join(map(str, numbers[at : at + 30]))} -->" for at in range(0, 900, 30))
    assert plain_xmp(packet(elements=comments)).content is None


def test_settings_of_raw_converters_stay() -> None:
    names = ("Exposure", "Contrast", "Highlights", "Shadows", "Whites", "Blacks", "Clarity", "ToneCurveName")
    settings = " ".join(f'own:{name}2012="{at:+}"' for at, name in enumerate(names))
    settings += " " + " ".join(
        f'own:{kind}Adjustment{colour}="{len(kind) * len(colour)}"'
        for kind in ("Hue", "Saturation", "Luminance")
        for colour in ("Red", "Orange", "Yellow", "Green", "Aqua", "Blue", "Purple", "Magenta")
    )
    curve = "".join(f"<rdf:li>{at}, {at}</rdf:li>" for at in (0, 32, 64, 128, 192, 255))
    curves = "".join(
        f"<own:ToneCurvePV2012{colour}><rdf:Seq>{curve}</rdf:Seq></own:ToneCurvePV2012{colour}>"
        for colour in ("Red", "Green", "Blue")
    )
    identifiers = " ".join(
        f'own:{name}ID="xmp.iid:{text}"'
        for name, text in (
            ("Document", "fb93ebda-de46-bc47-ae38-6b92ab48ca94"),  # with its bytes swapped, as on Windows
            ("Instance", "052BD2EA0E4D11DC8A44E7197F54F302"),
            ("Original", "CA1E64B50E20681192B0DCD7F690FD73"),
        )
    )
    content = packet(f"{settings} {identifiers}", curves)
    assert plain_xmp(content).content == content


def test_checksums_of_other_metadata_go_silently() -> None:
    filtered = plain_xmp(packet('xmlns:photoshop="p" photoshop:LegacyIPTCDigest="42AE3123910A5B6246B0F00E492D3D75"'))
    assert filtered.left_out == ()
    assert filtered.content is not None
    assert b"Legacy" not in filtered.content
