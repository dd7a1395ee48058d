"""The check of one file: read, inspect, find, compare with its record and with its original.

`FileCheck` is the task that executors carry out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from anonymizer.addresses import Address
from anonymizer.check import baseline
from anonymizer.check.annotate import ANNOTATED_PX, mark
from anonymizer.check.brought import brought_here, remove_brought
from anonymizer.check.choices import note_choices, places_kept
from anonymizer.check.comparison import FramePair, Seen, compare
from anonymizer.check.finding import Finding
from anonymizer.check.html_page import Card, make_card
from anonymizer.check.inputs import InputFile
from anonymizer.check.plan import CheckPlan
from anonymizer.check.second_opinion import FACE, FAINT_FROM, SecondOpinion, load_second_opinion
from anonymizer.check.thresholds import beside_hidden, load_sensitive_finder, with_faint
from anonymizer.check.verdicts import compare_with_record, judge, judge_given
from anonymizer.detect.frames import load_finder, spread_to_neighbours
from anonymizer.detect.silhouettes import choose_silhouettes
from anonymizer.detect.zones import rest_of, zones_to_hide
from anonymizer.errors import OutputError, PictureError, picture_boundary
from anonymizer.files.encode import encode_preview
from anonymizer.files.inspect import inspect_file
from anonymizer.files.library_messages import messages_of
from anonymizer.files.picture import Frame, Picture
from anonymizer.files.read import read_picture
from anonymizer.files.write import remove_partials, write_files
from anonymizer.pipeline import Finder, find_in
from anonymizer.record import detections as record
from anonymizer.types import Detection, FrameDetections

if TYPE_CHECKING:
    from anonymizer.check.film_looks import LookPart

MISSING_PYAV = "is a film, which cannot be checked without PyAV: pip install 'anonymizer[video]'"

NumberedFile: TypeAlias = tuple[int, InputFile]
"""A file and its position among all."""


@dataclass(frozen=True)
class CheckedFile:
    """The findings of one file."""

    findings: Sequence[Finding]
    accepted: Sequence[baseline.Entry] = ()
    """Its findings as entries of a new baseline; empty if none is written."""
    card: Card | None = None
    """What the HTML page shows of it; None without a page, or if nobody needs to look."""


@dataclass(frozen=True)
class FileCheck:
    """Checks files, once the models are loaded."""

    plan: CheckPlan
    """Without its files, which are many."""

    def begin(self) -> Callable[[NumberedFile], CheckedFile]:
        """Loads the models.

        Raises:
            ModelError: a model is missing, damaged or not a detection model.
        """
        plan = self.plan
        sensitive = load_sensitive_finder(plan.detect, plan.thresholds)
        of_run = load_finder(plan.settings.detect) if plan.check.against is not None else None
        opinion = load_second_opinion(plan.detect) if plan.check.second_opinion else None
        faint = None
        if opinion is not None:
            faint = load_sensitive_finder(plan.detect, with_faint(plan.thresholds, FACE, FAINT_FROM))
        return _PicturesAndFilms(plan, sensitive, of_run, opinion, faint)

    def give_up(self, numbered: NumberedFile, reason: str) -> CheckedFile:
        """A file on which a process ended counts as unreadable."""
        findings = [Finding(numbered[1].name, "unreadable", f"cannot be checked: {reason}")]
        is_shown = self.plan.check.html is not None
        return CheckedFile(findings, card=make_card(numbered[1].name, findings, None) if is_shown else None)

    def sweep(self, numbered: NumberedFile) -> None:
        """Removes what a process left that was ended: the hidden file of an annotated copy, and what it had brought."""
        remove_brought(numbered[1])
        if self.plan.check.annotate is not None:
            remove_partials(self.plan.check.annotate, [_annotated_name(numbered[1])])


class _PicturesAndFilms:
    """Checks each file the way of a picture or of a film."""

    def __init__(
        self,
        plan: CheckPlan,
        sensitive: Finder,
        of_run: Finder | None,
        opinion: SecondOpinion | None,
        faint: Finder | None = None,
    ) -> None:
        """
        Args:
            sensitive: the finder of the gate.
            of_run: that of the anonymizing run, for originals.
            opinion: on what the run may have missed in pictures.
            faint: finds also what only the opinion counts, in pictures.
        """
        self._plan = plan
        self._sensitive = sensitive
        self._of_run = of_run
        self._opinion = opinion
        self._faint = faint or sensitive
        self._beat: Callable[[str], None] = lambda text: None

    def listen(self, beat: Callable[[str], None]) -> None:
        """Films tell how far they are; see `LongWork`."""
        self._beat = beat

    def split(self, numbered: NumberedFile) -> Sequence[LookPart]:
        """Films are looked at in parts; see `SharedWork`. Those in stores are not: each part would fetch them."""
        file = numbered[1]
        if isinstance(file.root, Address) or isinstance(file.originals, Address) or find_spec("av") is None:
            return ()
        with _left_to_the_whole(file):
            if file.is_film:
                from anonymizer.check.film_looks import looks_at

                return looks_at(file, self._plan)
        return ()

    def prepare(self, numbered: NumberedFile, part: LookPart) -> Mapping[bytes, bytes]:
        """What models see in a part."""
        from anonymizer.check.film_looks import look_ahead
        from anonymizer.video.beats import beats

        with _left_to_the_whole(numbered[1]):
            beat = beats(self._beat, "looked ahead at", len(part.part.times))
            return look_ahead(part, self._sensitive, self._plan.check.video_every, beat)
        return {}

    def join(self, numbered: NumberedFile, prepared: Sequence[Mapping[bytes, bytes]]) -> CheckedFile:
        """Checks a film."""
        known = {digest: seen for part in prepared for digest, seen in part.items()}
        return _check_film(numbered[1], self._plan, self._sensitive, self._beat, known)

    def __call__(self, numbered: NumberedFile) -> CheckedFile:
        file = numbered[1]
        try:
            with brought_here(file) as local:
                if local.is_film:
                    return _check_film(local, self._plan, self._sensitive, self._beat)
                finders = (self._sensitive, self._faint, self._of_run)
                return _check_picture(local, self._plan, finders, self._opinion)
        except PictureError as error:  # it cannot be brought
            return _conclude(file, [Finding(file.name, "unreadable", f"cannot be checked: {error}")], None, self._plan)


@contextmanager
def _left_to_the_whole(file: InputFile) -> Iterator[None]:
    """Whatever goes wrong with a part goes wrong again where the whole film is checked, which says what it is."""
    with suppress(PictureError), messages_of(file.name), picture_boundary(file.name):
        yield


def _check_film(
    file: InputFile,
    plan: CheckPlan,
    sensitive: Finder,
    beat: Callable[[str], None],
    known: Mapping[bytes, bytes] | None = None,
) -> CheckedFile:
    if find_spec("av") is None:
        findings = [Finding(file.name, "unreadable", MISSING_PYAV)]
        card = make_card(file.name, findings, None) if plan.check.html is not None else None
        return CheckedFile(findings, card=card)
    from anonymizer.check.film_check import FilmCheck
    from anonymizer.check.film_page import FilmPage

    is_shown = plan.check.html is not None or plan.check.annotate is not None
    page = FilmPage(annotates=plan.check.annotate is not None) if is_shown else None
    check = FilmCheck(file, plan, sensitive, beat, page=page, known=known or {})
    content = None
    try:
        with messages_of(file.name), picture_boundary(file.name, _roots(file)):
            check.run()
            if plan.accepted or plan.check.write_baseline:
                content = baseline.content_of_film(file.path)
    except PictureError as error:
        check.findings.append(Finding(file.name, "unreadable", f"cannot be checked: {error}"))
    judged, entries = _with_baseline(check.findings, content, plan)
    if page is not None and page.annotated is not None and plan.check.annotate is not None:
        _write_annotated(file, page.annotated, plan.check.annotate)
    card = page.card(file.name, judged) if page is not None and plan.check.html is not None else None
    return CheckedFile(judged, entries, card)


def _roots(file: InputFile) -> dict[str, Path]:
    """Folders whose place no message names."""
    return {"folder": file.path.parent} | ({} if file.original is None else {"originals": file.original.parent})


def _check_picture(
    file: InputFile,
    plan: CheckPlan,
    finders: tuple[Finder, Finder, Finder | None],
    opinion: SecondOpinion | None,
) -> CheckedFile:
    sensitive, faint, of_run = finders
    picture = None
    findings: list[Finding] = []
    try:
        with messages_of(file.name), picture_boundary(file.name, _roots(file)):
            picture = read_picture(file.path, plan.settings.read)
            issues = inspect_file(picture.content, picture.encoding.format)
            findings += [Finding(file.name, issue.kind, issue.text) for issue in issues]
            recorded = _read_record(file, findings)
            redacted = None if recorded is None else _redacted_by_record(recorded, picture)
            findings += _look_again(file, picture, redacted, plan, faint, opinion)
            if file.original is not None and of_run is not None:
                findings += _compare(file, file.original, picture, redacted, plan, sensitive, of_run)
            findings = note_choices(findings, file.choices, picture.is_animation)
    except PictureError as error:
        findings.append(Finding(file.name, "unreadable", f"cannot be checked: {error}"))
    return _conclude(file, findings, picture, plan)


def _look_again(
    file: InputFile,
    picture: Picture,
    recorded: Sequence[Sequence[Detection]] | None,
    plan: CheckPlan,
    finder: Finder,
    opinion: SecondOpinion | None,
) -> list[Finding]:
    """What the models still see in each frame, compared with the record of what was redacted there."""
    findings = []
    if recorded is not None and any(recorded):
        finder = beside_hidden(finder)
    for number, found in enumerate(find_in(picture, finder)):
        of_frame = None if recorded is None else recorded[number]
        zones = _zones_of(file, number, picture.frames[number], plan)
        redacted = compare_with_record(picture.frames[number].view, of_frame, plan.settings, zones)
        clear = [one for one in found.detections if plan.thresholds.reports(one)]
        verdicts = judge(file.name, clear, redacted, plan.thresholds)
        if opinion is not None and redacted.is_recorded:  # without a record everything counts as it is
            faint = [one for one in found.detections if not plan.thresholds.reports(one)]
            verdicts = opinion.weigh(verdicts, file.name, picture.frames[number].view, redacted.mask, faint)
        verdicts += judge_given(file.name, redacted)
        findings += [replace(finding, frame=number) for finding in verdicts]
    return findings


def _zones_of(file: InputFile, number: int, frame: Frame, plan: CheckPlan) -> list[Detection]:
    """What is hidden in a frame whatever its record says."""
    size, settings = (frame.pixels.shape[0], frame.pixels.shape[1]), plan.settings.detect
    zones = zones_to_hide(settings.redact_zone, file.name, size)
    return [*zones, rest_of(size, places_kept(file.choices, number))] if settings.hide_all_but else zones


def _redacted_by_record(recorded: Mapping[int, FrameDetections], picture: Picture) -> list[Sequence[Detection]]:
    """What the run redacted in each frame, by its record."""
    found = [recorded.get(number, FrameDetections([])) for number in range(len(picture.frames))]
    return [frame.detections for frame in spread_to_neighbours(found, picture.is_animation)]


def _read_record(file: InputFile, findings: list[Finding]) -> dict[int, FrameDetections] | None:
    path = next((path for path in file.records if path.is_file()), None)
    if path is None:
        return None
    try:
        return record.from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        findings.append(Finding(file.name, "record", f"{path.name} beside it is damaged: {error}"))
        return None


def _compare(
    file: InputFile,
    original: Path,
    picture: Picture,
    recorded: Sequence[Sequence[Detection]] | None,
    plan: CheckPlan,
    sensitive: Finder,
    of_run: Finder,
) -> list[Finding]:
    try:
        source = read_picture(original, plan.settings.read)
    except PictureError as error:
        return [Finding(file.name, "unreadable", f"its original {error}")]
    if len(source.frames) != len(picture.frames):
        return [Finding(file.name, "changed", "another number of frames than its original")]
    findings = []
    found, weaker = (_drawn(source, find_in(source, finder), plan) for finder in (of_run, sensitive))
    found = spread_to_neighbours(found, source.is_animation)
    for number, (before, after) in enumerate(zip(source.frames, picture.frames, strict=True)):
        pair = FramePair(file.name, source, before, after, file.fidelity)
        of_record = [] if recorded is None else recorded[number]
        zones = _zones_of(file, number, after, plan)
        known = set(found[number].detections)
        given = [one for one in dict.fromkeys([*zones, *of_record]) if one not in known]  # people may have said more
        seen = Seen(
            [*found[number].detections, *given], [*found[number].to_hide_in_alpha, *given], weaker[number].detections
        )
        compared = compare(pair, seen, of_record, plan.settings)
        findings += [replace(finding, frame=number) for finding in compared]
    return findings


def _drawn(source: Picture, found: Sequence[FrameDetections], plan: CheckPlan) -> Sequence[FrameDetections]:
    """The same with the silhouettes that the run hid in place of boxes."""
    silhouettes = choose_silhouettes(plan.settings.redact)
    return found if silhouettes is None else silhouettes.add(source, found)


def _conclude(file: InputFile, findings: Sequence[Finding], picture: Picture | None, plan: CheckPlan) -> CheckedFile:
    """Marks what is accepted, and renders what is shown, so that the pixels can be freed."""
    content = None if picture is None else baseline.content_of(picture)
    findings, entries = _with_baseline(findings, content, plan)
    if picture is not None and plan.check.annotate is not None:
        _annotate(file, findings, picture, plan.check.annotate)
    card = make_card(file.name, findings, picture) if plan.check.html is not None else None
    return CheckedFile(findings, entries, card)


def _with_baseline(
    findings: Sequence[Finding], content: baseline.Content | None, plan: CheckPlan
) -> tuple[Sequence[Finding], list[baseline.Entry]]:
    """The findings, those that are known marked as accepted; and the entries of a new baseline."""
    if content is None:
        return findings, []
    findings = baseline.accept(findings, content, plan.accepted)
    if not plan.check.write_baseline:
        return findings, []
    acceptable = [one for one in findings if one.level != "noted" and one.kind in baseline.ACCEPTABLE]
    entries = [baseline.to_entry(finding, content) for finding in acceptable]
    return baseline.accept(findings, content, entries), entries


def _annotate(file: InputFile, findings: Sequence[Finding], picture: Picture, folder: Path) -> None:
    if all(finding.box is None for finding in findings):
        return
    pixels = mark(picture.frames[0].view, findings, ANNOTATED_PX, labels=True)
    _write_annotated(file, encode_preview(pixels), folder)


def _write_annotated(file: InputFile, content: bytes, folder: Path) -> None:
    name = _annotated_name(file)
    try:
        write_files(folder, {name: content})
    except PictureError as error:
        raise OutputError(f"{folder / name} {error}") from None


def _annotated_name(file: InputFile) -> Path:
    below = Path(*[part for part in Path(file.name).parts if part not in ("..", "/")])
    return below.with_name(f"{below.name}.jpg")
