"""Decides what a run will do, and refuses what it must not, before anything is written."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import chain
from pathlib import Path

from anonymizer._version import __version__
from anonymizer.addresses import Address, Place
from anonymizer.detect.catalogue import checksum
from anonymizer.detect.description import ModelDescription
from anonymizer.detect.frames import load_finder
from anonymizer.detect.load import choose_models, chosen_kinds, thresholds_of
from anonymizer.detect.silhouettes import choose_silhouettes
from anonymizer.errors import OutputError, SettingsError
from anonymizer.files.find import Listing, find_pictures, has_extension, jobs_in
from anonymizer.files.mask_png import FILM_MASK_SUFFIX, MASK_SUFFIX
from anonymizer.files.output import check_masks, check_output, check_store
from anonymizer.files.overlay import read_overlay
from anonymizer.files.storage import is_file, storage_of
from anonymizer.kinds import KINDS, TEXT_KIND, Kind, default_kinds
from anonymizer.pipeline import Finder
from anonymizer.recognise.gallery_folder import digest_of
from anonymizer.record.edits import NO_EDITS, Edits, find_edits, read_edits
from anonymizer.record.report import REPORT_NAME, UsedModel, is_report
from anonymizer.record.trace import is_trace
from anonymizer.run.manifest import MANIFEST_NAME
from anonymizer.run.replay import Replay, make_replay
from anonymizer.run.sharding import is_in_shard
from anonymizer.run.store_manifest import BOOKS
from anonymizer.settings import EVERY_NAME, DetectSettings, NamedZones, RedactSettings, RunSettings, Settings, Shard
from anonymizer.types import Job, Result


@dataclass(frozen=True)
class Plan:
    """Everything that a runner needs to know."""

    input: Place
    output: Place
    report: Place
    manifest: Place
    settings: Settings
    run: RunSettings
    models: Sequence[UsedModel]
    described: Sequence[Mapping[str, object]]
    """All that decides how the models are used, but for where they lie."""
    load: Callable[[DetectSettings], Finder]
    """Makes what says where faces and plates are."""
    kinds: tuple[Kind, ...]
    checksums: Mapping[str, str]
    """Of the files and folders that the settings name, see `Settings.as_dict`."""
    listing: Listing
    jobs: Iterator[Job]
    """The pictures of the listing that are in the shard. Can be iterated over once."""
    replay: Replay | None = None
    """What to redact again from; None for a run that detects."""
    edits: Edits = NO_EDITS
    """What people change about what is found."""
    unseen_edits: set[str] = field(default_factory=set)
    """Names of pictures that have edits and that `jobs` has not come upon."""

    @property
    def fingerprint(self) -> str:
        """Equal for runs that make the same output of the same picture."""
        digest = self.settings.digest(self.checksums)
        finder = () if self.finder is None else (self.finder,)
        only_detects = self.settings.redact.only_detects(self.kinds)
        evidence = __version__, digest, self.models, self.described, only_detects, *finder
        return sha256(repr(evidence).encode()).hexdigest()

    @property
    def finder(self) -> str | None:
        """The name of what takes the place of the models, or took it when the detections were recorded; None for the
        models."""
        if self.replay is not None:
            return self.replay.recording.finder
        return (
            None
            if self.load is load_finder
            else f"{self.load.__module__}.{getattr(self.load, '__qualname__', self.load)}"
        )

    @property
    def recorded_by(self) -> str | None:
        """The version that recorded what is replayed."""
        return None if self.replay is None else self.replay.recording.version

    @property
    def chosen_by(self) -> tuple[str, ...]:
        """The options by which something stayed visible when what is replayed was recorded."""
        return () if self.replay is None else self.replay.recording.chosen_by

    def evidence_of(self, job: Job) -> str | None:
        """What else decides how the outputs of a picture look, beside its file and the `fingerprint`."""
        recorded = None if self.replay is None else self.replay.evidence_of(job)
        edits = self.edits.of(job.name)
        known = recorded if not edits else f"{recorded} {edits}"
        return known if job.mask_path is None else f"{known} {job.mask_path}"

    def outputs_of(self, job: Job) -> list[Path]:
        """The files that are written for a picture, relative to the output folder, the essential one first."""
        masks = [] if job.mask_path is None else [job.mask_path]
        if self.settings.redact.only_detects(self.kinds):
            return [job.detections_path, *masks]
        return [job.target, *([job.detections_path] if self.settings.record.write_detections else []), *masks]

    def listing_problems(self) -> list[Result]:
        """What the listing could not enter, came upon before, or did not come upon.

        Complete when `jobs` is exhausted.
        """
        return [
            *(
                Result(name, "failed", f"has an edit, {self.edits.name} entry {number}, and is not in the listing")
                for name in sorted(self.unseen_edits)
                for number in [self.edits.of(name)[0].number]
            ),
            *(Result(f"{path}/", "failed", reason) for path, reason in self.listing.unreadable.items()),
            *(Result(f"{link}/", "skipped", f"the same folder as {f}/") for link, f in self.listing.repeated.items()),
        ]


def make_plan(run: RunSettings, settings: Settings, load: Callable[[DetectSettings], Finder] = load_finder) -> Plan:
    """Checks folders and models, and begins to list the pictures. Loads no model and writes nothing.

    Args:
        load: makes what says where faces and plates are; by default, from the models that the settings name.

    Raises:
        SettingsError: the input is not a folder or holds no picture, a folder is not named, the overlay is not a PNG
            file, records cannot be replayed, or nothing would be written.
        ModelError: a model is missing or damaged.
        OutputError: the output is refused.
    """
    if run.input is None or run.image_output is None:
        missing = "--input" if run.input is None else "--image-output"
        raise SettingsError(f"missing {missing}; try 'anonymize --help'")
    _refuse_unused_drawing(settings.redact)
    manifest = run.image_output / _of_shard(MANIFEST_NAME, run.shard)
    _check_folders(run, run.input, run.image_output)
    listing = find_pictures(run.input, _extensions(settings), run.image_output)
    report = run.report if run.report is not None else run.image_output / _of_shard(REPORT_NAME, run.shard)
    _check_file("report", report, run, settings)
    if run.profile is not None:
        _check_file("profile", run.profile, run, settings)
    _require_pictures_of(settings.detect.redact_zone, run, settings)
    replay = make_replay(run, settings.detect, settings.video)
    if replay is not None:
        if load is not load_finder:
            raise SettingsError("--detections takes the place of whatever else finds: give one of them")
        load, settings = replay.load, dataclasses.replace(settings, detect=replay.settings)
    models, used, looked_for = _choose_models(settings.detect, load, replay)
    edits = _read_edits(run, settings, replay)
    kinds = tuple(kind for kind in KINDS if kind in {*looked_for, *edits.kinds, *settings.detect.given_kinds})
    if settings.choose.text_match is not None and TEXT_KIND not in kinds:
        raise SettingsError("--text-match: text is not looked for; add --kinds text, with the other kinds to hide")
    if settings.redact.only_detects(kinds) and not settings.record.write_detections:
        raise SettingsError("--no-write-detections: with --method none there is nothing else to write")
    jobs = _jobs(listing, run)
    unseen_edits = {name for name in edits.of_files if is_in_shard(name, run.shard)}
    if unseen_edits:
        jobs = _discarding(jobs, unseen_edits)
    if run.mask_output is not None:
        assert isinstance(run.image_output, Path)
        masks = Path(os.path.relpath(run.mask_output.resolve(), run.image_output.resolve()))
        jobs = _with_masks(jobs, masks, settings.video.video_extensions)
    return Plan(
        input=run.input,
        output=run.image_output,
        report=report,
        manifest=manifest,
        settings=settings,
        run=run,
        models=used,
        described=[*(model.without_paths() for model in models), *_describe_silhouettes(settings.redact)],
        load=load,
        kinds=kinds,
        checksums=_checksums(settings),
        listing=listing,
        jobs=jobs if replay is None else replay.assign(jobs),
        replay=replay,
        edits=edits,
        unseen_edits=unseen_edits,
    )


def _refuse_unused_drawing(redact: RedactSettings) -> None:
    """A server and its page may have a drawing ready for those who choose it; in a run nobody can.

    Raises:
        SettingsError: a drawing is chosen that would be shown nowhere.
    """
    if redact.drawing == RedactSettings.drawing:
        return
    if all(redact.method_of(kind) != "image" for kind in KINDS):
        raise SettingsError("--drawing is only used with --method image")
    if redact.overlay is not None:
        raise SettingsError("--overlay takes the place of --drawing: give one of them")


def _extensions(settings: Settings) -> tuple[str, ...]:
    """Of pictures and films."""
    return tuple(dict.fromkeys((*settings.find.image_extensions, *settings.video.video_extensions)))


def _choose_models(
    settings: DetectSettings, load: Callable[[DetectSettings], Finder], replay: Replay | None
) -> tuple[Sequence[ModelDescription], Sequence[UsedModel], Iterable[Kind]]:
    """The models to load, those that find or found what is redacted, and the kinds that are looked for.

    Raises:
        ModelError: a model is missing or damaged.
    """
    if replay is not None:
        return [], replay.recording.models, replay.finder.kinds
    if load is not load_finder:  # takes the place of the models
        return [], [], settings.kinds or default_kinds(settings.preset)
    models = choose_models(settings)
    used = [UsedModel(m.name, checksum(m), m.found_kinds, thresholds_of(m, settings)) for m in models]
    return models, used, chosen_kinds(models, settings)


def _describe_silhouettes(settings: RedactSettings) -> list[Mapping[str, object]]:
    """The networks that draw the silhouettes that are hidden.

    Raises:
        ModelError: one is missing or damaged.
    """
    silhouettes = choose_silhouettes(settings)
    if silhouettes is None:
        return []
    return [{"silhouettes": kind, "sha256": one.sha256} for kind, one in silhouettes.segmenters.items()]


def _read_edits(run: RunSettings, settings: Settings, replay: Replay | None) -> Edits:
    """Those that the user names, or else those beside the records.

    Raises:
        SettingsError: an edit is wrong, is of a picture that is not there, or has no reason and needs one.
    """
    assert run.input is not None
    path = run.edits
    if path is None and isinstance(run.detections, Path) and replay is not None:
        path = find_edits(run.detections, replay.recording.records)
    if path is None:
        return NO_EDITS
    edits = read_edits(path)
    for name in edits.of_files:
        if not is_file(run.input / name):
            raise SettingsError(f"edits {path}: entry {edits.of(name)[0].number}: {run.input} holds no picture {name}")
    for edit in () if settings.detect.hide_all_but else edits.kept:
        raise SettingsError(f"edits {path}: entry {edit.number}: a place can be kept only with --hide-all-but")
    if run.require_reason:
        edits.require_reasons()
    return edits


def _discarding(jobs: Iterable[Job], names: set[str]) -> Iterator[Job]:
    """The jobs; takes their names out of the set."""
    for job in jobs:
        names.discard(job.name)
        yield job


def _require_pictures_of(zones: NamedZones, run: RunSettings, settings: Settings) -> None:
    """
    Raises:
        SettingsError: there is no picture whose name matches one of the patterns: a typing mistake uncovers.
    """
    assert run.input is not None
    missing = [pattern for pattern, _ in zones if pattern != EVERY_NAME]
    listing = find_pictures(run.input, _extensions(settings), run.image_output) if missing else ()
    for job in listing:
        missing = [pattern for pattern in missing if not fnmatchcase(job.name, pattern)]
        if not missing:
            return
    if missing and not run.allow_empty:
        raise SettingsError(f"--redact-zone: {run.input} holds no picture with a name like {missing[0]!r}")


def _with_masks(jobs: Iterable[Job], masks: Path, film_extensions: Collection[str]) -> Iterator[Job]:
    """The jobs with the places of their masks, which have the names of the detection files.

    Args:
        masks: folder for them, from the output folder.
    """
    for job in jobs:
        suffix = FILM_MASK_SUFFIX if has_extension(job.source, film_extensions) else MASK_SUFFIX
        old = tuple(masks / path.with_suffix(suffix) for path in job.old_detections)
        yield dataclasses.replace(job, mask_path=masks / job.detections_path.with_suffix(suffix), old_masks=old)


def _checksums(settings: Settings) -> dict[str, str]:
    """Of the files and folders that the settings name.

    Raises:
        SettingsError: one cannot be read, or is not what it should be.
    """
    checksums = {}
    for key, path in settings.named_paths().items():
        if key == "overlay":
            read_overlay(path)
            checksums[key] = sha256(path.read_bytes()).hexdigest()
        else:
            checksums[key] = digest_of(path)
    return checksums


def _jobs(listing: Listing, run: RunSettings) -> Iterator[Job]:
    """
    Raises:
        SettingsError: there is no picture at all.
    """
    jobs = iter(listing)
    first = next(jobs, None)
    if first is None:
        if run.allow_empty:
            return iter(())
        raise SettingsError(
            f"input folder {run.input} holds no picture ({', '.join(listing.extensions)}); "
            "see --image-extensions, or add --allow-empty if that is intended"
        )
    return (job for job in chain([first], jobs) if is_in_shard(job.name, run.shard))


def _of_shard(name: str, shard: Shard | None) -> str:
    """Machines that share an output folder keep their own books."""
    path = Path(name)
    return name if shard is None else f"{path.stem}-{shard.number}-of-{shard.of}{path.suffix}"


def _check_folders(run: RunSettings, source: Place, output: Place) -> None:
    """
    Raises:
        SettingsError: something is asked for that stores cannot have.
        OutputError: the output is refused.
    """
    in_stores = [place for place in (source, output, run.report) if isinstance(place, Address)]
    if any(place.protocol == "memory" for place in in_stores) and run.workers != 0:
        raise SettingsError("memory:// is in the memory of one process: add --workers 0")
    is_free = run.overwrite or _is_ours(output)
    if isinstance(source, Path) and isinstance(output, Path):
        check_output(source, output, is_free)
        if run.mask_output is not None:
            check_masks(source, output, run.mask_output, is_free)
        return
    if run.mask_output is not None:
        raise SettingsError("--mask-output needs local folders as --input and --image-output, no addresses")
    check_store(source, output, is_free)


def _is_ours(output: Place) -> bool:
    """Whether an earlier run, perhaps of another shard, wrote into this folder.

    Raises:
        OutputError: the store does not say.
    """
    if isinstance(output, Address):
        try:
            return bool(next(storage_of(output).list(BOOKS), []))
        except OSError as error:
            raise OutputError(f"output {output}: {error.strerror}") from None
    pattern = f"{Path(MANIFEST_NAME).stem}*{Path(MANIFEST_NAME).suffix}"
    return output.is_dir() and any(output.glob(pattern))


def _check_file(what: str, file: Place, run: RunSettings, settings: Settings) -> None:
    """Refuses to write a file that would take the place of something else."""
    assert run.input is not None
    assert run.image_output is not None
    advice = f"choose another place with --{what}"
    if _name_below(file, run.input) is not None:
        raise OutputError(f"{what} {file} lies inside the input folder; {advice}")
    exists = is_file(file)
    if isinstance(file, Path) and file.exists() and not exists:
        raise OutputError(f"{what} {file} is not a file; {advice}")
    name = _name_below(file, run.image_output)
    if name is not None and _is_of_the_books(name, isinstance(file, Address)):
        raise OutputError(f"{what} {file} would take the place of a manifest; {advice}")
    is_own: Callable[[Place], bool] = is_report if what == "report" else is_trace
    if exists and not run.overwrite and not is_own(file):
        raise OutputError(f"{what} {file} exists and is not a {what}; add --overwrite to replace it")
    if name is None:
        return
    jobs = jobs_in(run.input, name.parent, _extensions(settings))
    if name in {path for job in jobs for path in (job.target, job.detections_path)}:
        raise OutputError(f"{what} {file} would take the place of an output; {advice}")


def _is_of_the_books(name: Path, is_stored: bool) -> bool:
    """Whether a name in the output is that of a manifest or, in a store, of a part of one."""
    beginning = Path(MANIFEST_NAME).stem
    return name.as_posix().startswith(beginning) and (is_stored or len(name.parts) == 1)


def _name_below(file: Place, folder: Place) -> Path | None:
    """Where in a folder a file lies; None if it does not."""
    if isinstance(file, Path) and isinstance(folder, Path):
        real, real_folder = file.resolve(), folder.resolve()
        return real.relative_to(real_folder) if real.is_relative_to(real_folder) else None
    if isinstance(file, Address) and isinstance(folder, Address) and file.is_relative_to(folder):
        return Path(file.key.removeprefix(folder.key).lstrip("/"))
    return None
