"""Sets of known people are made out of repositories that the tests draw."""

import io
import subprocess
from pathlib import Path

import numpy as np
import scipy.io
from click.testing import CliRunner
from PIL import Image

from weights.data import people


def _repository(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def _mat(levels: float) -> bytes:
    file = io.BytesIO()
    shades = np.arange(10).repeat(6).reshape(10, 2, 3).transpose(1, 2, 0) / 9 * levels
    scipy.io.savemat(file, {"x": shades, "label": np.repeat([1, 2], 5)})
    return file.getvalue()


def _pgm(level: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((3, 2), level, np.uint8)).save(file, "PPM")
    return file.getvalue()


def test_each_person_gets_a_folder_of_pictures_evenly_spread(tmp_path: Path) -> None:
    arrays = _repository(tmp_path / "a", {"faces/AR_II.mat": _mat(1.0), "faces/UMIST.mat": _mat(255.0)})
    files = {f"bdd_faces/s{person}/{number}.pgm": _pgm(10 * number) for person in (1, 12) for number in (1, 2)}
    orl = _repository(tmp_path / "o", {**files, "bdd_faces/README": b"about"})
    sources = [f"--source=ar={arrays}", f"--source=umist={arrays}", f"--source=orl={orl}"]
    result = CliRunner().invoke(people.main, [str(tmp_path / "out"), *sources, "--pictures-each", "3"])
    assert result.exit_code == 0
    assert "ar: 6 pictures of 2 people" in result.output
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert written[:3] == ["ar_001/00.png", "ar_001/02.png", "ar_001/04.png"]
    assert {name.split("/")[0] for name in written} == {"ar_001", "ar_002", "orl_1", "orl_12", "umist_001", "umist_002"}
    for name in ("ar", "umist"):
        assert np.asarray(Image.open(tmp_path / f"out/{name}_002/04.png")).tolist() == [[255] * 3] * 2


def test_an_unknown_source_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(people.main, [str(tmp_path / "out"), f"--source=lfw={tmp_path}"])
    assert result.exit_code == 2
    assert "one of ar, umist, orl" in result.output
