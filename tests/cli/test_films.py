"""Films among the pictures of a folder: exit codes, messages, files."""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save
from video.film_samples import SquareDetector, packets_of, write_film

from anonymizer.cli.main import run
from anonymizer.video.source import open_film, to_rgb

Call: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(folders: Folders, capsys: pytest.CaptureFixture[str]) -> Call:
    """call(*options) runs the main job on the two folders and returns exit code, stdout, stderr."""

    def call(*options: object) -> tuple[int, str, str]:
        code = run(["--input", str(folders[0]), "--image-output", str(folders[1]), *map(str, options)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def report_of(folders: Folders) -> dict[str, Any]:
    content = json.loads((folders[1] / "anonymize-report.json").read_text())
    return {entry["file"]: entry for entry in content["files"]}


def outputs_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("anonymize-"))


def test_pictures_and_films_of_one_folder(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(40, 40))
    write_film(folders[0] / "a.mp4", frames=8, sounds=["aac"])
    write_film(folders[0] / "b.MKV", "libx264", frames=5, format="matroska")
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    code, out, err = call("--preset", "thorough", "--audio", "drop")
    assert (code, err) == (0, "")
    assert "3 of 3 pictures and films anonymized (3 faces, 0 plates)" in out
    assert outputs_in(folders[1]) == ["a.mp4", "a.mp4.json", "a.png", "a.png.json", "b.MKV", "b.json"]
    entries = report_of(folders)
    assert entries["a.mp4"]["film"] == {
        **{"frames": 8, "seconds": 0.32, "tracks": 1, "frames_looked_at": 8, "frames_copied": 0},
        "encoded_as_a_whole": "the film has no closed group of pictures in which nothing is hidden",
    }
    assert entries["a.mp4"]["left_out"] == ["1 sound track"]
    assert "film" not in entries["a.png"]
    code, out, _ = call("--preset", "thorough", "--audio", "drop")
    assert "3 of 3 pictures and films anonymized (3 faces, 0 plates), 3 of them by an earlier run" in out


def test_failed_films_are_named_and_the_others_go_on(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    write_film(folders[0] / "a.mp4", frames=4)
    (folders[0] / "b.mp4").write_text("no film")
    save(folders[0] / "c.png", noise(40, 40))
    (folders[0] / "c.png").rename(folders[0] / "c.mp4")
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    code, _, err = call()
    assert code == 1
    assert "anonymize: failed: b.mp4: is not a film" in err
    assert "anonymize: failed: c.mp4: is not a film in one of the containers that are read" in err
    assert outputs_in(folders[1]) == ["a.json", "a.mp4"]


def test_without_pyav_films_are_named_and_the_run_ends_with_1(
    call: Call, folders: Folders, use_detectors: UseDetectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folders[0] / "a.png", noise(40, 40))
    write_film(folders[0] / "b.mp4", frames=4)
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    find_spec = importlib.util.find_spec

    def find_no_av(name: str) -> ModuleSpec | None:
        return None if name == "av" else find_spec(name)

    monkeypatch.setattr("anonymizer.run.picture_task.find_spec", find_no_av)
    code, out, err = call()
    assert code == 1
    assert "anonymize: failed: b.mp4: is a film, which needs PyAV: pip install 'anonymizer[video]'" in err
    assert "1 of 2 pictures and films anonymized" in out
    assert call("--video-extensions", "none", "--overwrite")[0] == 0


def test_films_may_be_left_out(call: Call, folders: Folders, use_detectors: UseDetectors) -> None:
    save(folders[0] / "a.png", noise(40, 40))
    write_film(folders[0] / "b.mp4", frames=4)
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    code, out, _ = call("--video-extensions", "none")
    assert code == 0
    assert "skipped 1 file with other extensions: .mp4 (1)" in out


def test_masks_of_films(call: Call, folders: Folders, use_detectors: UseDetectors, tmp_path: Path) -> None:
    write_film(folders[0] / "a.mp4", frames=4)
    use_detectors(FixedDetector(face(5, 5, 25, 25)))
    code, _, err = call("--mask-output", tmp_path / "masks")
    assert (code, err) == (0, "")
    assert report_of(folders)["a.mp4"]["mask"] == "a.mov"
    assert len(list(open_film(tmp_path / "masks" / "a.mov").frames())) == 4
    assert "1 of them by an earlier run" in call("--mask-output", tmp_path / "masks")[1]
    assert call("--mask-output", tmp_path / "masks", "--method", "none")[0] == 0
    assert (tmp_path / "masks" / "a.mov").is_file()


@pytest.mark.slow
def test_ten_kills_leave_no_broken_film_and_the_run_goes_on(folders: Folders, tmp_path: Path) -> None:
    write_film(folders[0] / "a.mp4", frames=60, size=(160, 96), sounds=["aac"])
    script = (
        "import sys; from anonymizer import anonymize_folder, Settings\n"
        "from video.film_samples import load_square\n"
        f"anonymize_folder({str(folders[0])!r}, sys.argv[1], load=load_square, workers=1)\n"
    )
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    start = [sys.executable, "-c", script]

    def begin(output: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*start, str(output)], env=environment, stdin=subprocess.DEVNULL)

    began_s = time.monotonic()
    assert begin(tmp_path / "whole").wait() == 0
    takes_s = time.monotonic() - began_s
    whole = (tmp_path / "whole" / "a.mp4").read_bytes()
    rng = random.Random(1)
    for _ in range(10):
        process = begin(folders[1])
        time.sleep(takes_s * rng.uniform(0.3, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (folders[1] / "a.mp4").exists():
            assert (folders[1] / "a.mp4").read_bytes() == whole
    assert begin(folders[1]).wait() == 0
    assert (folders[1] / "a.mp4").read_bytes() == whole
    assert outputs_in(folders[1]) == ["a.json", "a.mp4"]
    frames = [to_rgb(frame.picture) for frame in open_film(folders[1] / "a.mp4").frames()]
    assert len(frames) == 60
    assert not any(SquareDetector().detect(frame) for frame in frames)
    assert packets_of(folders[1] / "a.mp4") == packets_of(folders[0] / "a.mp4")
