"""Settings in requests: the keys of the configuration file, as far as they make sense for one picture."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from anonymizer.errors import SettingsError
from anonymizer.kinds import KINDS, Kind
from anonymizer.settings import (
    STAGES,
    DetectSettings,
    ReadSettings,
    RedactSettings,
    Settings,
    VideoSettings,
    WriteSettings,
    key_of,
    settings_from_options,
)
from anonymizer.settings.values import OneOf, parse_number
from anonymizer.web.limits import MAX_FIELD_CHARS
from anonymizer.web.problems import Problem

OF_THE_OPERATOR = ("weights", "overlay", "max-pixels", "video-extensions", "video-encoder")
"""Places on the machine of the server, a limit, and what has no meaning here or is a matter of the machine."""
FIELDS: Mapping[str, Field[Any]] = {
    key_of(field): field
    for part in (DetectSettings, RedactSettings, WriteSettings, ReadSettings, VideoSettings)
    for field in fields(part)
    if key_of(field) not in OF_THE_OPERATOR
}
"""What a request may set."""
_FLAGS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def parse_settings(given: Mapping[str, str], defaults: Settings) -> Settings:
    """The settings of a request.

    Args:
        given: texts as on the command line, and true or false; an empty text is as good as none.
        defaults: those of the server.

    Raises:
        Problem: a key is unknown, or a value is wrong.
    """
    options = {key: value for stage in STAGES for key, value in getattr(defaults, stage).as_options().items()}
    for key, text in given.items():
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise Problem("wrong-setting", f"unknown key {key[:100]!r}{hint}", setting=key[:100])
        if len(text) > MAX_FIELD_CHARS:
            raise Problem("wrong-setting", f"{key}: has more than {MAX_FIELD_CHARS} characters", setting=key)
        if text:
            options[key] = _to_value(key, text)
    try:
        return settings_from_options(options)
    except SettingsError as error:
        reason = str(error).removeprefix("--")
        raise Problem("wrong-setting", reason, setting=reason.partition(":")[0].partition(" ")[0]) from None


def schema_of(key: str) -> dict[str, object]:
    """What OpenAPI says about the values of a setting."""
    field = FIELDS[key]
    parse = field.metadata["parse"]
    if isinstance(parse, OneOf):
        return {"type": "string", "enum": list(parse.names)}
    if isinstance(field.default, bool):
        return {"type": "boolean"}
    if field.metadata["metavar"] == "FLOAT":
        return {"type": "number"}
    return {"type": "integer"} if field.metadata["metavar"] == "N" else {"type": "string"}


def to_flag(key: str, text: str) -> bool:
    """
    Raises:
        Problem: it is neither true nor false.
    """
    if text.lower() not in _FLAGS:
        raise Problem("wrong-setting", f"{key}: {text[:100]!r} is neither true nor false", setting=key)
    return _FLAGS[text.lower()]


def to_scores(key: str, text: str) -> dict[Kind, float]:
    """
    Args:
        text: such as face=0.2,plate=0.5.

    Raises:
        Problem: it is something else.
    """
    scores: dict[Kind, float] = {}
    for each in filter(None, text.split(",")):
        kind, _, score = each.partition("=")
        try:
            scores[next(known for known in KINDS if known == kind.strip())] = parse_number(score.strip())
        except (StopIteration, ValueError):
            raise Problem("wrong-setting", f"{key}: {each[:100]!r} is not like face=0.2", setting=key) from None
    return scores


def _to_value(key: str, text: str) -> object:
    return to_flag(key, text) if isinstance(FIELDS[key].default, bool) else text
