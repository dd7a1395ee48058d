"""The Python API: one array, one file in memory, or a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from anonymizer.detect.frames import load_finder
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.pipeline import Finder, redact_picture
from anonymizer.record.report import Report
from anonymizer.run.plan import make_plan
from anonymizer.run.runner import run
from anonymizer.settings import RunSettings, Settings
from anonymizer.types import Detection, Pixels, Result


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
    """
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) or pixels.size == 0:
        raise ValueError(f"expected uint8 or uint16 (H, W) or (H, W, C), not {pixels.dtype} {pixels.shape}")
    planes = pixels.reshape(pixels.shape[0], pixels.shape[1], -1)
    if planes.shape[2] not in (1, 3, 4):
        raise ValueError(f"expected 1, 3 or 4 channels, not {planes.shape[2]}")
    colours: Pixels = np.ascontiguousarray(planes[:, :, :3])
    alpha = planes[:, :, 3] if planes.shape[2] == 4 else None
    picture = Picture((Frame(colours, alpha),), content=b"", encoding=Encoding("PNG"))
    found = (finder or load_finder(settings.detect)).find(picture, None)
    ((frame, _),) = redact_picture(picture, found, settings.redact)
    result = frame.pixels if frame.alpha is None else np.dstack([frame.pixels, frame.alpha])
    return (result.copy() if frame.pixels is colours else result).reshape(pixels.shape), list(found[0].detections)


def anonymize_folder(
    input: str | Path,
    image_output: str | Path,
    settings: Settings = Settings(),
    *,
    report: str | Path | None = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    limit: int | None = None,
    workers: int | None = None,
    on_result: Callable[[Result], None] = lambda result: None,
) -> Report:
    """Anonymizes every picture below `input` into the same place below `image_output`.

    One failed picture does not stop the others: look at `Report.exit_code` and at its `results`. Pictures that an
    earlier run with the same settings has done are not done again.

    Args:
        report: where the report is written; by default anonymize-report.json in `image_output`.
        overwrite: write into an output folder that is not empty, and do everything in it again.
        allow_empty: accept an input folder without a single picture.
        limit: process the first `limit` pictures only.
        workers: processes that share the work; None for one on each core, 0 to do it in this one.
        on_result: called after each picture.

    Raises:
        SettingsError: the input is no folder, or holds no picture.
        ModelError: a model is missing, damaged or no detection model.
        OutputError: the output folder is refused, or cannot be written any more.
    """
    what = RunSettings(
        input=Path(input),
        image_output=Path(image_output),
        report=Path(report) if report else None,
        overwrite=overwrite,
        allow_empty=allow_empty,
        limit=limit,
        workers=workers,
    )
    return run(make_plan(what, settings), on_result)
