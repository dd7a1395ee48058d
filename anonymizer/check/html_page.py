"""The findings as one page of HTML that needs nothing else: no scripts, no other files, no network."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anonymizer.check.annotate import THUMBNAIL_PX, close_up, mark
from anonymizer.check.finding import Finding, urgency
from anonymizer.files.encode import encode_preview
from anonymizer.files.picture import Picture
from anonymizer.text import printable

MAX_SHOWN = 8
"""So many findings are shown per file, the most urgent ones: crowds have hundreds."""

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
article { border-top: 1px solid #ccc; padding: 1em 0; display: flex; gap: 1em; flex-wrap: wrap }
h2 { font-size: 1em; margin: 0 0 .5em; width: 100%; overflow-wrap: anywhere }
ul { margin: 0; padding-left: 1.2em; flex: 1; min-width: 20em }
figure { margin: 0; display: inline-block; text-align: center; font-size: .8em }
img { image-rendering: auto; max-width: 100% }
.finding { color: #b00020 } .warning { color: #8a6100 } .noted { color: #2a6f97 } .accepted { color: #2b7a2b }
.close-ups { width: 100%; display: flex; gap: .5em; flex-wrap: wrap }
"""


@dataclass(frozen=True)
class Card:
    """What the page shows of one file, before it is rendered as HTML."""

    file: str
    findings: Sequence[Finding]
    """At least one, sorted by urgency."""
    thumbnail: bytes | None = None
    """JPEG."""
    close_ups: Sequence[tuple[Finding, bytes]] = ()
    """JPEG."""


def make_card(file: str, findings: Sequence[Finding], picture: Picture | None) -> Card | None:
    """The card of a file, with its images encoded so that the pixels can be freed; None if nobody needs to look."""
    urgent = sorted(findings, key=urgency)
    if not urgent or urgent[0].level not in ("finding", "warning"):
        return None
    if picture is None:
        return Card(file, urgent)
    small = encode_preview(mark(picture.frames[0].view, urgent, THUMBNAIL_PX, labels=False))
    close_ups = []
    for finding in [finding for finding in urgent if finding.level in ("finding", "warning")][:MAX_SHOWN]:
        pixels = close_up(picture.frames[finding.frame].view, finding)
        if pixels is not None:
            close_ups.append((finding, encode_preview(pixels)))
    return Card(file, urgent, small, close_ups)


def to_html(articles: Iterable[bytes], summary: str) -> Iterator[bytes]:
    """The page in pieces, as it may be large.

    Args:
        articles: see `to_article`; by urgency.
    """
    yield f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>anonymize check</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>anonymize check</h1>
<p>{_escaped(summary)}</p>
<p>What counts comes first, and of that failures, low scores and small boxes.</p>
""".encode()
    yield from articles
    yield b"</body>\n</html>\n"


def to_article(card: Card) -> str:
    """One file on the page, as HTML."""
    image = "" if card.thumbnail is None else f'<img src="{_data(card.thumbnail)}" alt="">\n'
    shown, more = card.findings[:MAX_SHOWN], len(card.findings) - MAX_SHOWN
    items = "".join(f'<li class="{finding.level}">{_escaped(_sentence(finding))}</li>\n' for finding in shown)
    items += f"<li>and {more} more</li>\n" if more > 0 else ""
    figures = "".join(
        f'<figure><img src="{_data(content)}" alt="">'
        f'<figcaption class="{finding.level}">{_escaped(finding.label)}</figcaption></figure>\n'
        for finding, content in card.close_ups
    )
    close_ups = f'<div class="close-ups">\n{figures}</div>\n' if figures else ""
    return f"<article>\n<h2><bdi>{_escaped(card.file)}</bdi></h2>\n{image}<ul>\n{items}</ul>\n{close_ups}</article>\n"


def _sentence(finding: Finding) -> str:
    place = ""
    if finding.box is not None:
        box = finding.box
        place = f" ({box.width:.0f} x {box.height:.0f} pixels at {box.x_min:.0f}, {box.y_min:.0f})"
    return f"{finding.level}: {finding.label}: {finding.text}{place}"


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _data(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()
