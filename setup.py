"""Packaging. The models in weights/ travel in the wheel as the data package anonymizer.weights."""

import re
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "anonymizer" / "_version.py").read_text())

# Without contraction: floats must come out as numpy's do.
QUICK = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
HEIF = ["pillow-heif>=1.0"]
TRAIN = ["matplotlib>=3.8"]
TEST = ["pytest>=8.0", "hypothesis>=6.100", *HEIF, *TRAIN]

setup(
    name="anonymizer",
    version=VERSION.group(1),
    description="Makes faces and licence plates in folders of pictures unrecognisable",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[*find_packages(include=["anonymizer", "anonymizer.*"]), "anonymizer.weights"],
    package_dir={"anonymizer.weights": "weights"},
    package_data={
        "anonymizer": ["py.typed"],
        "anonymizer.weights": ["*/model.yaml", "*/*.tflite", "*/LICENSE"],
    },
    # Called by way of ctypes, it needs no headers of Python's. Without a C compiler the slower way is taken.
    ext_modules=[
        Extension(
            "anonymizer._native",
            [
                "anonymizer/native.c",
                "anonymizer/files/jpeg_scan.c",
                "anonymizer/files/jpeg_transform.c",
                "anonymizer/redact/pixelwise.c",
            ],
            depends=["anonymizer/native.h"],
            extra_compile_args=[] if sys.platform == "win32" else QUICK,
            optional=True,
        )
    ],
    install_requires=[
        line for line in (HERE / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")
    ],
    extras_require={
        "test": TEST,
        "dev": [*TEST, "ruff>=0.11", "mypy>=1.15", "types-PyYAML", "types-tqdm", "build"],
        "heif": HEIF,
        "train": TRAIN,
        # Beside the wheels that tests/benchmarks/attack.py names.
        "bench": ["onnx>=1.17", "onnxruntime>=1.20", "scikit-image", "imageio[ffmpeg]", "pyclipper", "shapely", "six"],
        "convert": ["onnx>=1.17", "onnxruntime>=1.20"],
    },
    entry_points={"console_scripts": ["anonymize = anonymizer.cli.main:main"]},
    classifiers=[
        "Environment :: Console",
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Topic :: Multimedia :: Graphics",
    ],
)
