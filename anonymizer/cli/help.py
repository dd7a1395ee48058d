"""The help of commands, with their options in groups, and what to say about command lines that mean something else."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from anonymizer.cli.options import COMMON, GroupedOption
from anonymizer.settings import GROUPS

OTHER = "Help"


class GroupedCommand(click.Command):
    """Lists its options under headings, the common ones first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for name, records in _groups(self, ctx).items():
            _write_group(formatter, name, records)


class MainCommand(click.Group):
    """The same, and helps those who name folders or commands that it does not know."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for name, records in _groups(self, ctx).items():
            _write_group(formatter, name, records)
            if name == COMMON:
                self.format_commands(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(self._advise(args), ctx)
        return super().resolve_command(ctx, args)

    def _advise(self, args: list[str]) -> str:
        near = difflib.get_close_matches(args[0], self.commands, n=1)
        if near and not Path(args[0]).exists():
            return f"{args[0]!r} is not a command; did you mean 'anonymize {near[0]}'?"
        folders = args[:2] if len(args) > 1 and not args[1].startswith("-") else [args[0], "OUTPUT"]
        if Path(args[0]).exists() or "OUTPUT" not in folders:
            command = f"anonymize --input {shlex.quote(folders[0])} --image-output {shlex.quote(folders[1])}"
            return f"folders are named by options; try: {command}"
        return f"{args[0]!r} is not a command; commands are {', '.join(sorted(self.commands))}. See 'anonymize --help'"


def _groups(command: click.Command, context: click.Context) -> dict[str, list[tuple[str, str]]]:
    """What the help says of each option, by heading."""
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in (COMMON, *GROUPS, OTHER)}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            groups[parameter.group if isinstance(parameter, GroupedOption) else OTHER].append(record)
    return groups


def _write_group(formatter: click.HelpFormatter, name: str, records: Sequence[tuple[str, str]]) -> None:
    if records:
        with formatter.section(name):
            formatter.write_dl(records)
