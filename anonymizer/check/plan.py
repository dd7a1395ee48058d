"""Decides what a check will look at, before any model is loaded."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from anonymizer.addresses import Address, Place
from anonymizer.check import baseline
from anonymizer.check.choices import choices_of
from anonymizer.check.film_claims import NO_CLAIMS, FilmClaims
from anonymizer.check.finding import Finding
from anonymizer.check.inputs import InputFile, find_inputs, is_stored_file
from anonymizer.check.pairing import pair_originals
from anonymizer.check.previous_run import is_of_the_run, read_previous_run
from anonymizer.check.thresholds import Thresholds, choose_thresholds, preset_of_gate
from anonymizer.errors import OutputError, SettingsError
from anonymizer.files.find import find_pictures, has_extension, kind_of_other
from anonymizer.files.output import check_output
from anonymizer.formats import EXTENSIONS, FILM_EXTENSIONS
from anonymizer.kinds import DEFAULT_KINDS, MODEL_KINDS, Kind
from anonymizer.record.shards import find_reports
from anonymizer.run.store_manifest import BOOKS
from anonymizer.settings import CheckSettings, DetectSettings, Settings, from_options, settings_from_options

_IGNORED = ("kinds", "weights", "include-zone", "exclude-zone", "overlay")
"""Settings of the run that the gate ignores: what the run left visible is still visible. (The report only has
a checksum of the overlay; masks do not depend on it.)"""


@dataclass(frozen=True)
class CheckPlan:
    """Everything that a check needs to know."""

    check: CheckSettings
    detect: DetectSettings
    """What the user asks the gate to look for."""
    settings: Settings
    """Those of the anonymizing run, from its report; options of the user take precedence."""
    thresholds: Thresholds
    files: Sequence[InputFile]
    known: Sequence[Finding]
    """What is known already: folders that cannot be listed, missing and extra files."""
    not_looked_at: Counter[str]
    """Files that are not pictures, counted by extension."""
    accepted: Sequence[baseline.Entry]


def make_check_plan(paths: Sequence[Place], options: Mapping[str, object]) -> CheckPlan:
    """
    Args:
        paths: files and folders to look at.
        options: the user's, as in a configuration file.

    Raises:
        SettingsError: an option is wrong, or a file or folder is not there.
        ModelError: a wanted kind has no model.
        OutputError: an output is refused.
    """
    check = from_options(CheckSettings, options)
    folder = paths[0] if len(paths) == 1 and _is_folder(paths[0]) else None
    if check.against is not None and folder is None:
        raise SettingsError("--against compares with the originals of exactly one folder")
    if check.write_baseline and check.baseline is None:
        raise SettingsError("--write-baseline needs --baseline FILE")
    reports = [check.report] if check.report is not None else [] if folder is None else _find_reports(folder)
    previous = read_previous_run(reports)
    reported = {key: value for key, value in previous.settings.items() if key not in _IGNORED}
    of_run = _settings_of_run(reported).detect
    as_the_run: dict[str, object] = {"preset": preset_of_gate(of_run), "projection": of_run.projection}
    further = _further_kinds(previous.settings.get("kinds"))
    if further and "weights" not in options:
        as_the_run["kinds"] = ",".join((*DEFAULT_KINDS, *further))
    detect = from_options(DetectSettings, {**as_the_run, **options})
    thresholds = choose_thresholds(detect, of_run, check.threshold_share)
    settings = settings_from_options({**reported, **options})

    # Films count whatever the run left out.
    found = find_inputs(paths, (*settings.find.image_extensions, *FILM_EXTENSIONS))
    chosen = {name: choices for name, entry in previous.files.items() if (choices := choices_of(entry))}
    claimed = {name: claims for name, entry in previous.files.items() if (claims := FilmClaims.of(entry)) != NO_CLAIMS}
    if chosen or claimed:
        found.files = [
            replace(file, choices=chosen.get(file.name, ()), claims=claimed.get(file.name, NO_CLAIMS))
            for file in found.files
        ]
    found.others = {name: place for name, place in found.others.items() if not _is_of_the_books(place, paths)}
    own = {_place(path) for path in (*reports, check.json, check.html, check.baseline) if path is not None}
    found.others = {
        name: path
        for name, path in found.others.items()
        if _place(path) not in own and not (path.parent in paths and is_of_the_run(path))
    }
    files, known = found.files, [Finding(file, "unreadable", why) for file, why in found.unreadable.items()]
    if check.against is not None and folder is not None:
        extensions = (*settings.find.image_extensions, *settings.video.video_extensions)
        originals = find_pictures(check.against, extensions, None)
        pairing = pair_originals(check.against, originals, found, previous)
        files, known = pairing.files, [*known, *pairing.findings]
    if not files and not known:
        raise SettingsError(f"nothing to check: no pictures or films in {', '.join(map(str, paths))}")
    _refuse_outputs(check, [*paths, *([check.against] if check.against is not None else [])], files)
    return CheckPlan(
        check=check,
        detect=detect,
        settings=settings,
        thresholds=thresholds,
        files=files,
        known=known,
        not_looked_at=Counter(map(kind_of_other, found.others.values())),
        accepted=_read_baseline(check),
    )


def _further_kinds(of_run: object) -> list[Kind]:
    """Kinds that are not looked for by default, and that the run hid."""
    named = of_run if isinstance(of_run, list | tuple) else str(of_run or "").split(",")
    return [kind for kind in MODEL_KINDS if kind in named and kind not in DEFAULT_KINDS]


def _is_folder(place: Place) -> bool:
    return place.is_dir() if isinstance(place, Path) else not is_stored_file(place)


def _find_reports(folder: Place) -> list[Place]:
    try:
        return find_reports(folder)
    except OSError as error:
        raise SettingsError(f"{folder}: {error.strerror}") from None


def _is_of_the_books(place: Place, folders: Sequence[Place]) -> bool:
    """Whether a run over a store took something down there, see `StoreManifest`."""
    return isinstance(place, Address) and any(
        isinstance(folder, Address) and place.is_relative_to(folder / BOOKS) for folder in folders
    )


def _settings_of_run(reported: Mapping[str, object]) -> Settings:
    try:
        return settings_from_options(reported)
    except SettingsError as error:
        raise SettingsError(f"the report of the anonymizing run is damaged: {error}") from None


def _read_baseline(check: CheckSettings) -> list[baseline.Entry]:
    path = check.baseline
    if path is None or (check.write_baseline and not path.exists()):
        return []
    try:
        return baseline.from_json(path.read_bytes())
    except OSError as error:
        hint = "; add --write-baseline to make it" if isinstance(error, FileNotFoundError) else ""
        raise SettingsError(f"baseline {path}: {error.strerror}{hint}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"baseline {path} is damaged: {error}") from None


def _refuse_outputs(check: CheckSettings, folders: Sequence[Place], files: Sequence[InputFile]) -> None:
    if check.annotate is not None:
        for folder in folders:
            if isinstance(folder, Path) and folder.is_dir():
                check_output(folder, check.annotate, check.overwrite)
    outputs = [path for path in (check.json, check.html, check.baseline) if path is not None]
    places = {_place(path) for path in outputs}
    sources = (path for file in files for path in (file.place, file.original_place) if path is not None)
    taken = {place for path in sources if places and (place := _place(path)) in places}
    for path in outputs:
        is_checked = has_extension(path, (*EXTENSIONS, *FILM_EXTENSIONS))
        if is_checked or path.is_dir() or _place(path) in taken:
            raise OutputError(f"{path} is a folder or a picture that is checked; choose another file")


def _place(path: Place) -> str:
    """Where a path leads. `Path.resolve` raises for links that lead to themselves."""
    return str(path) if isinstance(path, Address) else os.path.realpath(path)
