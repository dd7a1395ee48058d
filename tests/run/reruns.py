"""A run over folders that an earlier run has done."""

from typing import Any

from fakes import Folders

from anonymizer import anonymize_folder
from anonymizer.settings import Settings


def redone(folders: Folders, settings: Settings = Settings(), **options: Any) -> list[str]:
    """The pictures that another run works on."""
    report = anonymize_folder(*folders, settings, **options)
    return [result.file for result in report.results if not result.unchanged]
