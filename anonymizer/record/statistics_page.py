"""The statistics of a run as text, as a picture, and as one page of HTML that needs nothing else."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping

from anonymizer.files.encode import encode_png
from anonymizer.kinds import TRAITS, Kind
from anonymizer.record.plots import Bars, draw_bars, stack
from anonymizer.record.statistics import (
    DOUBT,
    SCORE_CLASSES,
    TINY_PX,
    Concern,
    KindStatistics,
    Statistics,
    size_classes,
)
from anonymizer.text import printable
from anonymizer.types import Pixels8

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
table { border-collapse: collapse } th, td { text-align: left; padding: .2em 1em .2em 0; border-top: 1px solid #ccc }
td { overflow-wrap: anywhere } img { max-width: 100% } .failed { color: #b00020 }
"""


def to_lines(statistics: Statistics, shown: int) -> Iterator[str]:
    """The statistics as lines of text.

    Args:
        shown: how many of the pictures that need an eye are named.
    """
    yield _summary(statistics)
    for kind, numbers in statistics.kinds.items():
        yield _of_kind(kind, numbers)
    if statistics.concerns:
        yield f"{len(statistics.concerns)} need an eye, the most urgent first:"
    for concern in statistics.concerns[:shown]:
        yield f"  {printable(concern.picture)}: {printable(why(concern))}"
    if len(statistics.concerns) > shown:
        yield f"  and {len(statistics.concerns) - shown} more"


def why(concern: Concern) -> str:
    """Why a picture needs an eye, such as "2 doubtful faces, 1 tiny plate"."""
    if concern.failure is not None:
        return concern.failure
    groups = (("doubtful", concern.doubtful), ("tiny", concern.tiny))
    return ", ".join(
        f"{number} {word} {kind if number == 1 else TRAITS[kind].plural}"
        for word, numbers in groups
        for kind, number in numbers.items()
    )


def draw_statistics(statistics: Statistics, thresholds: Mapping[Kind, float]) -> bytes:
    """All charts below each other, as a PNG file."""
    return encode_png(stack([draw_bars(bars) for bars in _charts(statistics, thresholds)]))


def to_html(statistics: Statistics, thresholds: Mapping[Kind, float], shown: int) -> Iterator[bytes]:
    """The page in pieces.

    Args:
        shown: how many of the pictures that need an eye are named.
    """
    yield f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>anonymize detections stats</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>anonymize detections stats</h1>
<p>{_escaped(_summary(statistics))}</p>
""".encode()
    for kind, numbers in statistics.kinds.items():
        yield f"<p>{_escaped(_of_kind(kind, numbers))}</p>\n".encode()
    for bars in _charts(statistics, thresholds):
        yield f'<p><img src="{_data(draw_bars(bars))}" alt="{_escaped(_in_words(bars))}"></p>\n'.encode()
    if statistics.concerns:
        yield b"<h2>Pictures that need an eye, the most urgent first</h2>\n<table>\n"
        for concern in statistics.concerns[:shown]:
            style = ' class="failed"' if concern.failure is not None else ""
            name, text = _escaped(concern.picture), _escaped(why(concern))
            yield f"<tr{style}><td><bdi>{name}</bdi></td><td>{text}</td></tr>\n".encode()
        yield b"</table>\n"
        if len(statistics.concerns) > shown:
            yield f"<p>and {len(statistics.concerns) - shown} more</p>\n".encode()
    yield b"</body>\n</html>\n"


def _summary(statistics: Statistics) -> str:
    known = f"{_number(statistics.pictures, 'picture')}, {statistics.without_detections} of them without detections"
    return f"{known}; {statistics.failures} without a record" if statistics.failures else known


def _of_kind(kind: Kind, numbers: KindStatistics) -> str:
    doubtful = f"{numbers.doubtful} doubtful (in the lowest {DOUBT:.0%} between threshold and 1)"
    return f"{TRAITS[kind].plural}: {numbers.number}, {doubtful}, {numbers.tiny} tiny (below {TINY_PX} pixels)"


def _charts(statistics: Statistics, thresholds: Mapping[Kind, float]) -> Iterator[Bars]:
    lows = [f"{index / SCORE_CLASSES:.1f}" if index % 2 == 0 else "" for index in range(SCORE_CLASSES)]
    for kind, numbers in statistics.kinds.items():
        plural = TRAITS[kind].plural
        yield Bars(f"Scores of {plural}, and the threshold", lows, numbers.scores, thresholds[kind] or None)
        yield Bars(f"Sizes of {plural}: shorter side in pixels", size_classes(), numbers.sizes)


def _in_words(bars: Bars) -> str:
    named = (f"{label or '...'} {value}" for label, value in zip(bars.labels, bars.values, strict=True))
    return f"{bars.title}: {', '.join(named)}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _data(chart: Pixels8) -> str:
    return "data:image/png;base64," + base64.b64encode(encode_png(chart)).decode()
