"""Results as one table in three forms: JSON, Markdown, and a page of HTML that needs nothing else."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

from anonymizer.files.encode import encode_png
from anonymizer.types import Pixels8

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 }
table { border-collapse: collapse } th, td { text-align: left; padding: .2em 1em .2em 0; border-top: 1px solid #ccc }
img { max-width: 100%; image-rendering: pixelated } .told { color: #b00020 }
"""


def write_table(
    folder: Path,
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    described: object,
    shown: Pixels8 | None = None,
) -> str:
    """Writes NAME.json, NAME.md and NAME.html.

    Args:
        notes: lines below the table; those that begin with "- " are of a list.
        described: what the JSON file holds.
        shown: picture below everything on the page.

    Returns:
        The Markdown.
    """
    write_text(folder / f"{name}.json", json.dumps(described, indent=2) + "\n")
    markdown = "\n".join([*to_lines([columns, *rows]), "", *notes, ""])
    write_text(folder / f"{name}.md", markdown)
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    below = "\n".join(f"<p>{html.escape(note.removeprefix('- '))}</p>" for note in notes)
    picture = "" if shown is None else f"\n{to_image(encode_png(shown))}"
    write_text(folder / f"{name}.html", to_page(title, f"<table><tr>{head}</tr>\n{body}</table>\n{below}{picture}"))
    return markdown


def to_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, whose first row is the head."""
    head, *rest = rows
    return [_line(head), _line(["---"] * len(head)), *map(_line, rest)]


def to_page(title: str, body: str) -> str:
    """A page of HTML."""
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
    )


def to_image(png: bytes) -> str:
    """A picture inside a page."""
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"
