"""The task of an anonymizing run: each picture through the pipeline, each film through that of films."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

from anonymizer.addresses import Address, Place
from anonymizer.errors import PictureError, SettingsError
from anonymizer.files.find import has_extension
from anonymizer.files.storage import storage_of
from anonymizer.files.store_reading import fetched, remove_fetched
from anonymizer.files.write import remove_files, remove_partials, written_together
from anonymizer.record.edits import NO_EDITS, Edits
from anonymizer.run.beacon import Beacon
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job, Result

if TYPE_CHECKING:
    from anonymizer.pipeline import Finder, PictureProcess
    from anonymizer.recognise.choices import AnyChoice
    from anonymizer.video.parts import FilmPart
    from anonymizer.video.process import FilmProcess

MISSING_PYAV = (
    "is a film, which needs PyAV: pip install 'anonymizer[video]'; or leave films out by --video-extensions none"
)


@dataclass(frozen=True)
class PictureTask:
    """Anonymizes pictures and films, once its models are loaded."""

    input_root: Place
    output_root: Place
    settings: Settings
    load: Callable[[DetectSettings], Finder]
    """Makes what says where faces and plates are."""
    edits: Edits = NO_EDITS
    """What people change about that."""
    mask_root: Path | None = None
    """Folder for masks."""
    beacon: Beacon | None = None
    """Proves to processes on other machines that the output folder is the same there."""

    def begin(self) -> Callable[[Job], Result]:
        """Loads the models.

        Raises:
            SettingsError: the gallery does not show clear faces, or the input folder is not there.
            OutputError: the output folder is another one here than where the run began.
            ModelError: a model is missing, damaged or not a detection model.
        """
        # Imported here: a process that leaves the work to others needs neither OpenCV nor the formats.
        from anonymizer.pipeline import PictureProcess
        from anonymizer.recognise.choices import load_choices

        if self.beacon is not None:
            self.beacon.require()
        may_be_elsewhere = self.beacon is not None or isinstance(self.output_root, Address)
        if may_be_elsewhere and isinstance(self.input_root, Path) and not self.input_root.is_dir():
            raise SettingsError(f"input folder {self.input_root} is not there on {gethostname()}")
        finder, choices = self.load(self.settings.detect), load_choices(self.settings)
        silhouettes = None
        if self.settings.redact.draws_silhouettes:
            from anonymizer.detect.silhouettes import choose_silhouettes

            silhouettes = choose_silhouettes(self.settings.redact)
        roots = self.input_root, self.output_root
        pictures = PictureProcess(*roots, finder, self.settings, self.edits, self.mask_root, choices, silhouettes)
        return _PicturesAndFilms(self, pictures, choices)

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
        remove_fetched(self.input_root, job.source)


class _PicturesAndFilms:
    """Sends each job the way of a picture or of a film."""

    def __init__(self, task: PictureTask, pictures: PictureProcess, choices: Sequence[AnyChoice]) -> None:
        self._task = task
        self._pictures = pictures
        self._choices = choices
        self._beat: Callable[[str], None] = lambda text: None

    def listen(self, beat: Callable[[str], None]) -> None:
        """Films tell how far they are; see `LongWork`."""
        self._beat = beat

    def __call__(self, job: Job) -> Result:
        output = self._task.output_root
        if not isinstance(output, Address):
            return self._process(job)
        with storage_of(output).noting() as written:
            result = self._process(job)
        if result.status == "failed":
            return result
        return replace(result, versions={name.as_posix(): entry.stamp for name, entry in written.items()})

    def split(self, job: Job) -> Sequence[FilmPart]:
        """Films are looked at in parts; see `SharedWork`. Those in stores are not: each part would fetch them."""
        if not isinstance(self._task.input_root, Path) or isinstance(self._task.output_root, Address):
            return ()
        if not self._is_film(job) or find_spec("av") is None:
            return ()
        return self._films(self._task.input_root).parts(job)

    def prepare(self, job: Job, part: FilmPart) -> Mapping[bytes, bytes]:
        """What models find in a part."""
        assert isinstance(self._task.input_root, Path)
        return self._films(self._task.input_root).look_ahead(job, part)

    def join(self, job: Job, prepared: Sequence[Mapping[bytes, bytes]]) -> Result:
        """Makes the outputs of a film."""
        assert isinstance(self._task.input_root, Path)
        known = {digest: found for part in prepared for digest, found in part.items()}
        return replace(self._films(self._task.input_root), known=known)(job)

    def _process(self, job: Job) -> Result:
        from anonymizer.pipeline import to_failed

        if not self._is_film(job):
            return self._pictures(job)
        if find_spec("av") is None:
            return self._task.give_up(job, MISSING_PYAV)
        try:
            with fetched(self._task.input_root, job.source) as root:
                return self._films(root)(job)
        except PictureError as error:
            return to_failed(job, error, self._task.output_root, self._task.mask_root)

    def _is_film(self, job: Job) -> bool:
        return has_extension(job.source, self._task.settings.video.video_extensions)

    def _films(self, root: Path) -> FilmProcess:
        """
        Args:
            root: local folder in which the film lies.
        """
        from anonymizer.video.process import FilmProcess

        task, remarks = self._task, []
        if task.settings.choose.gallery is not None and task.settings.detect.hide_all_but:
            remarks.append("in films everybody is hidden with --hide-all-but, also the people of the gallery")
        places = partial(written_together, also=task.mask_root)
        roots = root, task.output_root
        return FilmProcess(
            *roots,
            self._pictures.finder,
            task.settings,
            task.edits,
            remarks,
            self._beat,
            places,
            task.mask_root,
            self._choices,
            silhouettes=self._pictures.silhouettes,
        )
