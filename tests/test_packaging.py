"""What is published: the sdist can be installed, the wheel fits every Python 3, its page has no dead link."""

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", "dist", "*.egg-info", "*.so", ".*_cache", "__pycache__")

pytestmark = pytest.mark.slow


def build(what: str, tree: Path, target: Path) -> Path:
    """Calls the build backend as pip does, but without the network, and returns the file that it made."""
    target.mkdir()
    code = f"from setuptools import build_meta; print(build_meta.build_{what}({str(target)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=tree, check=True, capture_output=True)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    shutil.copytree(REPOSITORY, folder / "tree", ignore=LEFT_OUT)
    with tarfile.open(build("sdist", folder / "tree", folder / "dist")) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the sdist gives."""
    return build("wheel", sdist, tmp_path_factory.mktemp("wheel") / "dist")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH with what the wheel installs."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def metadata(installed: Path) -> Message:
    (file,) = installed.glob("*.dist-info/METADATA")
    return email.message_from_bytes(file.read_bytes())


def test_the_sdist_holds_what_installing_and_testing_need(sdist: Path) -> None:
    for name in ("requirements.txt", "pytest.ini", "README.md", "LICENSE", "anonymizer/native.h", "tests/conftest.py"):
        assert (sdist / name).is_file(), name
    assert {path.name for path in (REPOSITORY / "anonymizer").rglob("*.c")} == {
        path.name for path in sdist.rglob("*.c")
    }


def test_the_wheel_is_for_this_platform_and_any_python_3(wheel: Path) -> None:
    name, _, python, abi, platform = wheel.stem.split("-")
    assert (name, python, abi) == ("anonymizer", "py3", "none")
    assert platform != "any"


def test_the_wheel_has_the_models_and_no_recipes(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "anonymizer/web/static/docs.css" in names
    assert {"anonymizer/weights/face/model.yaml", "anonymizer/weights/plate/plate.tflite", "anonymizer/py.typed"} < {
        *names
    }
    assert not [name for name in names if name.startswith(("tests/", "weights/")) or name.endswith((".h5", ".c"))]


@pytest.mark.skipif(not shutil.which("cc") and not shutil.which("gcc"), reason="no C compiler")
def test_the_native_library_bears_no_python_version(wheel: Path) -> None:
    assert [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")] == ["anonymizer/_native.so"]


def test_the_metadata_are_complete(installed: Path) -> None:
    fields = metadata(installed)
    assert fields["Author"] == "The anonymizer contributors"
    assert fields["License-Expression"] == "Apache-2.0 AND MIT"
    assert fields["Requires-Python"] == ">=3.10"
    classifiers = fields.get_all("Classifier", [])
    assert {"Operating System :: POSIX :: Linux", "Operating System :: MacOS"} <= {*classifiers}
    assert not [classifier for classifier in classifiers if classifier.startswith("License ::")]


def test_the_page_on_a_package_index_has_no_link_into_the_repository(installed: Path) -> None:
    page = metadata(installed).get_payload()
    assert isinstance(page, str)
    assert "# anonymizer" in page
    assert "anonymize check" in page
    assert not re.findall(r"\]\((?!https://)|<img|<!--", page)


def test_the_wheel_does_the_main_job_where_it_is_installed_alone(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(REPOSITORY / "images/originals/astronaut.png", tmp_path / "in")
    subprocess.run(
        [sys.executable, "-m", "anonymizer", "--quiet", "--workers", "0", "--input", "in", "--image-output", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
    )
    assert '"kind": "face"' in (tmp_path / "out/astronaut.json").read_text()
