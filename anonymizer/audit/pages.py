"""The results of audits as JSON, Markdown and pages of HTML that need nothing else."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from anonymizer.audit.identify import Attack
from anonymizer.audit.leak import Leaks
from anonymizer.audit.plates import Reading
from anonymizer.audit.reverse import Reversed
from anonymizer.audit.scores import Share
from anonymizer.files.encode import encode_png
from anonymizer.types import Pixels8

SHOWN_FACES = 24
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 }
table { border-collapse: collapse } th, td { text-align: left; padding: .2em 1em .2em 0; border-top: 1px solid #ccc }
img { max-width: 100%; image-rendering: pixelated } .told { color: #b00020 }
"""
_COLUMNS = ("redaction", "attacker", "rank-1", "rank-5", "TAR at FAR 1 %", "TAR at FAR 0.1 %", "equal error rate")


def write_attacks(
    folder: Path, name: str, attacks: Sequence[Attack], about: Mapping[str, object], missed: Sequence[str]
) -> None:
    """Writes NAME.json, NAME.md and NAME.html.

    Args:
        name: of the command.
        about: what the figures depend on.
        missed: pictures in which nothing was found; they count in no figure.
    """
    described = {**about, "missed": list(missed), "attacks": [attack.to_json() for attack in attacks]}
    _write(folder / f"{name}.json", json.dumps(described, indent=2) + "\n")
    _write(folder / f"{name}.md", to_markdown(attacks, missed))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{_class_of(attack)}>{html.escape(cell)}</td>" for cell in _cells(attack)) + "</tr>"
        for attack in attacks
    )
    head = "".join(f"<th>{html.escape(column)}</th>" for column in _COLUMNS)
    _write(
        folder / f"{name}.html",
        _page("Who is it?", f"<table><tr>{head}</tr>\n{rows}</table>\n<p>{html.escape(_note(attacks, missed))}</p>"),
    )


def to_markdown(attacks: Sequence[Attack], missed: Sequence[str]) -> str:
    """A table with one row for each attack, and what its figures mean."""
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS)), *(_line(_cells(attack)) for attack in attacks)]
    return "\n".join([*lines, "", _note(attacks, missed), ""])


def write_reversal(folder: Path, result: Reversed) -> None:
    """Writes reverse.json, reverse.html and rows.png, which shows faces: do not publish it of people who mind."""
    _write(folder / "reverse.json", json.dumps(result.to_json(), indent=2) + "\n")
    rows = result.rows(SHOWN_FACES)
    picture = encode_png(stack_rows(rows))
    (folder / "rows.png").write_bytes(picture)
    before, after = result.before, result.after
    lines = [
        _line(["", "mean absolute error", "PSNR", "SSIM"]),
        _line(["---"] * 4),
        _line(["redacted", f"{before.error:.2%}", f"{before.psnr_db:.1f} dB", f"{before.ssim:.3f}"]),
        _line(["reversed", f"{after.error:.2%}", f"{after.psnr_db:.1f} dB", f"{after.ssim:.3f}"]),
    ]
    _write(folder / "reverse.md", "\n".join([*lines, ""]))
    table = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines if "---" not in line)
    shown = base64.b64encode(picture).decode("ascii")
    text = (
        f"Redaction {result.training.redaction}. {result.trained_on} faces to train on, {len(result.pairs)} of others "
        "held out. In each row: original, redacted, reversed, error."
    )
    body = f'<p>{html.escape(text)}</p>\n{table}\n<img alt="faces" src="data:image/png;base64,{shown}">'
    _write(folder / "reverse.html", _page("Faces brought back", body))


def write_leaks(folder: Path, leaks: Leaks) -> str:
    """Writes leak.json and leak.md; returns the latter."""
    described = leaks.to_json()
    _write(folder / "leak.json", json.dumps(described, indent=2) + "\n")
    lines = [
        _line(["kind", "objects", "hidden by 90 % and more", "untouched", "mean share left", "found again"]),
        _line(["---"] * 6),
        *(_line(cells) for cells in _leak_rows(leaks)),
        "",
        f"{leaks.hidden_elsewhere:.2%} of the pixels elsewhere have changed.",
        f"{len(leaks.missing)} pictures have no output.",
        "Of these most is left:",
        *(f"- {one.picture}: {one.kind} of {one.height_px:.0f} px, {one.left:.0%} left" for one in leaks.worst()),
        "",
    ]
    text = "\n".join(lines)
    _write(folder / "leak.md", text)
    return text


def write_readings(folder: Path, readings: Sequence[Reading]) -> str:
    """Writes plates.json and plates.md; returns the latter."""
    _write(folder / "plates.json", json.dumps([reading.to_json() for reading in readings], indent=2) + "\n")
    lines = [
        _line(["redaction", "plates found", "read all the same", "plates missed", "of these read"]),
        _line(["---"] * 5),
        *(
            _line(
                [
                    reading.redaction,
                    str(reading.plates - reading.missed),
                    str(reading.read),
                    str(reading.missed),
                    str(reading.missed_and_read),
                ]
            )
            for reading in readings
        ),
        "",
    ]
    text = "\n".join(lines)
    _write(folder / "plates.md", text)
    return text


def stack_rows(rows: Sequence[Sequence[Pixels8]]) -> Pixels8:
    """Rows of pictures of one size as one picture, two rows beside each other."""
    bands = [np.hstack(list(row)) for row in rows]
    if len(bands) % 2:
        bands.append(np.full_like(bands[0], 255))
    gap = np.full((bands[0].shape[0], 8, 3), 255, np.uint8)
    return np.vstack([np.hstack([left, gap, right]) for left, right in zip(bands[::2], bands[1::2], strict=True)])


def _leak_rows(leaks: Leaks) -> Iterator[list[str]]:
    for kind, summary in leaks.summaries():
        again = "" if summary.looked_for_again == 0 else f"{summary.found_again} of {summary.looked_for_again}"
        yield [
            kind,
            str(summary.objects),
            f"{summary.hidden:.3f}",
            str(summary.untouched),
            f"{summary.mean_left:.3f}",
            again,
        ]


def _cells(attack: Attack) -> list[str]:
    result = attack.result
    return [
        attack.redaction,
        attack.attacker,
        _share(result.rank_1),
        _share(result.rank_5),
        _share(result.accepted_at_1_percent),
        _share(result.accepted_at_1_permille),
        f"{result.equal_error:.3f}",
    ]


def _share(share: Share) -> str:
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f}; chance {share.chance:.3f})"


def _class_of(attack: Attack) -> str:
    return "" if attack.result.rank_1.is_by_chance else ' class="told"'


def _note(attacks: Sequence[Attack], missed: Sequence[str]) -> str:
    if not attacks:
        return "No attack."
    first = attacks[0].result
    limit = first.rank_1.chance + 2 * first.rank_1.chance_error
    return (
        f"{first.pictures} pictures of {first.people} people; in brackets 95 % intervals, and chance. Rank-1 up to "
        f"{limit:.3f} is within two standard errors of chance. In {len(missed)} further pictures nothing was found."
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
