"""The exchange with annotation tools: the records of a run as files of a format, and corrected files as new records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from anonymizer.errors import OutputError, PictureError, SettingsError
from anonymizer.files.write import write_files
from anonymizer.kinds import KINDS, Kind
from anonymizer.record.detections import film_entries_to_json, film_from_json, to_json
from anonymizer.record.edits import find_edits
from anonymizer.record.exports.correction import (
    Correction,
    FilmCorrection,
    check_exportable,
    check_kinds,
    compare,
    compare_film,
)
from anonymizer.record.exports.films import ExportedFilm, FilmFormat, as_read, courses_of
from anonymizer.record.exports.formats import EXPORT_FORMATS, FILM_FORMATS
from anonymizer.record.exports.label_files import label_file
from anonymizer.record.exports.values import ExportedPicture, Files, ReadPicture, Size
from anonymizer.record.recorded import RecordedPicture, RecordedPictures
from anonymizer.record.recording import read_recording
from anonymizer.record.report import REPORT_NAME, render, write_report
from anonymizer.record.shards import added_totals, find_reports, merge_reports, read_report
from anonymizer.types import Detection, FrameDetections

_ABOUT_THE_SOURCE = ("source_sha256", "width", "height", "frames", "sizes", "record", "not_counted", "edits", "film")
"""What an entry of a report says of the source and its record, and stays true of corrected records."""


@dataclass
class Export:
    """What was exported."""

    pictures: int = 0
    detections: Counter[Kind] = field(default_factory=Counter)
    in_later_frames: dict[str, int] = field(default_factory=dict)
    """Of moving pictures, how many detections are in frames behind the first one: they are not in the export."""
    frames: dict[str, int] = field(default_factory=dict)
    """Of films whose frames are exported as pictures, how many."""
    problems: dict[str, str] = field(default_factory=dict)
    """Pictures that are not in the export, with the reason."""
    left_out: int = 0
    """Pictures that are not in an export of films."""


@dataclass
class Import:
    """What was imported."""

    pictures: int = 0
    """With a record now."""
    not_named: int = 0
    """Those of them that the files do not name, whose records stay as they are."""
    corrections: dict[str, Correction] = field(default_factory=dict)
    """Of the pictures in which anything changed."""
    film_corrections: dict[str, FilmCorrection] = field(default_factory=dict)
    """Of such films."""
    problems: dict[str, str] = field(default_factory=dict)
    """Pictures without a record now, and names that belong to no picture, with the reason."""


def export_detections(folder: Path, format_name: str, output: Path, shown: Path | None = None) -> Export:
    """Writes the records of a run in a format.

    Args:
        folder: the output folder of the run.
        output: a new or empty folder.
        shown: the folder with the pictures that the annotation tool shows; None: that of the run.

    Raises:
        SettingsError: the folder holds no report, or a damaged one.
        OutputError: the output is refused, or cannot be written.
    """
    check_new(output, folder)
    if format_name in FILM_FORMATS:
        return _export_films(folder, FILM_FORMATS[format_name], output)
    recording, root = read_recording(folder), (shown or folder).resolve().name
    export_format, export = EXPORT_FORMATS[format_name], Export()
    label_files = Counter(label_file(name, "").casefold() for name in recording.pictures if name not in recording.films)
    pictures: list[ExportedPicture] = []
    recorded_pictures = RecordedPictures(folder, recording, export.problems)
    for recorded in recorded_pictures:
        exported = to_exported_frames(recorded) if recorded.is_film else [to_exported(recorded)]
        try:
            for picture in exported:
                check_exportable(export_format, picture, root)
            if export_format.has_label_files and label_files[label_file(recorded.name, "").casefold()] > 1:
                raise PictureError("shares the name of its label file with another picture, which this format forbids")
        except PictureError as error:
            export.problems[recorded.name] = str(error)
            continue
        pictures += exported
        export.detections.update(detection.kind for picture in exported for detection in picture.detections)
        if recorded.is_film:
            export.frames[recorded.name] = len(exported)
        elif later := sum(len(frame.detections) for frame in recorded.frames[1:]):
            export.in_later_frames[recorded.name] = later
    export.pictures = len(pictures)
    for file, content in export_format.write(pictures, root).items():
        _write_whole(output, Path(file), content)
    return export


def _export_films(folder: Path, film_format: FilmFormat, output: Path) -> Export:
    """Writes the records of the films of a run."""
    export = Export()
    for recorded in RecordedPictures(folder, read_recording(folder), export.problems):
        if not recorded.is_film:
            export.left_out += 1
            continue
        film = to_exported_film(recorded)
        try:
            as_read(film_format, film)
        except ValueError as error:
            export.problems[film.name] = str(error)
            continue
        for place, content in film_format.write(film).items():
            _write_whole(output, Path(f"{film.name}{place}"), content)
        export.pictures += 1
        export.detections.update(course.first.kind for course in courses_of(film))
    return export


def import_detections(path: Path, format_name: str, folder: Path, output: Path, kinds: Mapping[str, Kind]) -> Import:
    """Writes the records of a run anew, with what somebody has corrected in an export of them.

    Pictures that the files do not name keep their records. A picture with a problem has no record then. Edits that lie
    beside the records are still to be done, and are copied.

    Args:
        path: a file of the format, or a folder with such files.
        folder: the output folder of the run.
        output: a new or empty folder.
        kinds: what the files' names of kinds mean, where they are not our own.

    Raises:
        SettingsError: the files cannot be read, or do not have this format; the folder holds no report.
        OutputError: the output is refused, or cannot be written.
    """
    check_new(output, folder)
    imported = Import()
    recording = read_recording(folder)
    recorded = {picture.name: picture for picture in RecordedPictures(folder, recording, imported.problems)}
    if format_name in FILM_FORMATS:
        _import_films(path, FILM_FORMATS[format_name], recorded, kinds, output, imported)
    else:
        _import_pictures(path, format_name, recorded, kinds, output, imported)
    edits = find_edits(folder, recording.records)
    if edits is not None:
        _write_whole(output, Path(edits.name), edits.read_bytes())
    _write_report(folder, output, format_name, recording.kinds, imported)
    return imported


def _import_pictures(
    path: Path,
    format_name: str,
    recorded: Mapping[str, RecordedPicture],
    kinds: Mapping[str, Kind],
    output: Path,
    imported: Import,
) -> None:
    sizes = dict(_sizes(recorded.values()))
    read = _by_name(_read(path, format_name, sizes), sizes, imported)
    for name, picture in recorded.items():
        if name not in imported.problems:
            try:
                if picture.is_film:
                    _import_frames(picture, read, format_name, kinds, output, imported)
                else:
                    _import_picture(picture, read.get(name), format_name, kinds, output, imported)
            except PictureError as error:
                imported.problems[name] = str(error)


def _sizes(recorded: Iterable[RecordedPicture]) -> Iterator[tuple[str, Size]]:
    """The names that a format of pictures may know, and the sizes: of films, those of the frames."""
    for picture in recorded:
        if picture.is_film:
            yield from ((frame_name(picture.name, index), picture.size) for index in range(len(picture.frames)))
        else:
            yield picture.name, picture.size


def _import_films(
    path: Path,
    film_format: FilmFormat,
    recorded: Mapping[str, RecordedPicture],
    kinds: Mapping[str, Kind],
    output: Path,
    imported: Import,
) -> None:
    """What is no film keeps its record, and so do films that the files do not name.

    Raises:
        SettingsError: the files cannot be read, or there are none of a film of the run.
    """
    files_of = _files_of_films(path, film_format, [name for name, each in recorded.items() if each.is_film])
    for name, picture in recorded.items():
        content: bytes | Sequence[bytes] = picture.content
        try:
            if name in files_of:
                correction = _read_film(picture, film_format, files_of[name], kinds)
                if correction.has_changed:
                    imported.film_corrections[name] = correction
                    content = list(film_entries_to_json(_entries_of(picture, correction)))
            else:
                imported.not_named += 1
            write_files(output, {picture.record: content})
            imported.pictures += 1
        except PictureError as error:
            imported.problems[name] = str(error)


def _files_of_films(path: Path, film_format: FilmFormat, films: Sequence[str]) -> Mapping[str, Files]:
    """The files of each film that has any. A single file is of the film that it is named after, or of the only one.

    Raises:
        SettingsError: there are none, they cannot be read, or it is not clear of which film they are.
    """
    if path.is_dir():
        found = {name: _files_below(path, name, film_format.place) for name in films}
    else:
        name = path.name.removesuffix(film_format.place)
        same = [film for film in films if Path(film).name == name] or films
        if len(same) != 1:
            raise SettingsError(f"{path}: of which of {len(same)} films is it? Name it after one, or give its folder")
        found = {same[0]: {film_format.place: path}}
    try:
        contents = {
            name: {place: file.read_bytes() for place, file in files.items()}
            for name, files in found.items()
            if film_format.place in files
        }
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    if not contents:
        raise SettingsError(f"{path} holds no file NAME{film_format.place} of a film of the run")
    return contents


def _files_below(folder: Path, name: str, place: str) -> dict[str, Path]:
    """The files of a film in a folder, by what is added to its name."""
    if "/" not in place:
        return {place: file} if (file := folder / f"{name}{place}").is_file() else {}
    files = (file for file in (folder / name).rglob("*") if file.is_file())
    return {f"/{file.relative_to(folder / name).as_posix()}": file for file in files}


def _read_film(
    recorded: RecordedPicture, film_format: FilmFormat, files: Files, kinds: Mapping[str, Kind]
) -> FilmCorrection:
    film = to_exported_film(recorded)
    try:
        read = film_format.read(files, film)
    except ValueError as error:
        raise PictureError(str(error)) from None
    return compare_film(film_format, film, read, kinds)


def _entries_of(recorded: RecordedPicture, correction: FilmCorrection) -> Iterator[tuple[int, float | None, Detection]]:
    """The entries of a corrected record, with the times of those frames of which the old one tells them."""
    times = {frame: time_s for frame, time_s, _ in film_from_json(BytesIO(recorded.content))}
    for frame, detections in enumerate(correction.frames):
        for one in detections:
            yield frame, times.get(frame), one


def check_new(output: Path, run: Path) -> None:
    """
    Raises:
        OutputError: the output is not a new or empty folder outside the folder of the run.
    """
    if output.resolve().is_relative_to(run.resolve()):
        raise OutputError(f"output folder {output} lies in {run}, which holds the anonymized pictures")
    try:
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise OutputError(f"output folder {output} exists and is not empty")
    except OSError as error:
        raise OutputError(f"output folder {output}: {error.strerror}") from None


def _write_whole(output: Path, file: Path, content: bytes) -> None:
    try:
        write_files(output, {file: content})
    except PictureError as error:
        raise OutputError(f"{output / file} {error}") from None


def to_exported(recorded: RecordedPicture) -> ExportedPicture:
    return ExportedPicture(recorded.name, recorded.size, recorded.frames[0].detections)


def to_exported_frames(recorded: RecordedPicture) -> list[ExportedPicture]:
    """The frames of a film, each as a picture."""
    return [
        ExportedPicture(frame_name(recorded.name, index), recorded.size, frame.detections)
        for index, frame in enumerate(recorded.frames)
    ]


def frame_name(film: str, index: int) -> str:
    """Of a frame of a film as a picture: a folder that is named as the film, and numbers from 0 on."""
    return f"{film}/frame_{index:06d}.png"


def to_exported_film(recorded: RecordedPicture) -> ExportedFilm:
    frames = [frame.detections for frame in recorded.frames]
    return ExportedFilm(recorded.name, recorded.size, frames, recorded.rate or 25.0)


def _read(path: Path, format_name: str, sizes: Mapping[str, Size]) -> Sequence[ReadPicture]:
    export_format = EXPORT_FORMATS[format_name]
    try:
        files = {name: file.read_bytes() for name, file in _files(path, export_format.suffixes)}
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    if not files:
        raise SettingsError(f"{path} holds no file of the format {format_name}")
    try:
        return export_format.read(files, sizes)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None


def _files(path: Path, suffixes: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The files of a format, with their names below the folder."""
    if not path.is_dir():
        yield path.name, path
        return
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in suffixes and file.is_file():
            yield file.relative_to(path).as_posix(), file


def _by_name(pictures: Sequence[ReadPicture], known: Mapping[str, object], imported: Import) -> dict[str, ReadPicture]:
    """The pictures of the files, without those that are not of the run or named twice, which become problems."""
    times = Counter(picture.name for picture in pictures)
    for picture in pictures:
        if picture.name not in known:
            reason = "" if picture.problem is None else f": {picture.problem}"
            imported.problems.setdefault(picture.name, f"is not one of the pictures of the run{reason}")
        elif times[picture.name] > 1:
            imported.problems[picture.name] = "is named twice"
    return {picture.name: picture for picture in pictures if picture.name not in imported.problems}


def _import_picture(
    recorded: RecordedPicture,
    read: ReadPicture | None,
    format_name: str,
    kinds: Mapping[str, Kind],
    output: Path,
    imported: Import,
) -> None:
    content = recorded.content
    if read is None:
        imported.not_named += 1
    else:
        correction = compare(EXPORT_FORMATS[format_name], to_exported(recorded), read, kinds)
        if correction.added or correction.removed:
            imported.corrections[recorded.name] = correction
            content = to_json([_corrected(recorded.frames[0], correction), *recorded.frames[1:]])
    write_files(output, {recorded.record: content})
    imported.pictures += 1


def _import_frames(
    recorded: RecordedPicture,
    read: Mapping[str, ReadPicture],
    format_name: str,
    kinds: Mapping[str, Kind],
    output: Path,
    imported: Import,
) -> None:
    """A film of which each frame is a picture. Frames that the files do not name stay as they are."""
    frames, added, removed = [], Counter[Kind](), Counter[Kind]()
    exported = to_exported_frames(recorded)
    imported.not_named += all(frame.name not in read for frame in exported)
    for frame in exported:
        if frame.name in imported.problems:
            raise PictureError(f"{frame.name} {imported.problems[frame.name]}")
        detections = frame.detections
        if frame.name in read:
            try:
                correction = compare(EXPORT_FORMATS[format_name], frame, read[frame.name], kinds)
            except PictureError as error:
                raise PictureError(f"{frame.name}: {error}") from None
            detections = [*(detections[place] for place in correction.kept), *correction.added]
            added.update(one.kind for one in correction.added)
            removed.update(one.kind for one in correction.removed)
        frames.append(detections)
    whole, content = FilmCorrection(frames, added, removed), recorded.content
    if whole.has_changed:
        check_kinds(frames)
        imported.film_corrections[recorded.name] = whole
        content = b"".join(film_entries_to_json(_entries_of(recorded, whole)))
    write_files(output, {recorded.record: content})
    imported.pictures += 1


def _corrected(frame: FrameDetections, correction: Correction) -> FrameDetections:
    """Whether the alpha channel shows what was added is not known: so it is redacted there, too."""
    kept = [frame.detections[place] for place in correction.kept]
    in_alpha = frame.in_alpha
    if in_alpha is not None:
        in_alpha = [*(detection for detection in kept if detection in in_alpha), *correction.added]
    return replace(frame, detections=[*kept, *correction.added], in_alpha=in_alpha)


def _write_report(
    folder: Path, output: Path, format_name: str, recorded_kinds: Sequence[Kind], imported: Import
) -> None:
    """The report of the new records: a replay hides the kinds that it lists."""
    report = merge_reports([read_report(path) for path in find_reports(folder)])
    files = [_to_entry(entry, imported) for entry in report.files]
    counts: Counter[Kind] = Counter()
    for entry in files:
        counts.update(entry["detections"])
    kinds = [kind for kind in KINDS if kind in recorded_kinds or counts[kind]]
    head = {
        **report.head,
        "kinds": kinds,
        "imported_from": format_name,
        "totals": {
            **added_totals([report.head["totals"]], files),
            "detections": {kind: counts[kind] for kind in kinds},
        },
    }
    write_report(output / REPORT_NAME, render(head, files))


def _first_kinds(correction: FilmCorrection) -> Iterator[Kind]:
    """The kinds of the objects of a film."""
    return (course.first.kind for course in courses_of(ExportedFilm("", (0, 0), correction.frames)))


def _to_entry(entry: Mapping[str, Any], imported: Import) -> dict[str, Any]:
    """The entry of a picture in the report of the new records, which lie there without pictures."""
    name = entry["file"]
    if name in imported.problems:
        return {"file": name, "status": "failed", "reason": imported.problems[name], "detections": {}, "seconds": {}}
    counts = Counter(entry["detections"])
    if name in imported.corrections:
        counts.update(detection.kind for detection in imported.corrections[name].added)
        counts.subtract(detection.kind for detection in imported.corrections[name].removed)
    if name in imported.film_corrections:
        counts = Counter(_first_kinds(imported.film_corrections[name]))
    source = {key: entry[key] for key in _ABOUT_THE_SOURCE if key in entry}
    return {"file": name, "status": "detected", **source, "detections": dict(counts), "seconds": {}}
