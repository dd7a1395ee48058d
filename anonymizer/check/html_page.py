"""The findings as one page of HTML that needs nothing else: no scripts, no other files, no network."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from anonymizer.check.annotate import THUMBNAIL_PX, close_up, mark
from anonymizer.check.finding import LEVELS, Finding, Level, place_in_time, urgency, without_the_less_likely
from anonymizer.files.encode import encode_preview
from anonymizer.files.picture import Picture
from anonymizer.text import printable

MAX_SHOWN = 8
"""So many findings are shown per file, the most urgent ones: crowds have hundreds."""

SHOWN: tuple[Level, ...] = ("finding", "warning")
"""Levels that somebody needs to look at."""

_TIME_LINE_PX = 1000
_ROWS: Mapping[Level, tuple[int, str]] = {"finding": (0, "#b00020"), "warning": (14, "#c9a000")}
"""Where on the time line a level is drawn, and in which colour."""

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
article { border-top: 1px solid #ccc; padding: 1em 0; display: flex; gap: 1em; flex-wrap: wrap }
h2 { font-size: 1em; margin: 0 0 .5em; width: 100%; overflow-wrap: anywhere }
ul { margin: 0; padding-left: 1.2em; flex: 1; min-width: 20em }
figure { margin: 0; display: inline-block; text-align: center; font-size: .8em }
img { image-rendering: auto; max-width: 100% }
.finding { color: #b00020 } .warning { color: #8a6100 } .noted { color: #2a6f97 } .accepted { color: #2b7a2b }
.close-ups { width: 100%; display: flex; gap: .5em; flex-wrap: wrap }
.film { width: 100% } .film p { margin: .5em 0 .2em; font-size: .9em }
"""


@dataclass(frozen=True)
class Strip:
    """A recorded track of a film, as it looks redacted."""

    track: int
    kind: str
    first_s: float
    last_s: float
    pictures: Sequence[tuple[float, bytes]]
    """When each is shown, in seconds, and a JPEG."""


@dataclass(frozen=True)
class FilmCard:
    """What the page shows of a film besides."""

    first_s: float
    """When the first frame is shown, in seconds on the clock of the file."""
    last_s: float
    strips: Sequence[Strip]
    more_tracks: int = 0
    """How many tracks have no strip."""


@dataclass(frozen=True)
class Card:
    """What the page shows of one file, before it is rendered as HTML."""

    file: str
    findings: Sequence[Finding]
    """Sorted by urgency; of pictures at least one."""
    thumbnail: bytes | None = None
    """JPEG."""
    close_ups: Sequence[tuple[Finding, bytes]] = ()
    """JPEG."""
    film: FilmCard | None = None

    def without_the_less_likely(self, limit: float) -> Card | None:
        """The card without warnings of something in doubt with a score up to a limit; None if nobody needs to look."""
        findings = sorted((without_the_less_likely(finding, limit) for finding in self.findings), key=urgency)
        if self.film is None and (not findings or findings[0].level not in SHOWN):
            return None
        close_ups = [
            (finding, content)
            for finding, content in self.close_ups
            if without_the_less_likely(finding, limit).level in SHOWN
        ]
        return replace(self, findings=findings, close_ups=close_ups)

    @property
    def rank(self) -> tuple[int, bool, float, float]:
        """Sort key: what a person should look at first."""
        return urgency(self.findings[0]) if self.findings else (len(LEVELS), False, 0.0, 0.0)


def make_card(file: str, findings: Sequence[Finding], picture: Picture | None) -> Card | None:
    """The card of a file, with its images encoded so that the pixels can be freed; None if nobody needs to look."""
    urgent = sorted(findings, key=urgency)
    if not urgent or urgent[0].level not in SHOWN:
        return None
    if picture is None:
        return Card(file, urgent)
    small = encode_preview(mark(picture.frames[0].view, urgent, THUMBNAIL_PX, labels=False))
    close_ups = []
    for finding in [finding for finding in urgent if finding.level in SHOWN][:MAX_SHOWN]:
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
    film = "" if card.film is None else _film(card.film, card.findings)
    name = _escaped(card.file)
    return f"<article>\n<h2><bdi>{name}</bdi></h2>\n{image}<ul>\n{items}</ul>\n{close_ups}{film}</article>\n"


def _film(film: FilmCard, findings: Sequence[Finding]) -> str:
    """The time line of a film, and a strip of each track."""
    strips = "".join(_strip(strip) for strip in film.strips)
    more = f"<p>and {film.more_tracks} more tracks</p>\n" if film.more_tracks else ""
    return f'<div class="film">\n{_time_line(film, findings)}{strips}{more}</div>\n'


def _time_line(film: FilmCard, findings: Sequence[Finding]) -> str:
    """A drawing of when there is something to look at: what counts above, warnings below."""
    span = max(film.last_s - film.first_s, 1e-3)
    marks = []
    for finding in findings:
        if finding.time_s is None or finding.level not in _ROWS:
            continue
        x = _TIME_LINE_PX * (finding.time_s - film.first_s) / span
        title = _escaped(f"{finding.label}: {finding.text}, {place_in_time(finding)}")
        row, colour = _ROWS[finding.level]
        marks.append(
            f'<rect x="{x:.1f}" y="{row}" width="3" height="10" fill="{colour}"><title>{title}</title></rect>\n'
        )
    ends = f"{film.first_s:.1f} s to {film.last_s:.1f} s"
    return (
        f'<svg viewBox="0 0 {_TIME_LINE_PX + 3} 24" width="100%" height="24" role="img" aria-label="time line">\n'
        f'<rect x="0" y="11" width="{_TIME_LINE_PX + 3}" height="2" fill="#888"/>\n{"".join(marks)}</svg>\n'
        f"<p>{ends}: findings above the line, warnings below</p>\n"
    )


def _strip(strip: Strip) -> str:
    pictures = "".join(
        f'<figure><img src="{_data(content)}" alt=""><figcaption>{time_s:.2f} s</figcaption></figure>\n'
        for time_s, content in strip.pictures
    )
    name = _escaped(f"track {strip.track}: {strip.kind}, {strip.first_s:.2f} s to {strip.last_s:.2f} s")
    return f'<p>{name}</p>\n<div class="close-ups">\n{pictures}</div>\n'


def _sentence(finding: Finding) -> str:
    place = ""
    if finding.box is not None:
        box = finding.box
        place = f" ({box.width:.0f} x {box.height:.0f} pixels at {box.x_min:.0f}, {box.y_min:.0f})"
    if finding.time_s is not None:
        place += f" in {place_in_time(finding)}"
    return f"{finding.level}: {finding.label}: {finding.text}{place}"


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _data(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()
