"""The task of an anonymizing run: each picture through the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anonymizer.files.write import remove_files, remove_partials
from anonymizer.record.edits import NO_EDITS, Edits
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job, Result

if TYPE_CHECKING:
    from anonymizer.pipeline import Finder


@dataclass(frozen=True)
class PictureTask:
    """Anonymizes pictures, once its models are loaded."""

    input_root: Path
    output_root: Path
    settings: Settings
    load: Callable[[DetectSettings], Finder]
    """Makes what says where faces and plates are."""
    edits: Edits = NO_EDITS
    """What people change about that."""
    mask_root: Path | None = None
    """Folder for masks."""

    def begin(self) -> Callable[[Job], Result]:
        """Loads the models.

        Raises:
            SettingsError: the gallery does not show clear faces.
            ModelError: a model is missing, damaged or not a detection model.
        """
        # Imported here: a process that leaves the work to others needs neither OpenCV nor the formats.
        from anonymizer.pipeline import PictureProcess

        finder, choice = self.load(self.settings.detect), None
        if self.settings.choose.gallery is not None:
            from anonymizer.recognise.choice import load_choice

            choice = load_choice(self.settings.choose, self.settings.detect.hide_all_but)
        roots = self.input_root, self.output_root
        return PictureProcess(*roots, finder, self.settings, self.edits, self.mask_root, choice)

    def give_up(self, job: Job, reason: str) -> Result:
        """Fails a picture on which a process ended: no output of this or an earlier run stays under its names.

        Raises:
            OutputError: such an output cannot be removed.
        """
        remove_files(self.output_root, job.stale(*job.outputs), self.mask_root)
        return Result(job.name, "failed", reason)

    def sweep(self, job: Job) -> None:
        """Removes the hidden files of a process that was ended while it wrote."""
        remove_partials(self.output_root, job.outputs, self.mask_root)
