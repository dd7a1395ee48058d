"""JSON files of others, read with care."""

from __future__ import annotations

import json
from typing import Any

from anonymizer.record.exports.values import Files


def parse(files: Files) -> Any:
    """The content of the only file.

    Raises:
        ValueError: there are several files, or it is not JSON.
    """
    if len(files) != 1:
        raise ValueError(f"one JSON file is expected, not {len(files)}")
    try:
        return json.loads(next(iter(files.values())))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"truncated or not JSON: {error.msg} in line {error.lineno}") from None
    except ValueError:
        raise ValueError("not JSON") from None


def entries_of(content: object, key: str) -> list[dict[str, Any]]:
    """A list of mappings in a mapping.

    Raises:
        ValueError: it is not there.
    """
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"holds no list of {key!r}")
    return entries
