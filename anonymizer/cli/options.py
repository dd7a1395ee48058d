"""Turns the settings into options of the command line, and what a user gave back into settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from anonymizer.settings import ALL_SETTINGS, from_options, key_of, read_config, to_options

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SHORT = {"verbose": "-v", "quiet": "-q"}


def setting_options(parts: Sequence[type[Any]] = ALL_SETTINGS) -> Callable[[_Command], _Command]:
    """Adds an option for every setting of these parts, and --config. Options that are not given stay None."""

    def add(command: _Command) -> _Command:
        for setting in reversed([setting for part in parts for setting in fields(part)]):
            command = _option(setting)(command)
        text = (
            "YAML file with any of these options as keys, such as 'face-threshold: 0.2'. The command line wins over it."
        )
        return click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help=text)(command)

    return add


def _option(setting: Field[Any]) -> Callable[[_Command], _Command]:
    key = key_of(setting)
    names = [f"--{key}", *([_SHORT[key]] if key in _SHORT else [])]
    text = setting.metadata["help"]
    if isinstance(setting.default, bool):
        names[0] += f"/--no-{key}"
        return click.option(*names, default=None, help=f"{text}  [default: {'' if setting.default else 'no-'}{key}]")
    default = _default_text(setting)
    text += f"  [default: {default}]" if default else ""
    return click.option(*names, metavar=setting.metadata["metavar"], help=text)


def _default_text(setting: Field[Any]) -> str:
    if setting.name == "obfuscation_kernel":
        return "auto"
    if isinstance(setting.default, tuple):
        return ",".join(setting.default)
    return "" if setting.default is None else str(setting.default)


def effective_options(config: Path | None, given: dict[str, object]) -> dict[str, object]:
    """The file's options, overruled by those given on the command line, under the keys of the file.

    Raises:
        SettingsError: the file is wrong.
    """
    from_file = {} if config is None else read_config(config)
    from_line = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
    return {**from_file, **from_line}


def complete_options(options: dict[str, object]) -> dict[str, object]:
    """All options with their checked values, in plain types.

    Raises:
        SettingsError: a value is wrong.
    """
    return to_options(*(from_options(part, options) for part in ALL_SETTINGS))
