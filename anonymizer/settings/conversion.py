"""Between settings and flat options: those of the command line, and the keys of a YAML file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from anonymizer.errors import SettingsError
from anonymizer.settings.fields import SettingsPart, key_of
from anonymizer.settings.stages import (
    ALL_SETTINGS,
    STAGES,
    CheckSettings,
    PlanSettings,
    ReviewSettings,
    ServeSettings,
    Settings,
)

_Part = TypeVar("_Part", bound=SettingsPart)


def from_options(part: type[_Part], options: Mapping[str, object]) -> _Part:
    """The part of `options` (keys as in the configuration file) that belongs to a part of the settings.

    Raises:
        SettingsError: a value is wrong.
    """
    keys = {key_of(each): each.name for each in fields(part)}
    return part(**{keys[key]: value for key, value in options.items() if key in keys})


def settings_from_options(options: Mapping[str, object]) -> Settings:
    """The `Settings` in `options`; other keys are left alone.

    Raises:
        SettingsError: a value is wrong.
    """
    return Settings(**{stage: from_options(part, options) for stage, part in STAGES.items()})  # type: ignore[arg-type]


def to_options(*parts: SettingsPart) -> dict[str, object]:
    """All values, flat, in plain types that YAML and JSON know: the inverse of `from_options`."""
    return {key: value for part in parts for key, value in part.as_options().items()}


def read_config(path: Path) -> dict[str, object]:
    """The options in a YAML file, unchecked values under checked keys.

    Raises:
        SettingsError: the file cannot be read, is not a mapping or has an unknown key.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        content, node = yaml.safe_load(text), yaml.compose(text)
    except OSError as error:
        raise SettingsError(f"configuration file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"configuration file {path} is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"configuration file {path} must hold lines such as 'face-threshold: 0.2'")
    parts = (*ALL_SETTINGS, CheckSettings, PlanSettings, ServeSettings, ReviewSettings)
    known = [key_of(each) for part in parts for each in fields(part)]
    assert isinstance(node, yaml.MappingNode)
    written_keys = [str(key.value).replace("_", "-") for key, _ in node.value]
    below = [
        [str(key.value) for key, _ in value.value] for _, value in node.value if isinstance(value, yaml.MappingNode)
    ]
    for keys in (written_keys, *below):
        for key in keys:
            if keys.count(key) > 1:
                raise SettingsError(f"configuration file {path}: key {key!r} is there more than once")
    options: dict[str, object] = {}
    for written, value in content.items():
        key = str(written).replace("_", "-")
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            hint = f"did you mean {nearest[0]!r}?" if nearest else "see 'anonymize config'"
            raise SettingsError(f"configuration file {path}: unknown key {written!r}; {hint}")
        options[key] = value
    return options
