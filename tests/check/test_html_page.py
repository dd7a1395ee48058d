"""The page shows what needs a look, needs nothing from elsewhere, and takes no name for markup."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from contextlib import closing
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from check.samples import save_moving
from fakes import noise, save
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.check.annotate import CLOSE_UP_PX, THUMBNAIL_PX
from anonymizer.check.finding import Finding
from anonymizer.check.html_page import MAX_SHOWN, Card, make_card, to_article, to_html
from anonymizer.check.store import FindingStore
from anonymizer.files.picture import Picture
from anonymizer.files.read import read_picture
from anonymizer.geometry import Box
from anonymizer.text import printable

FACE = Finding("a.png", "face", "not redacted", box=Box(20, 20, 60, 70), score=0.9)
GPS = Finding("a.png", "gps", "GPS data in the EXIF data")
UNSEEN = (Finding("a.png", "face", "seen again", "noted"), Finding("a.png", "face", "known", "accepted"))


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    return read_picture(save(tmp_path / "a.png", noise(400, 800)))


def page_of(*cards: Card, summary: str = "2 files checked") -> str:
    """The page as a check writes it."""
    with closing(FindingStore()) as store:
        for position, card in enumerate(cards):
            store.add(card.findings, card, position)
        return b"".join(to_html(store.articles(), summary)).decode()


def card_of(file: str, *findings: Finding) -> Card:
    card = make_card(file, findings, None)
    assert card is not None
    return card


def pixels_of(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(BytesIO(content)) as image:
        assert image.format == "JPEG"
        return np.asarray(image)


@pytest.mark.parametrize("findings", [(), UNSEEN])
def test_nobody_needs_to_look_at_what_is_explained_or_accepted(picture: Picture, findings: Sequence[Finding]) -> None:
    assert make_card("a.png", findings, picture) is None


def test_a_card_begins_with_what_is_most_urgent(picture: Picture) -> None:
    card = make_card("a.png", [UNSEEN[0], FACE, GPS], picture)
    assert card is not None
    assert card.findings == [GPS, FACE, UNSEEN[0]]
    assert [finding for finding, _ in card.close_ups] == [FACE]
    assert card.thumbnail is not None
    assert pixels_of(card.thumbnail).shape == (THUMBNAIL_PX // 2, THUMBNAIL_PX, 3)
    assert max(pixels_of(card.close_ups[0][1]).shape) == CLOSE_UP_PX


def test_a_file_that_cannot_be_read_has_a_card_without_pictures() -> None:
    unreadable = Finding("a.png", "unreadable", "cannot be checked")
    assert make_card("a.png", [unreadable], None) == Card("a.png", [unreadable])


def test_close_ups_show_the_frame_of_their_finding(tmp_path: Path) -> None:
    frames = [np.full((100, 100, 3), level, np.uint8) for level in (0, 255)]
    picture = read_picture(save_moving(tmp_path / "a.tif", *frames))
    findings = [Finding("a.tif", "face", "", box=FACE.box, score=0.9, frame=number) for number in (0, 1)]
    card = make_card("a.tif", findings, picture)
    assert card is not None
    assert [(finding.frame, round(pixels_of(content).mean())) for finding, content in card.close_ups] == [
        (0, 0), (1, 255),
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "more"), [(MAX_SHOWN, 0), (MAX_SHOWN + 3, 3)])
def test_of_many_findings_the_most_urgent_are_shown(picture: Picture, number: int, more: int) -> None:
    findings = [Finding("a.png", "face", f"number {i}.", box=FACE.box, score=i / 100) for i in range(number)]
    card = make_card("a.png", findings[::-1], picture)
    assert card is not None
    assert len(card.close_ups) == MAX_SHOWN
    article = to_article(card)
    assert [f"number {i}." in article for i in range(number)] == [True] * MAX_SHOWN + [False] * more
    assert (f"and {more} more" in article) == (more > 0)


def test_pictures_lie_in_the_page(picture: Picture) -> None:
    card = make_card("a.png", [FACE], picture)
    assert card is not None
    sources = [value for name, value in Page(page_of(card)).attributes if name == "src"]
    prefix = "data:image/jpeg;base64,"
    contents = [base64.b64decode((source or "").removeprefix(prefix), validate=True) for source in sources]
    assert contents == [card.thumbnail, card.close_ups[0][1]]


def test_a_sentence_says_where(picture: Picture) -> None:
    article = to_article(card_of("a.png", FACE, GPS))
    assert '<li class="finding">finding: face 0.90: not redacted (40 x 50 pixels at 20, 20)</li>' in article
    assert '<li class="finding">finding: gps: GPS data in the EXIF data</li>' in article


def test_failures_come_first_then_findings_then_warnings() -> None:
    failure = card_of("z.jpg", Finding("z.jpg", "unreadable", "cannot be checked"))
    finding, sure = card_of("y.png", FACE), card_of("x.png", Finding("x.png", "face", "", box=FACE.box, score=0.95))
    warning = card_of("a.png", Finding("a.png", "face", "seen weakly", "warning", FACE.box, 0.2))
    page = page_of(warning, sure, finding, failure)
    assert re.findall(r"<bdi>(.*?)</bdi>", page) == ["z.jpg", "y.png", "x.png", "a.png"]


def test_a_page_without_articles() -> None:
    page = page_of(summary="0 files <checked>")
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.endswith("</body>\n</html>\n")
    assert "<p>0 files &lt;checked&gt;</p>" in page


def test_the_policy_allows_pictures_in_the_page_and_styles_and_nothing_else() -> None:
    attributes = Page(page_of()).attributes
    policy = attributes[attributes.index(("http-equiv", "Content-Security-Policy")) + 1]
    assert policy == ("content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'")


# What would change a page, beside any other character of a file name.
PARTS = st.sampled_from(["<script>", "</bdi>", "<!--", '"', "'", "&amp;", "&", "\u202e", "\n", "\x00", "\udcff"])
TEXTS = st.lists(PARTS | st.characters(exclude_categories=["Cs"]), max_size=12).map("".join)


@given(file=TEXTS, text=TEXTS, summary=TEXTS)
def test_no_text_is_taken_for_markup(file: str, text: str, summary: str) -> None:
    expected = Page(page_of(card_of("a", Finding("a", "gps", "b")), summary="c"))
    page = Page(page_of(card_of(file, Finding(file, "gps", text)), summary=summary))
    assert (page.tags, page.attributes) == (expected.tags, expected.attributes)
    shown = "".join(page.texts)
    assert printable(summary) in shown
    assert printable(file) in shown
    assert f"finding: gps: {printable(text)}\n" in shown


def test_nothing_comes_from_elsewhere(picture: Picture) -> None:
    card = make_card('<img src="http://example.org/">', [FACE], picture)
    assert card is not None
    page = page_of(card)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert not {"script", "link", "iframe", "object", "base"} & set(Page(page).tags)
    assert "url(" not in page
