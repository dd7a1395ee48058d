"""Brings the segmenter of people, as it lies in the PyPI wheel of mediapipe.

    python -m weights.selfie.fetch

Downloads the wheel with pip, whatever this Python's version is, checks the file's SHA-256 and writes `selfie.tflite`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from weights.data.wheels import download

HERE = Path(__file__).parent
WHEEL = "mediapipe==0.10.21"
FOR = ("--only-binary", ":all:", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64")
"""One of the last wheels with models."""
IN_WHEEL = "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite"


def main() -> None:
    described = yaml.safe_load((HERE / "segmenter.yaml").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        (content,) = download(WHEEL, {IN_WHEEL: described["sha256"]}, Path(scratch), *FOR)
    (HERE / described["file"]).write_bytes(content)
    print(f"wrote {described['file']}, {len(content)} bytes")


if __name__ == "__main__":
    main()
