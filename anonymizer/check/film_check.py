"""The check of one film: decoded once, frame by frame, beside its record and its original. Memory holds a few frames.

PyAV is needed; `file_check` imports this module only where a film is met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from av import Packet
from av.stream import Stream

from anonymizer.check.annotate import close_up
from anonymizer.check.choices import note_choices, places_kept
from anonymizer.check.comparison import uncovered
from anonymizer.check.film_comparison import FilmComparison
from anonymizer.check.film_page import FilmPage
from anonymizer.check.film_record import FilmRecord, opened_record
from anonymizer.check.finding import Finding
from anonymizer.check.inputs import InputFile
from anonymizer.check.plan import CheckPlan
from anonymizer.check.spans import Joined, Spans
from anonymizer.check.verdicts import BROKEN, compare_with_record, judge, judge_given
from anonymizer.detect.zones import rest_of, zones_to_hide
from anonymizer.errors import PictureError
from anonymizer.files.encode import encode_preview
from anonymizer.files.inspect import FileIssue
from anonymizer.pipeline import Finder
from anonymizer.types import Detection, Pixels8
from anonymizer.video.beats import beats
from anonymizer.video.finder import FrameFinder, viewing
from anonymizer.video.inspect import StreamInspection, issues_in_facts, issues_in_structure
from anonymizer.video.source import Film, FilmFrame, open_film, to_rgb
from anonymizer.video.verify import Account, SilenceCheck

CONFIRMED_FROM = 2
"""What was redacted by tracks is judged by tracks: below the score that is sure, what the models see in a single frame
and in none beside it is a warning."""
SEEN_AGAIN_FROM = 0.1
"""A finding is about a recorded track if its box has at least this IoU with that of the track."""


@dataclass
class FilmCheck:
    """One way through a film. The findings so far are there also if it ends with an error."""

    file: InputFile
    plan: CheckPlan
    sensitive: Finder
    """The finder of the gate."""
    tell: Callable[[str], None] = lambda text: None
    """Told how far it is."""
    findings: list[Finding] = field(default_factory=list)
    page: FilmPage | None = None
    """Collects what is shown of it."""
    known: Mapping[bytes, bytes] = field(default_factory=dict)
    """What other processes saw in some frames with the same finder, see `film_looks`."""
    _eyes: FrameFinder = field(init=False)
    _certain: Spans = field(default_factory=Spans)
    _doubtful: Spans = field(default_factory=Spans)
    """What only counts if other frames confirm it."""

    def run(self) -> None:
        """
        Raises:
            PictureError: the film is damaged, or nothing can be said about a frame.
        """
        film = open_film(self.file.path, self.plan.settings.read)
        self._eyes = FrameFinder(viewing(self.sensitive, film.facts), {}, known=self.known)
        issues = [*issues_in_facts(film.facts), *issues_in_structure(self.file.path)]
        beat = beats(self.tell, "checked", film.facts.announced_frames)
        inspection, account = StreamInspection(film.facts), Account(film.facts.time_base)
        sounds = {stream.index for stream in film.facts.streams if stream.kind == "audio"}
        silence = SilenceCheck(self.file.claims.muted, sounds)
        with ExitStack() as at_end:
            at_end.callback(lambda: self._note_issues([*issues, *inspection.issues]))
            record = at_end.enter_context(opened_record(self.file.name, self._record_path()))
            at_end.callback(lambda: self.findings.extend(record.findings))
            at_end.callback(lambda: self._conclude(self._certain.finish(), self._doubtful.finish()))
            comparison = self._open_comparison(film)
            reading = at_end.enter_context(film.opened())
            inspection.begin(reading)
            for item in account.noted(reading):
                if isinstance(item, FilmFrame):
                    inspection.note_frame(item.picture)
                    self._look(film, item, record, comparison)
                    beat(item.index + 1)
                else:
                    inspection.note_packet(item)
                    self._listen(silence, item)
            record.finish(account.frames.number)
            if comparison is not None:
                self.findings += comparison.conclude(account)

    def _listen(self, silence: SilenceCheck, packet: Packet[Stream]) -> None:
        """What can be heard where the report says that the sound was muted."""
        try:
            silence.check(packet)
        except PictureError as error:
            finding = Finding(self.file.name, "changed", f"{error}, by its report")
            if finding not in self.findings:
                self.findings.append(finding)

    def _look(self, film: Film, frame: FilmFrame, record: FilmRecord, comparison: FilmComparison | None) -> None:
        time_s = film.facts.seconds(frame.time)
        recorded = record.in_frame(frame.index, time_s)
        is_looked_at = frame.index % self.plan.check.video_every == 0
        if not is_looked_at and comparison is None:
            return
        pixels = to_rgb(frame.picture, film.facts.orientation)
        zones = self._zones(frame.index, pixels)
        verdicts = _Verdicts()
        seen = self._judge(pixels, recorded, zones, verdicts) if is_looked_at else ()
        before = None if comparison is None else comparison.next_original(frame)
        if comparison is not None and before is not None:
            verdicts.certain += comparison.compare(frame, before, pixels, [*(recorded or ()), *zones])
            if is_looked_at:
                is_same = np.array_equal(before, pixels)  # as in copied groups
                self._judge_original(before, pixels, seen if is_same else self._eyes.find(before), verdicts)
        self._take(frame.index, time_s, pixels, recorded or (), verdicts)

    def _judge(
        self, pixels: Pixels8, recorded: Sequence[Detection] | None, zones: Sequence[Detection], verdicts: _Verdicts
    ) -> Sequence[Detection]:
        """What the models still see in a frame, compared with the record of what was hidden there."""
        thresholds = self.plan.thresholds
        redacted = compare_with_record(pixels, recorded, self.plan.settings, zones)
        seen = self._eyes.find(pixels)
        for detection, finding in zip(seen, judge(self.file.name, seen, redacted, thresholds), strict=True):
            is_sure = detection.score >= thresholds.sure[detection.kind] or finding.text == BROKEN
            (verdicts.certain if recorded is None or is_sure else verdicts.doubtful).append(finding)
        verdicts.certain += judge_given(self.file.name, redacted)
        return seen

    def _judge_original(self, before: Pixels8, after: Pixels8, seen: Sequence[Detection], verdicts: _Verdicts) -> None:
        """What the models see in a frame of the original and is not hidden."""
        thresholds = self.plan.thresholds
        for one in uncovered(before, after, seen):
            if one.score < thresholds.run[one.kind]:
                text = f"perhaps a {one.kind}, seen weakly in the original"
                verdicts.certain.append(Finding(self.file.name, "uncovered", text, "warning", one.box, one.score))
                continue
            text = f"{one.kind} of the original is not hidden"
            finding = Finding(self.file.name, "uncovered", text, "finding", one.box, one.score)
            is_sure = one.score >= thresholds.sure[one.kind]
            (verdicts.certain if is_sure else verdicts.doubtful).append(finding)

    def _take(
        self, index: int, time_s: float, pixels: Pixels8, recorded: Sequence[Detection], verdicts: _Verdicts
    ) -> None:
        """Joins the findings of a frame with those of the frames before it."""
        shown = []
        ended = []
        for spans, findings in ((self._certain, verdicts.certain), (self._doubtful, verdicts.doubtful)):
            in_frame = [replace(finding, frame=index, track=_track_of(finding, recorded)) for finding in findings]
            noted = note_choices(in_frame, self.file.choices, is_animation=True)
            shown += noted
            ended.append(list(spans.add(index, time_s, noted, self._crop(pixels))))
        if self.page is not None:
            self.page.note_frame(index, time_s, pixels, recorded, shown)
        self._conclude(*ended)

    def _crop(self, pixels: Pixels8) -> Callable[[Finding], bytes | None]:
        def crop(finding: Finding) -> bytes | None:
            if self.page is None or finding.level not in ("finding", "warning"):
                return None
            part = close_up(pixels, finding)
            return None if part is None else encode_preview(part)

        return crop

    def _conclude(self, certain: Iterable[Joined], doubtful: Iterable[Joined]) -> None:
        """Takes findings that do not go on."""
        for one in (*certain, *map(self._confirmed, doubtful)):
            self.findings.append(one.finding)
            if self.page is not None:
                self.page.note_finding(one.finding, one.close_up)

    def _confirmed(self, joined: Joined) -> Joined:
        """What counts of a finding that needs several frames; if only some are looked at, one is enough."""
        finding = joined.finding
        if finding.level != "finding" or joined.frames >= CONFIRMED_FROM or self.plan.check.video_every > 1:
            return joined
        return replace(joined, finding=replace(finding, level="warning", text=f"{finding.text}; in this frame alone"))

    def _note_issues(self, issues: Iterable[FileIssue]) -> None:
        self.findings += [Finding(self.file.name, issue.kind, issue.text) for issue in dict.fromkeys(issues)]

    def _zones(self, frame: int, pixels: Pixels8) -> list[Detection]:
        """What is hidden in a frame whatever its record says."""
        size, settings = (pixels.shape[0], pixels.shape[1]), self.plan.settings.detect
        zones = zones_to_hide(settings.redact_zone, self.file.name, size)
        kept = places_kept(self.file.choices, frame)
        return [*zones, rest_of(size, kept)] if settings.hide_all_but else zones

    def _record_path(self) -> Path | None:
        return next((path for path in self.file.records if path.is_file()), None)

    def _open_comparison(self, film: Film) -> FilmComparison | None:
        if self.file.original is None:
            return None
        try:
            return FilmComparison.of(self.file.name, self.file.original, film, self.plan.settings, self.file.claims)
        except PictureError as error:
            self.findings.append(Finding(self.file.name, "unreadable", f"its original {error}"))
            return None


@dataclass
class _Verdicts:
    """On one frame."""

    certain: list[Finding] = field(default_factory=list)
    doubtful: list[Finding] = field(default_factory=list)


def _track_of(finding: Finding, recorded: Sequence[Detection]) -> int | None:
    """The recorded track that a finding is about."""
    if finding.box is None:
        return None
    overlaps = [(one.redaction_box.iou(finding.box), one.track) for one in recorded if one.track is not None]
    likeness, track = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    return track if likeness >= SEEN_AGAIN_FROM else None
