import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from anonymizer.kinds import KINDS
from anonymizer.record.statistics import Concern, KindStatistics, Statistics, size_classes
from anonymizer.record.statistics_page import draw_statistics, to_html, to_lines, why

THRESHOLDS = dict.fromkeys(KINDS, 0.0) | {"face": 0.2}
EVIL = '<script>alert(1)</script>"&\u202e\n.png'


def statistics(concerns: list[Concern]) -> Statistics:
    faces = KindStatistics(3, 1, 2, [0] * 19 + [3], [3, *[0] * (len(size_classes()) - 1)])
    return Statistics(2, 1, {"face": faces, "plate": KindStatistics()}, concerns)


CONCERNS = [Concern(EVIL, failure="<b>"), Concern("a.png", None, {"face": 2, "plate": 1}, {"face": 1})]


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(found: Statistics, shown: int = 10) -> str:
    return b"".join(to_html(found, THRESHOLDS, shown)).decode()


def test_lines() -> None:
    lines = list(to_lines(statistics(CONCERNS), 1))
    assert lines == [
        "2 pictures, 1 of them without detections; 1 without a record",
        "faces: 3, 1 doubtful (in the lowest 30% between threshold and 1), 2 tiny (below 16 pixels)",
        "plates: 0, 0 doubtful (in the lowest 30% between threshold and 1), 0 tiny (below 16 pixels)",
        "2 need an eye, the most urgent first:",
        '  <script>alert(1)</script>"&\\u202e\\n.png: <b>',
        "  and 1 more",
    ]
    assert len(list(to_lines(statistics([]), 5))) == 3


def test_why() -> None:
    assert why(CONCERNS[1]) == "2 doubtful faces, 1 doubtful plate, 1 tiny face"


def test_the_page_needs_nothing_else() -> None:
    page = page_of(statistics(CONCERNS))
    tags = Tags(page)
    assert not tags.open
    assert not {"script", "link", "iframe", "a", "b"}.intersection(tags.tags)
    assert tags.tags.count("img") == 4
    sources = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^"\s)]*)', page)
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page


def test_names_are_escaped() -> None:
    page = page_of(statistics(CONCERNS))
    assert "<script>" not in page
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;\\u202e\\n.png</bdi>" in page
    assert '<tr class="failed">' in page


def test_a_long_list_is_cut() -> None:
    page = page_of(statistics(CONCERNS * 5), shown=3)
    assert page.count("<tr") == 3
    assert "<p>and 7 more</p>" in page


def test_no_concerns() -> None:
    assert "<table>" not in page_of(statistics([]))


def test_the_picture() -> None:
    image = Image.open(io.BytesIO(draw_statistics(statistics([]), THRESHOLDS)))
    assert image.format == "PNG"
    assert np.asarray(image).shape == (4 * 280, 640, 3)
    assert Image.open(io.BytesIO(draw_statistics(Statistics(), THRESHOLDS))).size == (1, 1)
