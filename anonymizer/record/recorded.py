"""The pictures of a finished run with what it found in them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.errors import PictureError
from anonymizer.record.detections import from_json
from anonymizer.record.recording import Recording
from anonymizer.types import FrameDetections, Recorded


@dataclass(frozen=True)
class RecordedPicture:
    """A picture that a run has done, and what it found in it."""

    name: str
    """Path below the output folder, with forward slashes."""
    record: Path
    """Its detection JSON, below the output folder."""
    content: bytes
    """Of that file."""
    size: tuple[int, int]
    """Width and height of the first frame, upright, in pixels."""
    frames: Sequence[FrameDetections]
    rate: float | None = None
    """Of a film: frames a second, on average."""

    @property
    def is_film(self) -> bool:
        return self.rate is not None


@dataclass
class RecordedPictures:
    """Iterate once: reads one record at a time."""

    folder: Path
    """The output folder of the run."""
    recording: Recording
    problems: dict[str, str] = field(default_factory=dict)
    """Pictures without a record that can be read, with the reason; complete when the iteration is."""

    def __iter__(self) -> Iterator[RecordedPicture]:
        for name, recorded in self.recording.pictures.items():
            try:
                yield _read(name, recorded, self.folder, self.recording.films.get(name))
            except PictureError as error:
                self.problems[name] = str(error)


def _read(name: str, recorded: Recorded | str, folder: Path, rate: float | None) -> RecordedPicture:
    if isinstance(recorded, str):
        raise PictureError(recorded)
    if recorded.source is None:
        raise PictureError("has no size in the report, which version 0.2.0 and earlier did not write: detect anew")
    sizes = recorded.source.sizes_of_frames
    try:
        content = recorded.path.read_bytes()
        frames = from_json(content, [(height, width) for width, height in sizes])
    except OSError as error:
        raise PictureError(f"has a record {recorded.path.name} that cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise PictureError(f"has a damaged record {recorded.path.name}: {error}") from None
    known = [frames.get(number, FrameDetections([])) for number in range(len(sizes))]
    return RecordedPicture(name, recorded.path.relative_to(folder), content, sizes[0], known, rate)
