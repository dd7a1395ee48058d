"""The page needs nothing else, and shows what a file says as text."""

import base64
import re

import cv2
import numpy as np
import pytest
from fakes import noise

from anonymizer.check.annotate import CLOSE_UP_PX, THUMBNAIL_PX
from anonymizer.check.finding import Finding
from anonymizer.check.html_page import MAX_SHOWN, Card, make_card, to_article, to_html
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import Box

WEAK = Finding("a.png", "face", "seen weakly", "warning", Box(10, 10, 40, 40), 0.2)
BAD = Finding("a.png", "plate", "not redacted", "finding", Box(20, 20, 40, 30), 0.9)
POSITION = Finding("a.png", "gps", "GPS data")


@pytest.fixture
def picture() -> Picture:
    return Picture((Frame(noise(400, 500)), Frame(noise(400, 500, seed=1))), b"", Encoding("PNG"))


def size_of(jpeg: bytes) -> tuple[int, int]:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    height, width = pixels.shape[:2]
    return height, width


def test_what_is_most_urgent_comes_first_with_its_surroundings(picture: Picture) -> None:
    card = make_card("a.png", [WEAK, POSITION, BAD], picture)
    assert card is not None
    assert card.findings == [POSITION, BAD, WEAK]
    assert card.thumbnail is not None
    assert size_of(card.thumbnail) == (THUMBNAIL_PX * 4 // 5, THUMBNAIL_PX)
    assert [finding for finding, _ in card.close_ups] == [BAD, WEAK]
    assert max(size_of(card.close_ups[0][1])) == CLOSE_UP_PX


@pytest.mark.parametrize("level", ["noted", "accepted"])
def test_nobody_needs_to_look_at_what_is_explained(picture: Picture, level: str) -> None:
    explained = Finding("a.png", "face", "seen again", level, BAD.box)  # type: ignore[arg-type]
    assert make_card("a.png", [explained], picture) is None
    assert make_card("a.png", [], picture) is None


def test_a_file_that_cannot_be_read_has_words_alone() -> None:
    unreadable = Finding("a.png", "unreadable", "cannot be checked: is empty")
    assert make_card("a.png", [unreadable], None) == Card("a.png", [unreadable])


def test_crowds_are_cut_short(picture: Picture) -> None:
    card = make_card("a.png", [BAD] * (MAX_SHOWN + 3), picture)
    assert card is not None
    assert len(card.close_ups) == MAX_SHOWN
    article = to_article(card)
    assert article.count('<li class="finding">') == MAX_SHOWN
    assert "<li>and 3 more</li>" in article


def test_an_article_says_what_where_and_how_bad() -> None:
    article = to_article(Card("a.png", [BAD], b"jpeg", [(BAD, b"near")]))
    assert '<li class="finding">finding: plate 0.90: not redacted (20 x 10 pixels at 20, 20)</li>' in article
    images = re.findall(r"data:image/jpeg;base64,([^\"]+)", article)
    assert [base64.b64decode(image) for image in images] == [b"jpeg", b"near"]


def test_names_and_texts_are_text() -> None:
    name = '<script>&"\u202e\n\udcff.png'
    article = to_article(Card(name, [Finding(name, "comment", "<b>")]))
    assert "<script>" not in article
    assert "<b>" not in article
    assert "&lt;script&gt;&amp;&quot;\\u202e\\n\\udcff.png" in article


def test_the_page_needs_no_other_file_and_no_network() -> None:
    page = b"".join(to_html([to_article(Card("a.png", [BAD], b"x")).encode()], "1 < 2 files")).decode()
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</body>\n</html>\n")
    assert "<p>1 &lt; 2 files</p>" in page
    assert "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)|<script|@import|url\(", page)
