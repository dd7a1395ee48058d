"""The way of one film: read -> find -> redact -> write -> record, in two passes; a third one proves the result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from anonymizer.addresses import Place
from anonymizer.detect.frames import ModelFinder
from anonymizer.detect.zones import rest_of, zones_to_hide
from anonymizer.errors import PictureError, picture_boundary
from anonymizer.files.library_messages import messages_of
from anonymizer.files.write import remove_files, written_together
from anonymizer.geometry import Box
from anonymizer.kinds import KINDS, Kind
from anonymizer.outlines import RestOutline
from anonymizer.pipeline import Finder, guarded, name_of_mask, not_counted_warning, timed
from anonymizer.record.detections import film_to_json
from anonymizer.record.edits import NO_EDITS, Edits
from anonymizer.redact.warnings import redaction_warnings
from anonymizer.settings import Settings
from anonymizer.types import Detection, Job, Progress, Result, Source
from anonymizer.video.beats import beats
from anonymizer.video.chosen import TrackChoice, choose_tracks
from anonymizer.video.edited import EditedFilm, edit_film
from anonymizer.video.encoders import is_as_good
from anonymizer.video.facts import FilmFacts
from anonymizer.video.finder import frame_finder
from anonymizer.video.look import EVERY, find_tracks
from anonymizer.video.masks import write_mask
from anonymizer.video.paint import Painter
from anonymizer.video.parts import FilmPart, look_ahead, parts_of
from anonymizer.video.recorded import FilmRecords, replay
from anonymizer.video.selection import select
from anonymizer.video.silhouettes import Drawer, draw_silhouettes
from anonymizer.video.source import Film, FilmFrame, open_film
from anonymizer.video.survey import Survey
from anonymizer.video.tracks import FilmTracks, Limits, Still
from anonymizer.video.trimmed import trim
from anonymizer.video.writer import FilmWriter, Written, facts_of

_LOOKING, _HIDING, _PROVING = (0.0, 0.7), (0.7, 0.95), (0.95, 1.0)
"""Parts of the work, as they were for a film of 720 lines on a processor: only progress bars are made of them."""
_BETWEEN = (_LOOKING[1], _LOOKING[1])


@dataclass(frozen=True)
class FilmProcess:
    """Makes the outputs of one film: all of them, or none."""

    input_root: Path
    output_root: Place
    finder: Finder
    settings: Settings
    edits: Edits = NO_EDITS
    remarks: Sequence[str] = ()
    """What a user should know of all films."""
    on_beat: Callable[[Progress], None] = lambda progress: None
    """Told about every second how far the film is. A `PictureError` of it ends the work."""
    places: Callable[[Place, Sequence[Path]], AbstractContextManager[list[Path]]] = written_together
    """Gives places to write the outputs to, see `written_together`."""
    mask_root: Path | None = None
    """Folder for the masks of jobs that have one; `places` gives places there, too."""
    choices: Sequence[TrackChoice] = ()
    """Which faces stay visible of those that were found; None: no face."""
    silhouettes: Drawer | None = None
    """Draws those that are hidden; None: none are."""
    known: Mapping[bytes, bytes] = field(default_factory=dict)
    """What models were seen to find in some of its frames, see `look_ahead`."""

    def parts(self, job: Job) -> list[FilmPart]:
        """The parts of a film in which several processes may look ahead, see `look_ahead`."""
        if job.recorded is not None or not isinstance(self.finder, ModelFinder):
            return []
        with self._left_to_the_whole(job):
            self._refuse(job)
            return parts_of(self._open(job))
        return []

    def look_ahead(self, job: Job, part: FilmPart) -> dict[bytes, bytes]:
        """What models find in a part of a film, for `known`."""
        with self._left_to_the_whole(job):
            beat = beats(self.on_beat, "looked ahead at", len(part.times))
            finder = frame_finder(self.finder, part.film.facts)
            return look_ahead(part, finder, EVERY[self.settings.detect.preset], beat)
        return {}

    @contextmanager
    def _left_to_the_whole(self, job: Job) -> Iterator[None]:
        """Whatever goes wrong with a part goes wrong again where the whole film is worked on, which says what it is."""
        with suppress(PictureError), messages_of(job.name), picture_boundary(job.name):
            yield

    def __call__(self, job: Job) -> Result:
        """Whatever goes wrong with the film becomes a failed `Result`, see `PictureProcess`.

        Raises:
            OutputError: nothing more can be written; nothing has changed in the output.
        """
        return guarded(
            job, self.input_root, self.output_root, self.mask_root, lambda seconds: self._process(job, seconds)
        )

    def _process(self, job: Job, seconds: dict[str, float]) -> Result:
        self._refuse(job)
        with timed(seconds, "read"):
            film = self._open(job)
            zones = self._zones(job, film.facts)
        with timed(seconds, "detect"):
            survey, seen = self._see(job, film)
            told = _ToldFilm(film, self.on_beat, len(survey.times))
            chosen = self._choose(survey, told, seen.tracks)
            edited = self._edit(job, survey, told, chosen.tracks)
            drawn = self._draw(told, edited.tracks)
            tracks = _with_zones(drawn, zones, self._rests(film.facts, edited))
        result = self._result(
            job, survey, replace(seen, tracks=tracks, edits=(*seen.edits, *chosen.done, *edited.done))
        )
        if self.settings.redact.only_detects(self._kinds):
            with timed(seconds, "write"), self._beside(job, survey, tracks, []):
                pass
            return replace(result, status="detected")
        with timed(seconds, "write"):
            written, left_out = self._write(job, film, survey, tracks)
        return replace(
            result,
            film={**(result.film or {}), **facts_of(written)},
            warnings=self._warnings(film.facts, written, tracks, result.not_counted),
            fidelity="reencoded",
            left_out=left_out,
        )

    def _refuse(self, job: Job) -> None:
        """
        Raises:
            PictureError: something is asked for that films cannot have, and that would uncover something if it were
                ignored.
        """
        if self.settings.write.lossless_only:
            raise PictureError("is a film, whose frames are encoded anew; --lossless-only refuses that")

    def _open(self, job: Job) -> Film:
        """
        Raises:
            PictureError: the film cannot be opened.
        """
        film, video = open_film(self.input_root / job.source, self.settings.read), self.settings.video
        beat = beats(self.on_beat, "passed over", film.facts.announced_frames)
        return trim(film, video.video_from, video.video_to, beat)

    def _zones(self, job: Job, facts: FilmFacts) -> list[Detection]:
        """Zones that are hidden in every frame, whatever is there."""
        width, height = facts.upright_size
        return zones_to_hide(self.settings.detect.redact_zone, job.name, (height, width))

    def _choose(self, survey: Survey, film: _ToldFilm, tracks: FilmTracks) -> EditedFilm:
        """
        Raises:
            PictureError: the film is damaged.
        """
        # Where all else is hidden a face that is no track is hidden with it.
        chosen = EditedFilm(tracks)
        for choice in () if self.settings.detect.hide_all_but else self.choices:
            times_s = [survey.facts.seconds(moment) for moment in survey.times]
            after = choose_tracks(film, times_s, chosen.tracks, choice, self.settings.redact)
            chosen = EditedFilm(after.tracks, [*chosen.done, *after.done])
        return chosen

    def _edit(self, job: Job, survey: Survey, film: _ToldFilm, tracks: FilmTracks) -> EditedFilm:
        """
        Raises:
            PictureError: an edit does not fit the film.
        """
        edits, settings = self.edits.of(job.name), self.settings
        times_s = [survey.facts.seconds(moment) for moment in survey.times] if edits else []
        limits = Limits(settings.video.video_gap, settings.video.video_grace)
        is_replay = job.recorded is not None
        return edit_film(film, times_s, tracks, edits, self.edits.name, settings.redact, limits, is_replay)

    def _draw(self, film: _ToldFilm, tracks: FilmTracks) -> FilmTracks:
        """
        Raises:
            PictureError: the film is damaged, or a network gave no usable answer.
        """
        return tracks if self.silhouettes is None else draw_silhouettes(film, tracks, self.silhouettes)

    def _rests(self, facts: FilmFacts, edited: EditedFilm) -> list[Still]:
        """What is hidden where all is but for the places that edits keep."""
        if not self.settings.detect.hide_all_but:
            return []
        (width, height), frames = facts.upright_size, edited.tracks.frames
        borders = sorted({0, frames, *(border for one in edited.kept for border in (one.first, one.end))})
        spans = pairwise(borders)
        return [Still(rest_of((height, width), edited.kept_in(first)), first, end) for first, end in spans]

    def _see(self, job: Job, film: Film) -> tuple[Survey, _Seen]:
        """The first pass: by what is recorded of the film, or by models.

        Raises:
            PictureError: the film is damaged, nothing can be said about a frame, or the record is of another film.
        """
        sha256 = _sha256(self.input_root / job.source)
        beat = "looked at" if job.recorded is None else "read"
        survey = Survey(film, beats(self.on_beat, beat, film.facts.announced_frames, _LOOKING))
        if job.recorded is None:
            return survey, self._look(survey, sha256)
        if not isinstance(self.finder, FilmRecords):
            raise PictureError("is a film, and what is to find in it knows no records")
        recorded = self.finder.record_of(job)
        sizes = (film.facts.upright_size,)
        if recorded.source is not None:  # before the film is read for long
            self.finder.check_source(Source(sha256, recorded.source.frames, sizes), recorded)
        known = replay(survey, recorded, self.finder, self.settings.redact)
        source = Source(sha256, len(survey.times), sizes)
        self.finder.check_source(source, recorded)
        return survey, _Seen(known.tracks, source, known.not_counted + recorded.not_counted, recorded.edits)

    def _look(self, survey: Survey, sha256: str) -> _Seen:
        settings, finder = self.settings, frame_finder(self.finder, survey.facts, self.known)
        limits = Limits(settings.video.video_gap, settings.video.video_grace)
        tracks = find_tracks(survey, finder, settings.redact, limits, EVERY[settings.detect.preset])
        if tracks.frames != len(survey.times):
            raise PictureError(f"has {len(survey.times)} frames, and detections for {tracks.frames}")
        source = Source(sha256, len(survey.times), (survey.facts.upright_size,))
        return _Seen(tracks, source, finder.not_counted)

    def _write(self, job: Job, film: Film, survey: Survey, tracks: FilmTracks) -> tuple[Written, tuple[str, ...]]:
        """The second pass, and the third; how the film was written, and what was left out."""
        settings, facts, frames = self.settings, film.facts, len(survey.times)
        chosen = select(facts, settings.video, settings.write.metadata, survey.telemetry)
        painter = Painter(tracks, facts, settings.redact)
        told = beats(self.on_beat, "hidden in", frames, _HIDING), beats(self.on_beat, "proved", frames, _PROVING)
        writer = FilmWriter(film, survey, painter, chosen, settings, *told, self.edits.mute(job.name))
        with self._beside(job, survey, tracks, [job.target]) as (place,):
            written = writer.write(place)
        unwanted = [] if self._has_record else [job.detections_path]
        remove_files(self.output_root, job.stale(*job.old_detections, *job.old_masks, *unwanted), self.mask_root)
        cut_off = () if film.is_whole else ("what is shown before --video-from and after --video-to",)
        return written, (*cut_off, *chosen.left_out)

    @contextmanager
    def _beside(self, job: Job, survey: Survey, tracks: FilmTracks, names: Sequence[Path]) -> Iterator[Sequence[Path]]:
        """Places for files, which come after the record and the mask of the film: all of them appear, or none does."""
        masks = [] if job.mask_path is None else [job.mask_path]
        records = [job.detections_path] if self._has_record else []
        with self.places(self.output_root, [*masks, *records, *names]) as places:
            for place in places[len(masks) : len(masks) + len(records)]:
                _write_record(place, survey, tracks)
            yield places[len(masks) + len(records) :]
            for place in places[: len(masks)]:
                settings = self.settings.redact
                shown = settings.in_any_case() if settings.only_detects(self._kinds) else settings
                beat = beats(self.on_beat, "masked", len(survey.times), _PROVING)
                write_mask(place, tracks, survey.facts, survey.times, shown, beat)

    def _result(self, job: Job, survey: Survey, seen: _Seen) -> Result:
        counts = seen.tracks.counts
        return Result(
            job.name,
            "anonymized",
            counts={kind: counts.get(kind, 0) for kind in sorted(self._kinds, key=KINDS.index)},
            not_counted=seen.not_counted,
            source=seen.source,
            record=job.detections_path.as_posix() if self._has_record else None,
            mask=name_of_mask(job, self.output_root, self.mask_root),
            film={
                "frames": len(survey.times),
                "seconds": round(survey.duration_s, 3),
                "tracks": len(seen.tracks.tracks),
                "frames_looked_at": seen.tracks.looks,
            },
            edits=seen.edits,
        )

    def _warnings(self, facts: FilmFacts, written: Written, tracks: FilmTracks, not_counted: int) -> tuple[str, ...]:
        """What a user should know of how the film was written and of what stays visible in it."""
        remarks, encoding = list(self.remarks), written.encoding
        if written.encoded_sound:
            number = "a sound track was" if written.encoded_sound == 1 else f"{written.encoded_sound} sound tracks were"
            remarks.append(f"{number} encoded anew as a whole, to mute parts")
        if encoding.codec != facts.codec:
            remarks.append(f"nothing here encodes {facts.codec}: the film is now {encoding.codec}")
        if not is_as_good(facts.pixel_format, encoding.pixel_format):
            remarks.append(f"its pixel format {facts.pixel_format} became {encoding.pixel_format}")
        hidden = [Detection(Box(0, 0, 1, 1), 1.0, track.kind) for track in tracks.tracks]
        weaknesses = redaction_warnings(hidden, self.settings.redact)
        return (*remarks, *not_counted_warning(not_counted), *weaknesses)

    @property
    def _kinds(self) -> frozenset[Kind]:
        return self.finder.kinds | self.edits.kinds | self.settings.detect.given_kinds

    @property
    def _has_record(self) -> bool:
        return self.settings.record.write_detections or self.settings.redact.only_detects(self._kinds)


@dataclass(frozen=True)
class _ToldFilm:
    """A film that is gone through between the passes, and tells it."""

    film: Film
    tell: Callable[[Progress], None]
    number: int
    """Of its frames."""

    @property
    def facts(self) -> FilmFacts:
        return self.film.facts

    def frames(self) -> Iterator[FilmFrame]:
        beat = beats(self.tell, "gone through", self.number, _BETWEEN)
        for frame in self.film.frames():
            beat(frame.index + 1)
            yield frame


@dataclass(frozen=True)
class _Seen:
    """What is known of a film after the first pass."""

    tracks: FilmTracks
    source: Source
    not_counted: int
    """How many detections there were where the zones say that nothing counts, weak ones too."""
    edits: tuple[Mapping[str, object], ...] = ()
    """What people had changed before what is replayed was recorded, and what they change now."""


def _with_zones(tracks: FilmTracks, zones: Sequence[Detection], rests: Sequence[Still]) -> FilmTracks:
    """The tracks, and zones in every frame, each once.

    Args:
        rests: what is hidden but for some places; those of before may keep other places.
    """
    new = [*(Still(zone, 0, tracks.frames) for zone in zones), *rests]
    is_rest = bool(rests)
    known = [one for one in tracks.stills if not (is_rest and isinstance(one.detection.outline, RestOutline))]
    return replace(tracks, stills=list(dict.fromkeys([*known, *new])))


def _write_record(place: Path, survey: Survey, tracks: FilmTracks) -> None:
    def frames() -> Iterator[tuple[float, Sequence[Detection]]]:
        for index, moment in enumerate(survey.times):
            yield survey.facts.seconds(moment), tracks.in_frame(index)

    with open(place, "wb") as file:
        file.writelines(film_to_json(frames()))


def _sha256(path: Path) -> str:
    """
    Raises:
        PictureError: the file cannot be read any more.
    """
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
            return digest.hexdigest()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
