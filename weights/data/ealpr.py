"""Egyptian cars (Youssef et al. 2022, doi 10.1109/ACIRS55390.2022.9845514): their plates, digits and letters apart.

Only the plate of the main car is labelled; those of cars behind it mostly are not.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from PIL import Image, ImageOps

from .labels import Labels, box
from .repository import Repository

PICTURE = re.compile(r"EALPR Vechicles dataset/Vehicles/(\d+)\.jpe?g", re.IGNORECASE)
LABELS = "EALPR Vechicles dataset/Vehicles Labeling"
"""YOLO files, a line for each plate: class, middle and sides in shares of the picture."""


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture."""
    files = set(repository.paths())
    pictures = {path: f"{LABELS}/{match[1]}.txt" for path in sorted(files) if (match := PICTURE.fullmatch(path))}
    pictures = {path: label for path, label in pictures.items() if label in files}
    contents = zip(repository.read(pictures), repository.read(pictures.values()), strict=True)
    for (path, content), (_, lines) in contents:
        try:
            with Image.open(io.BytesIO(content)) as picture:
                width, height = ImageOps.exif_transpose(picture).size
        except OSError:
            continue
        boxes = []
        for line in lines.decode().splitlines():
            x, y, w, h = (float(number) for number in line.split()[1:5])
            corners = (x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height
            boxes.append(box("plate", corners))
        if boxes:
            yield Labels(path, path.rsplit("/")[-1].lower(), "ealpr", ("plate",), boxes, exhaustive=False)
