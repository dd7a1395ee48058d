"""Every error that the program raises on purpose, each with the exit code of the command line.

Exit code 1 is that of a run in which pictures failed, and of a check that found something.
"""


class AnonymizerError(Exception):
    """Something the user can act on. The message says what, where and what to do."""

    exit_code = 1


class PictureError(AnonymizerError):
    """One picture could not be processed; the others can. The message never names a path."""


class VanishedError(PictureError):
    """A picture is not there any more: nothing can be said about it, and what was made of it stays."""


class SettingsError(AnonymizerError):
    """A setting, a configuration file or the input folder is wrong."""

    exit_code = 2


class ModelError(AnonymizerError):
    """A model is missing, damaged or no detection model."""

    exit_code = 3


class OutputError(AnonymizerError):
    """The output folder is refused, or cannot be written any more."""

    exit_code = 4
