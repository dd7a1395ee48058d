"""Turns the settings into options of the command line, and what a user gave back into settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from anonymizer.settings import ALL_SETTINGS, SettingsPart, from_options, key_of, read_config, to_options
from anonymizer.settings.values import OneOf

_Command = TypeVar("_Command", bound=Callable[..., Any])
COMMON = "Common options"
"""Heading of the options that most people need."""
_SHORT = {"verbose": "-v", "quiet": "-q"}
_COMPLETED_AS = {"DIR": "dir", "FILE": "file"}
"""What a shell completes, by the metavar of an option."""


class GroupedOption(click.Option):
    """An option that knows under which heading the help lists it."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


def setting_options(parts: Sequence[type[SettingsPart]] = ALL_SETTINGS) -> Callable[[_Command], _Command]:
    """Adds an option for every setting of these parts, and --config. Options that are not given stay None."""

    def add(command: _Command) -> _Command:
        for option in reversed([_option(part, setting) for part in parts for setting in fields(part)]):
            command = option(command)
        text = (
            "YAML file with any of these options as keys, such as 'face-threshold: 0.2'. The command line wins over it."
        )
        return click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help=text,
            cls=GroupedOption,
            group="Input and output",
        )(command)

    return add


def _option(part: type[SettingsPart], setting: Field[Any]) -> Callable[[_Command], _Command]:
    key = key_of(setting)
    names = [f"--{key}", *([_SHORT[key]] if key in _SHORT else [])]
    text, metavar = setting.metadata["help"], setting.metadata["metavar"]
    group = COMMON if setting.metadata["common"] else setting.metadata["group"] or part.group
    if isinstance(setting.default, bool):
        names[0] += f"/--no-{key}"
        text += f"  [default: {'' if setting.default else 'no-'}{key}]"
        return click.option(*names, default=None, help=text, cls=GroupedOption, group=group)
    if not metavar:
        return _counted(names, text, group)
    default = _default_text(setting)
    text += f"  [default: {default}]" if default else ""
    completes = _completion(setting)
    return click.option(*names, metavar=metavar, help=text, shell_complete=completes, cls=GroupedOption, group=group)


def _counted(names: Sequence[str], text: str, group: str) -> Callable[[_Command], _Command]:
    """An option that may be repeated, as in -vv, and one that takes back what a configuration file says."""

    def add(command: _Command) -> _Command:
        back = names[0].replace("--", "--no-", 1)
        command = click.option(back, is_flag=True, default=None, hidden=True, cls=GroupedOption, group=group)(command)
        return click.option(*names, count=True, default=None, help=text, cls=GroupedOption, group=group)(command)

    return add


def _completion(setting: Field[Any]) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What a shell offers behind the option: folders or files, or the names to choose from."""
    parse, kind = setting.metadata["parse"], _COMPLETED_AS.get(setting.metadata["metavar"])

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        if kind is not None:
            return [CompletionItem(incomplete, type=kind)]
        names = parse.names if isinstance(parse, OneOf) else ()
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


def _default_text(setting: Field[Any]) -> str:
    default = setting.metadata["plain"](setting.default)
    return "" if default is None or default == [] else str(default)


def effective_options(config: Path | None, given: Mapping[str, object]) -> dict[str, object]:
    """The file's options, overruled by those given on the command line, under the keys of the file.

    Raises:
        SettingsError: the file is wrong.
    """
    from_file = {} if config is None else read_config(config)
    from_line = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
    if from_line.pop("no-verbose", False):
        from_line["verbose"] = 0
    return {**from_file, **from_line}


def complete_options(options: Mapping[str, object]) -> dict[str, object]:
    """All options with their checked values, in plain types.

    Raises:
        SettingsError: a value is wrong.
    """
    return to_options(*(from_options(part, options) for part in ALL_SETTINGS))
