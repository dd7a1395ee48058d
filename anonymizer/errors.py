"""Every error that the program raises on purpose, each with the exit code of the command line.

Exit code 1 is that of a run in which pictures failed, and of a check that found something.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from anonymizer.addresses import Address, Place

logger = logging.getLogger(__name__)


class AnonymizerError(Exception):
    """Something the user can act on. The message says what, where and what to do."""

    exit_code = 1


class PictureError(AnonymizerError):
    """One picture could not be processed; the others can. The message never names a path."""


class TooLargeError(PictureError):
    """A picture or film has more pixels, frames or seconds than the settings allow."""


class VanishedError(PictureError):
    """A picture is not there any more: nothing can be said about it, and what was made of it stays."""


class SettingsError(AnonymizerError):
    """A setting, a configuration file or the input folder is wrong."""

    exit_code = 2


class ModelError(AnonymizerError):
    """A model is missing, damaged or not a detection model."""

    exit_code = 3


class OutputError(AnonymizerError):
    """The output folder is refused, or cannot be written any more."""

    exit_code = 4


@contextmanager
def picture_boundary(picture: str, roots: Mapping[str, Place] = MappingProxyType({})) -> Iterator[None]:
    """The boundary of one picture: whatever goes wrong with it never stops the others.

    The traceback goes to the log, at debug level; the message holds no path of the machine.

    Args:
        picture: its name, for the log.
        roots: folders whose place on the machine no message should name, and what to call them.

    Raises:
        PictureError: something went wrong with the picture.
        OutputError: no further picture can be written either.
    """
    try:
        yield
    except OutputError:
        raise
    except Exception as error:
        logger.debug("%s failed", picture, exc_info=True)
        reason = str(error) if isinstance(error, PictureError) else f"unexpected {type(error).__name__}: {error}"
        reason = _without_paths(reason, roots)
        raise (type(error) if isinstance(error, PictureError) else PictureError)(reason) from error


def _without_paths(text: str, roots: Mapping[str, Place]) -> str:
    """The text with what its roots are called in their place, also where links led to them."""
    places = {place: name for name, root in roots.items() for place in _names_of(root)}
    for place in sorted(places, key=len, reverse=True):  # a root may lie in another one
        text = re.sub(rf"{re.escape(place)}(?![\w.-])", places[place].replace("\\", r"\\"), text)
    return text


def _names_of(root: Place) -> tuple[str, ...]:
    return (str(root),) if isinstance(root, Address) else (str(root.absolute()), os.path.realpath(root))
