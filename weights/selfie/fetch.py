"""Brings the segmenter of people, as it lies in the PyPI wheel of mediapipe.

    python -m weights.selfie.fetch

Downloads the wheel with pip, whatever this Python's version is, checks the file's SHA-256 and writes `selfie.tflite`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

HERE = Path(__file__).parent
WHEEL = "mediapipe==0.10.21"
FOR = ("--only-binary", ":all:", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64")
"""One of the last wheels with models."""
IN_WHEEL = "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *FOR, "--dest", scratch, WHEEL]
        subprocess.run(command, check=True)
        (wheel,) = Path(scratch).glob("mediapipe-*.whl")
        content = zipfile.ZipFile(wheel).read(IN_WHEEL)
    described = yaml.safe_load((HERE / "segmenter.yaml").read_text())
    found = hashlib.sha256(content).hexdigest()
    if found != described["sha256"]:
        sys.exit(f"{IN_WHEEL} has SHA-256 {found}, expected {described['sha256']}")
    (HERE / described["file"]).write_bytes(content)
    print(f"wrote {described['file']}, {len(content)} bytes")


if __name__ == "__main__":
    main()
