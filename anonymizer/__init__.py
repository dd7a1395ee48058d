"""Makes faces and licence plates in pictures unrecognisable.

    from anonymizer import Settings, anonymize_bytes, anonymize_folder, anonymize_image

    pixels, detections = anonymize_image(pixels)             # one array
    data, detections, remarks = anonymize_bytes(data)        # one file in memory
    report = anonymize_folder("pictures", "anonymized")      # a folder tree

`Settings` holds every choice; `Detection` and `Box` say what was found; errors derive from `AnonymizerError`.
"""

from typing import TYPE_CHECKING, Any

from anonymizer._version import __version__ as __version__
from anonymizer.errors import AnonymizerError as AnonymizerError
from anonymizer.settings import Settings as Settings

if TYPE_CHECKING:
    from anonymizer.api import AnonymizedBytes as AnonymizedBytes
    from anonymizer.api import anonymize_bytes as anonymize_bytes
    from anonymizer.api import anonymize_folder as anonymize_folder
    from anonymizer.api import anonymize_image as anonymize_image
    from anonymizer.geometry import Box as Box
    from anonymizer.record.report import Report as Report
    from anonymizer.types import Detection as Detection
    from anonymizer.types import FrameDetections as FrameDetections

__all__ = [
    "AnonymizedBytes",
    "AnonymizerError",
    "Box",
    "Detection",
    "FrameDetections",
    "Report",
    "Settings",
    "anonymize_bytes",
    "anonymize_folder",
    "anonymize_image",
]

# Loaded on first use: `anonymize --help` must not wait for NumPy and OpenCV.
_LAZY = {
    "AnonymizedBytes": "anonymizer.api",
    "Box": "anonymizer.geometry",
    "Detection": "anonymizer.types",
    "Report": "anonymizer.record.report",
    "FrameDetections": "anonymizer.types",
    "anonymize_bytes": "anonymizer.api",
    "anonymize_folder": "anonymizer.api",
    "anonymize_image": "anonymizer.api",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
