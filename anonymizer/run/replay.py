"""Redacts again from what an earlier run recorded, without any model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from anonymizer.addresses import Address
from anonymizer.detect.zones import keep_in_zones
from anonymizer.errors import PictureError, SettingsError
from anonymizer.files.picture import Picture
from anonymizer.files.store_reading import records_fetched
from anonymizer.kinds import GIVEN_KINDS, KINDS, MODEL_KINDS, Kind
from anonymizer.record.detections import from_json
from anonymizer.record.recording import Recording, read_recording
from anonymizer.settings import DetectSettings, RunSettings, Settings, VideoSettings, settings_from_options
from anonymizer.types import FrameDetections, Job, Recorded, Source

_PART = ("video-from", "video-to")


OUTPUT_IS_REPLAYED = "--detections is the output folder: its records would be replaced; choose another output"


@dataclass(frozen=True)
class RecordedFinder:
    """A `Finder` that knows from detection JSON what is in a picture."""

    drops: DetectSettings
    """Its thresholds and zones drop more than was dropped when the records were made."""
    kinds: frozenset[Kind]
    """What is taken from the records."""
    recorded_kinds: frozenset[Kind]
    """What the run that made them looked for."""
    takes_changed: bool
    """Whether pictures may have changed since, as long as their sizes are the same."""
    sure_from: Mapping[Kind, float] = field(default_factory=dict)
    """Scores from which on detections counted by themselves when the records were made; without an entry, all."""

    def find(self, picture: Picture, job: Job | None) -> list[FrameDetections]:
        """What is recorded of each frame.

        Raises:
            PictureError: there is no record, it is damaged, or it is of another picture.
        """
        recorded = self.record_of(job)
        self.check_source(picture.source, recorded)
        sizes = [(frame.pixels.shape[0], frame.pixels.shape[1]) for frame in picture.frames]
        frames = _read(recorded.path, sizes)
        for of_frame in frames.values():
            self.check_kinds({detection.kind for detection in of_frame.detections}, recorded.path)
        of_frames = (frames.get(number, FrameDetections([])) for number in range(len(sizes)))
        pairs = zip(of_frames, sizes, strict=True)
        kept = [keep_recorded(of_frame, size, self.kinds, self.drops) for of_frame, size in pairs]
        return [replace(kept[0], not_counted=kept[0].not_counted + recorded.not_counted), *kept[1:]]

    def record_of(self, job: Job | None) -> Recorded:
        """
        Raises:
            PictureError: there is none.
        """
        recorded = "has no record" if job is None or job.recorded is None else job.recorded
        if isinstance(recorded, str):
            raise PictureError(recorded)
        return recorded

    def check_source(self, now: Source, recorded: Recorded) -> None:
        """
        Raises:
            PictureError: the record is of another file.
        """
        source = recorded.source
        if source is None:
            if not self.takes_changed:
                raise PictureError("may be another picture than its record is of: that holds no checksum")
            return
        if (source.frames, source.sizes) != (now.frames, now.sizes):
            raise PictureError(f"has {_size(now)}, its record is of {_size(source)}")
        if source.sha256 != now.sha256 and not self.takes_changed:
            raise PictureError(
                "is another file than its record is of, by their SHA-256; detect anew, or add --detections-for changed "
                "if everything is still where it was"
            )

    def check_kinds(self, kinds: Collection[Kind], path: Path) -> None:
        """
        Raises:
            PictureError: a record has a kind that nobody looked for.
        """
        for kind in sorted(set(kinds) - self.recorded_kinds):
            raise PictureError(f"has a record {path.name} with the kind {kind!r}, which its report does not list")


def keep_recorded(
    frame: FrameDetections, size: tuple[int, int], kinds: frozenset[Kind], drops: DetectSettings
) -> FrameDetections:
    """What thresholds and zones let count of these kinds, and what people and zones had hidden.

    Args:
        size: height and width of the frame.
        drops: its thresholds and zones; the models' own thresholds drop nothing.
    """
    sure = [one for one in frame.detections if one.kind in kinds and one.score >= (drops.threshold_of(one.kind) or 0.0)]
    kept = {*keep_in_zones(sure, size, drops), *(one for one in sure if one.kind in GIVEN_KINDS)}
    counted = [one for one in sure if one in kept]
    in_alpha = None if frame.in_alpha is None else [one for one in frame.in_alpha if one in kept]
    return FrameDetections(counted, in_alpha, len(sure) - len(counted))


def _read(path: Path, sizes: Sequence[tuple[int, int]]) -> Mapping[int, FrameDetections]:
    try:
        return from_json(path.read_bytes(), sizes)
    except OSError as error:
        raise PictureError(f"has a record {path.name} that cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise PictureError(f"has a damaged record {path.name}: {error}") from None


def _size(source: Source) -> str:
    sides = " and ".join(f"{width} x {height}" for width, height in source.sizes[:2])
    others = " and others" if source.sizes[2:] else ""
    frames = f" in {source.frames} frames" if source.frames > 1 else ""
    return f"{sides}{others} pixels{frames}"


@dataclass(frozen=True)
class Replay:
    """What a run takes from an earlier one."""

    recording: Recording
    finder: RecordedFinder
    settings: DetectSettings
    """Under which all was found that is taken from the records."""

    def load(self, settings: DetectSettings) -> RecordedFinder:
        """Loads nothing."""
        return self.finder

    def assign(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs with what is recorded of them."""
        return (replace(job, recorded=self.recording.of(job.name)) for job in jobs)

    def evidence_of(self, job: Job) -> str:
        """Differs when what is recorded of a picture does."""
        recorded = job.recorded
        if not isinstance(recorded, Recorded):
            return str(recorded)
        try:
            digest = sha256(recorded.path.read_bytes()).hexdigest()
        except OSError:
            digest = ""
        return f"{digest} {recorded.source} {recorded.not_counted} {recorded.edits} {self.finder.takes_changed}"


@contextmanager
def records_at_hand(run: RunSettings) -> Iterator[RunSettings]:
    """The same run, whose records lie in a local folder for as long as the context lasts.

    Raises:
        SettingsError: the records cannot be read, or not by this run.
    """
    if not isinstance(run.detections, Address):
        yield run
        return
    if run.detections == run.image_output:
        raise SettingsError(OUTPUT_IS_REPLAYED)
    if run.executor != "local":
        raise SettingsError("--detections with an address needs --executor local: the records are brought here")
    with records_fetched(run.detections) as folder:
        yield replace(run, detections=folder)


def make_replay(run: RunSettings, given: DetectSettings, video: VideoSettings) -> Replay | None:
    """What to replay; None for a run that detects.

    Args:
        video: of this run.

    Raises:
        SettingsError: the records cannot be used, or not with these settings.
    """
    if run.detections is None:
        return None
    assert isinstance(run.detections, Path), "records_at_hand brings them"
    if isinstance(run.image_output, Path) and run.detections.resolve() == run.image_output.resolve():
        raise SettingsError(OUTPUT_IS_REPLAYED)
    recording = read_recording(run.detections)
    takes_changed = run.detections_for == "changed"
    if not recording.has_checksums and not takes_changed:
        raise SettingsError(
            f"--detections: {run.detections} is of version {recording.version}, which noted no checksums of the "
            "pictures: detect anew, or add --detections-for changed if the pictures are still the same"
        )
    recorded = _recorded_settings(recording, run.detections).detect
    _refuse_what_was_not_looked_for(given, recorded, recording)
    _refuse_another_part(video, recording, run.detections)
    drops = DetectSettings(
        include_zone=() if recorded.include_zone else given.include_zone,
        exclude_zone=() if recorded.exclude_zone else given.exclude_zone,
    ).with_thresholds({kind: _raised_threshold(kind, given, recorded, recording) for kind in KINDS})
    kinds = frozenset({*(given.kinds or recording.kinds), *GIVEN_KINDS}.intersection(recording.kinds))
    return Replay(
        recording,
        RecordedFinder(drops, kinds, frozenset(recording.kinds), takes_changed, _sure_from(recording)),
        replace(
            recorded,
            kinds=given.kinds or recorded.kinds,
            include_zone=given.include_zone or recorded.include_zone,
            exclude_zone=given.exclude_zone or recorded.exclude_zone,
            redact_zone=given.redact_zone,  # those of before are in the records
            hide_all_but=given.hide_all_but,
        ).with_thresholds({kind: drops.threshold_of(kind) or recorded.threshold_of(kind) for kind in KINDS}),
    )


def _sure_from(recording: Recording) -> dict[Kind, float]:
    """The scores from which on detections counted by themselves in films: the lowest threshold of any model."""
    sure_from: dict[Kind, float] = {}
    for model in recording.models:
        for kind, threshold in model.thresholds.items():
            sure_from[kind] = min(threshold, sure_from.get(kind, threshold))
    return sure_from


def _recorded_settings(recording: Recording, folder: Path) -> Settings:
    """
    Raises:
        SettingsError: the report says something else than settings.
    """
    known = {*DetectSettings().as_options(), *_PART}
    try:
        return settings_from_options({key: value for key, value in recording.settings.items() if key in known})
    except SettingsError as error:
        raise SettingsError(f"the report in {folder} is damaged, in its settings: {error}") from None


def _refuse_another_part(video: VideoSettings, recording: Recording, folder: Path) -> None:
    """
    Raises:
        SettingsError: the records are of another part of each film, whose frames have the same numbers and times.
    """
    before = _recorded_settings(recording, folder).video
    if recording.films and (before.video_from, before.video_to) != (video.video_from, video.video_to):
        said, usual = before.as_options(), VideoSettings().as_options()
        options = [f"--{key} {said[key]}" for key in _PART if said[key] != usual[key]]
        advice = f"add {' '.join(options)}" if options else f"leave out --{' and --'.join(_PART)}"
        raise SettingsError(f"--detections: the records are of another part of the films: {advice}")


def _refuse_what_was_not_looked_for(given: DetectSettings, recorded: DetectSettings, recording: Recording) -> None:
    """
    Raises:
        SettingsError: the records cannot answer what the settings ask.
    """
    usual = DetectSettings()
    if given.weights is not None:
        raise SettingsError("--weights: with --detections no model is used; leave it out, or detect anew")
    for key in ("preset", "projection"):
        value = getattr(given, key)
        if value not in (getattr(usual, key), getattr(recorded, key)):
            raise SettingsError(
                f"--{key} {value}: with --detections nothing is looked for; leave it out, or detect anew"
            )
    for key in ("include_zone", "exclude_zone"):
        before, now = getattr(recorded, key), getattr(given, key)
        if before and now and before != now:
            option = key.replace("_", "-")
            raise SettingsError(f"--{option}: the records were made with another one; leave it out, or detect anew")
    for kind in given.kinds or ():
        if kind in MODEL_KINDS and kind not in recording.kinds:
            raise SettingsError(f"--kinds {kind}: the records are of {' and '.join(recording.kinds)} only; detect anew")


def _raised_threshold(
    kind: Kind, given: DetectSettings, recorded: DetectSettings, recording: Recording
) -> float | None:
    """The threshold that is asked for, where it drops something.

    Raises:
        SettingsError: it is below that of the records.
    """
    asked = given.threshold_of(kind)
    of_models = (model.thresholds[kind] for model in recording.models if kind in model.thresholds)
    lowest = max(recorded.threshold_of(kind) or 0.0, *of_models, 0.0)
    if asked is not None and asked < lowest:
        raise SettingsError(f"--{kind}-threshold {asked:g}: nothing below {lowest:g} was recorded; detect anew")
    return asked if asked is not None and asked > lowest else None
