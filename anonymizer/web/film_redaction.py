"""The way of one posted film, in a worker process: from memory to memory, with no file on a disk."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from anonymizer.addresses import Place
from anonymizer.detect.silhouettes import choose_silhouettes
from anonymizer.errors import PictureError, picture_boundary
from anonymizer.files.library_messages import messages_of
from anonymizer.files.memory import memory_file, written_in_memory
from anonymizer.kinds import GIVEN_KINDS, KINDS
from anonymizer.pipeline import Finder
from anonymizer.run.replay import RecordedFinder
from anonymizer.settings import DetectSettings, ReadSettings, Settings
from anonymizer.types import Job, Progress, Recorded
from anonymizer.video.finder import frame_finder
from anonymizer.video.length import check_length
from anonymizer.video.process import FilmProcess
from anonymizer.video.source import open_film
from anonymizer.web.orders import RESULT_SHARE, Done, FilmLimits, Order

NAME = "a posted film"
_FILM, _RECORD = Path("film"), Path("record")
_CONTAINERS = {
    "mp4": ("mp4", "video/mp4"),
    "mov": ("mov", "video/quicktime"),
    "3gp": ("3gp", "video/3gpp"),
    "matroska": ("mkv", "video/x-matroska"),
    "webm": ("webm", "video/webm"),
    "avi": ("avi", "video/x-msvideo"),
    "mpegts": ("ts", "video/mp2t"),
    "mpeg": ("mpg", "video/mpeg"),
    "vob": ("mpg", "video/mpeg"),
    "asf": ("wmv", "video/x-ms-asf"),
}
"""Extension and media type of each."""
_MAX_MEMORY = 4_000_000_000
"""Bytes that a worker may take for its own, beside the models: files can claim an index of any size."""


def redact_film(
    order: Order,
    load: Callable[[DetectSettings], Finder],
    limits: FilmLimits,
    tell: Callable[[Progress], None],
    began_s: float,
) -> Done:
    """
    Args:
        load: makes what says where faces and plates are.
        tell: is told about every second how far the film is.
        began_s: when the work began, on the clock of time.perf_counter().

    Raises:
        PictureError: the film cannot be processed, or takes too long.
        TooLargeError: it has more pixels, frames or seconds than the limits say.
        AnonymizerError: the settings ask for something that no model looks for.
    """
    settings = replace(order.settings, read=replace(order.settings.read, max_pixels=limits.max_pixels))
    finder = load(settings.detect) if order.detections is None else _posted(order)
    if order.only_detects:
        settings = replace(settings, redact=settings.redact.detecting_only())
    elif settings.redact.only_detects(finder.kinds | settings.detect.given_kinds):
        raise PictureError("would stay as it is: the method of every kind is none")
    with memory_file(order.content) as path, memory_file(order.detections or b"") as record:
        with messages_of(NAME), picture_boundary(NAME, {"memory": path}):
            container, size = _look(path, settings.read, limits)
        recorded = None if order.detections is None else Recorded(record, None)
        done = _run(path, recorded, finder, settings, limits, tell, began_s)
    if recorded is None:
        done = replace(done, sure_from=frame_finder(finder).thresholds)
    extension, media_type = _CONTAINERS.get(container, (container, "application/octet-stream"))
    return replace(
        done, extension=extension, media_type=media_type, sizes=[size], seconds=time.perf_counter() - began_s
    )


def _look(path: Path, settings: ReadSettings, limits: FilmLimits) -> tuple[str, tuple[int, int]]:
    """The container, and the size of the upright frames.

    Raises:
        PictureError: it is no film, or damaged.
        TooLargeError: it is too large or too long.
    """
    film = open_film(path, settings)
    check_length(film, limits.max_frames, limits.max_s)
    return film.facts.container, film.facts.upright_size


def _posted(order: Order) -> RecordedFinder:
    """What knows that a film is to be redacted from what a client says is in it."""
    detect = order.settings.detect
    kinds = frozenset([*(detect.kinds or KINDS), *GIVEN_KINDS])
    return RecordedFinder(detect, kinds, frozenset(KINDS), takes_changed=True, sure_from=order.sure_from)


def _run(
    path: Path,
    recorded: Recorded | None,
    finder: Finder,
    settings: Settings,
    limits: FilmLimits,
    tell: Callable[[Progress], None],
    began_s: float,
) -> Done:
    """The film and its record as on the command line.

    Raises:
        PictureError: the film cannot be processed, or takes too long.
    """
    made: dict[Path, bytes] = {}
    is_late = False

    @contextmanager
    def places(root: Place, names: Sequence[Path]) -> Iterator[list[Path]]:
        with written_in_memory(path.parent, names) as paths:
            yield paths
            made.update({name: path.read_bytes() for name, path in zip(names, paths, strict=True)})

    def on_beat(progress: Progress) -> None:
        nonlocal is_late
        is_late = time.perf_counter() - began_s > limits.timeout_s
        if is_late:
            raise PictureError("takes too long")
        tell(progress)

    job = Job(Path(path.name), _FILM, _RECORD, foreign=(_FILM, _RECORD), recorded=recorded)
    silhouettes = choose_silhouettes(settings.redact)
    process = FilmProcess(
        path.parent, path.parent, finder, settings, on_beat=on_beat, places=places, silhouettes=silhouettes
    )
    result = process(job)
    if is_late:
        raise PictureError(f"took longer than {limits.timeout_s:g} seconds")
    if result.status == "failed":
        raise PictureError(result.reason or "failed")
    return Done(
        made.get(_FILM, b""),
        "",
        "",
        made[_RECORD],
        None,
        [],
        {kind: number for kind, number in result.counts.items() if number},
        [*result.warnings, *result.left_out],
        0.0,
        result.film,
    )


def bound_worker(limits: FilmLimits) -> None:
    """Bounds the memory that this process takes for films from now on; those that work on pictures go first."""
    with suppress(OSError):
        os.nice(10)
    for name, value in (
        (resource.RLIMIT_FSIZE, RESULT_SHARE * limits.max_bytes),
        (resource.RLIMIT_DATA, _data_bytes() + _MAX_MEMORY),
    ):
        with suppress(OSError, ValueError):
            _, hard = resource.getrlimit(name)
            resource.setrlimit(name, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _data_bytes() -> int:
    """What this process has taken for its own so far, as the limit counts it. (proc(5), VmData; 0 on other systems)"""
    with suppress(OSError):
        found = re.search(r"VmData:\s*(\d+) kB", Path("/proc/self/status").read_text())
        return 0 if found is None else int(found[1]) * 1024
    return 0
