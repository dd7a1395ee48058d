"""What is said to the user."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress

import click

from anonymizer.kinds import TRAITS
from anonymizer.text import printable


def echo(text: str, err: bool = False) -> None:
    """Prints a line. That nobody listens any more, or that a log is full, must not end the work."""
    with suppress(OSError, ValueError):
        click.echo(printable(text), err=err)


def skipped_files(counts: Mapping[str, int]) -> str:
    """How many files were skipped since their extension, such as .txt, is not one of a picture."""
    number = sum(counts.values())
    of_each = ", ".join(f"{extension or 'none'} ({count})" for extension, count in sorted(counts.items()))
    return f"skipped {number} file{'' if number == 1 else 's'} with other extensions: {of_each}"


def pictures_and_films(number: int, films: int) -> str:
    """What so many files are, of which so many are films."""
    return "pictures" if not films else "films" if films == number else "pictures and films"


def reserve_standard_streams() -> None:
    """Keeps the numbers of closed standard streams from files of ours, which worker processes would talk to."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


def silence_closed_streams() -> None:
    """Lets Python end without complaint, and with our exit code, where nobody listens any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                stream.close()


def counted(kind: str, number: int) -> str:
    """How many there are of a kind: "1 face", "2 faces"."""
    return f"{number} {kind if number == 1 else TRAITS[kind].plural}"
