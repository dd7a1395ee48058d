"""What may be written for the texts that are to be hidden: regular expressions, or a file with one per line."""

from __future__ import annotations

import re
from pathlib import Path

MAX_FILE_BYTES = 4_000_000
"""Larger files hold something else."""
_NAME_OF_FILE = re.compile(
    r"[^*+?()\[\]{}|^$]*\.(?:txt|text|csv|tsv|lst|list|re|regex|json|ya?ml|md|log|conf|ini)", re.I
)


def parse_text_patterns(value: object) -> tuple[str, ...] | None:
    """Regular expressions: one, those in the lines of a file of that name, or a list of them.

    In a file, blank lines and lines that begin with # say nothing. The file is read here, so that other machines need
    not have it.

    Raises:
        ValueError: the file is missing, cannot be read or holds none, or one is not a regular expression.
    """
    if value is None:
        return None
    texts = _from_text(value) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
        raise ValueError("is neither a regular expression, a file of them nor a list")
    if not texts:
        raise ValueError("holds no regular expression")
    for number, text in enumerate(texts, start=1):
        _check(text, f"number {number} is" if len(texts) > 1 else "is")
    return tuple(texts)


def plain_text_patterns(patterns: tuple[str, ...] | None) -> list[str] | None:
    return None if patterns is None else list(patterns)


def _from_text(text: str) -> list[str]:
    path = Path(text)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a character that names cannot have
        is_file = False
    if not is_file:
        _refuse_lost_file(text, path)
        return [text]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8") from None
    return [line for line in lines if line and not line.startswith("#")]


def _refuse_lost_file(text: str, path: Path) -> None:
    """The name of a file that is not there is a regular expression, too: hardly any text would match, and be hidden."""
    try:
        is_path = "/" in text and path.parent.is_dir()
    except (OSError, ValueError):
        is_path = False
    if is_path or _NAME_OF_FILE.fullmatch(text):
        raise ValueError("looks like a file, which is not there; with parentheses around it is an expression")


def _check(text: str, which: str) -> None:
    """The message does not show the expression: it may be a name, and messages go into logs."""
    import regex  # not needed without such a setting

    try:
        regex.compile(text)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{which} no regular expression: {error}") from None
