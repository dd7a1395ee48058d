"""The Python API: one array, one file in memory, or a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anonymizer.detect.frames import load_finder
from anonymizer.detect.silhouettes import choose_silhouettes
from anonymizer.detect.zones import add_given
from anonymizer.errors import PictureError, picture_boundary
from anonymizer.files.decode import decode_picture
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.pipeline import Finder, choose_all, encode_redacted, find_in, redact_picture, warnings_of
from anonymizer.recognise.choices import load_choices
from anonymizer.record.report import Report
from anonymizer.run.plan import make_plan
from anonymizer.run.replay import records_at_hand
from anonymizer.run.runner import run
from anonymizer.settings import DetectSettings, RunSettings, Settings
from anonymizer.types import Detection, FrameDetections, Pixels, Result


def anonymize_image(
    pixels: Pixels, settings: Settings = Settings(), *, finder: Finder | None = None
) -> tuple[Pixels, list[Detection]]:
    """Finds and redacts in one picture.

    Args:
        pixels: upright, uint8 or uint16: gray (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA (H, W, 4). Not changed.
        settings: `find`, `read`, `write` and `record` are not used here.
        finder: says what is in the picture; by default the models that the settings name.

    Returns:
        A picture of the same shape, equal to the input outside the redacted areas, and the detections. The alpha
        channel changes only where it shows something of an object. Objects of a kind with the method none are found and
        stay visible.

    Raises:
        ValueError: the array is not such a picture.
        ModelError: a model is missing, damaged or not a detection model.
        PictureError: a model gave no usable answer.
        SettingsError: the overlay that the settings name cannot be read.
    """
    if not isinstance(pixels, np.ndarray):
        raise ValueError(f"expected an array, not {type(pixels).__name__}")
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) or pixels.size == 0:
        raise ValueError(f"expected uint8 or uint16 (H, W) or (H, W, C), not {pixels.dtype} {pixels.shape}")
    planes = pixels.reshape(pixels.shape[0], pixels.shape[1], -1)
    if planes.shape[2] not in (1, 3, 4):
        raise ValueError(f"expected 1, 3 or 4 channels, not {planes.shape[2]}")
    colours: Pixels = np.ascontiguousarray(planes[:, :, :3])
    alpha = planes[:, :, 3] if planes.shape[2] == 4 else None
    picture = Picture((Frame(colours, alpha),), content=b"", encoding=Encoding("PNG"))
    found = _choose(picture, find_in(picture, finder or load_finder(settings.detect)), settings)
    ((frame, _),) = redact_picture(picture, found, settings.redact)
    result = frame.pixels if frame.alpha is None else np.dstack([frame.pixels, frame.alpha])
    return (result.copy() if frame.pixels is colours else result).reshape(pixels.shape), list(found[0].detections)


class AnonymizedBytes(NamedTuple):
    """What became of a picture file in memory."""

    data: bytes
    """The anonymized file, in the format of the source."""
    detections: list[list[Detection]]
    """Those of each frame or page, in pixels of the upright picture."""
    remarks: tuple[str, ...]
    """What a user should know: of the source, of what stays visible, and of what was left out."""


def anonymize_bytes(data: bytes, settings: Settings = Settings(), *, finder: Finder | None = None) -> AnonymizedBytes:
    """Finds and redacts in one picture file that never touches a disk.

    Args:
        data: a picture file in any of the formats that folders may hold.
        settings: `find` and `record` are not used here.
        finder: says what is in the picture; by default the models that the settings name.

    Raises:
        ModelError: a model is missing, damaged or not a detection model.
        PictureError: the file is damaged or of a kind that is not handled, a model gave no usable answer, or all
            wanted kinds have the method none, so that the result would be the original.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"expected the bytes of a file, not {type(data).__name__}")
    data = bytes(data)
    finder = finder or load_finder(settings.detect)
    with picture_boundary("a picture in memory"):
        if settings.redact.only_detects(finder.kinds | settings.detect.given_kinds):
            raise PictureError("would stay as it is: the method of every kind is none")
        if not data:
            raise PictureError("is empty")
        picture = decode_picture(data, settings.read)
        found = _choose(picture, find_in(picture, finder), settings)
        redacted = redact_picture(picture, found, settings.redact, in_place=True)
        encoded = encode_redacted(picture, redacted, settings.write)
    remarks = (*warnings_of(picture, found, settings.redact), *encoded.left_out)
    return AnonymizedBytes(encoded.content, [list(frame.detections) for frame in found], remarks)


def _choose(picture: Picture, found: Sequence[FrameDetections], settings: Settings) -> Sequence[FrameDetections]:
    """What is to be hidden, by the gallery, the patterns and the zones that the settings name."""
    chosen = choose_all(picture, found, load_choices(settings))
    given = add_given(picture, chosen.frames, settings.detect, kept=chosen.kept)
    silhouettes = choose_silhouettes(settings.redact)
    return given if silhouettes is None else silhouettes.add(picture, given)


def anonymize_folder(
    input: str | Path,
    image_output: str | Path,
    settings: Settings = Settings(),
    *,
    load: Callable[[DetectSettings], Finder] = load_finder,
    on_result: Callable[[Result], None] = lambda result: None,
    **run_settings: Any,
) -> Report:
    """Anonymizes every picture below `input` into the same place below `image_output`.

    One failed picture does not stop the others: look at `Report.exit_code` and at its `results`. Pictures that an
    earlier run with the same settings has done are not done again.

    Args:
        load: makes what says where faces and plates are, once in each worker process, to which it is sent by its
            name: a function at the top level of a module. The report names it in place of the models. Use
            overwrite=True after a change in it, since pictures that an earlier run has done are not done again.
        on_result: called after each picture.
        run_settings: the other fields of `RunSettings` by their names, such as overwrite=True, limit=10 or workers=0,
            which does the work in this process.

    Raises:
        SettingsError: the input is not a folder, or holds no picture, or a setting is wrong.
        ModelError: a model is missing, damaged or not a detection model.
        OutputError: the output folder is refused, or cannot be written any more.
    """
    what = RunSettings(**{"input": input, "image_output": image_output, **run_settings})
    with records_at_hand(what) as at_hand:
        return run(make_plan(at_hand, settings, load), on_result)
