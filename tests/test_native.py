import ctypes
import json

import numpy as np
import pytest
from fakes import FixedDetector, Folders, UseDetectors
from PIL import Image

from anonymizer import native
from anonymizer.cli.main import run


def test_a_library_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_INTERFACE", 0)
    native.library.cache_clear()
    try:
        assert native.library() is None
    finally:
        native.library.cache_clear()


def test_without_a_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_LIBRARY", "_not_built")
    native.library.cache_clear()
    try:
        assert native.library() is None
    finally:
        native.library.cache_clear()


def test_structures_are_handed_over_by_their_place() -> None:
    class Pair(ctypes.Structure):
        _fields_ = (("one", ctypes.c_int32), ("other", ctypes.c_int32))

    taken: list[object] = []
    native.call(lambda *arguments: taken.extend(arguments), Pair(1, 2), 3, None)
    assert taken[1:] == [3, None]
    assert isinstance(taken[0], type(ctypes.byref(Pair())))


@pytest.fixture(params=[True, False], ids=["built", "not built"])
def is_built(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    wanted = bool(request.param)
    if not wanted:
        monkeypatch.setattr(native, "library", lambda: None)
    elif native.library() is None:
        pytest.skip("needs the native code")
    return wanted


def test_users_are_told_whether_it_is_there(is_built: bool, capsys: pytest.CaptureFixture[str]) -> None:
    told = "native code: yes" if is_built else "native code: no: built without a C compiler; slower"
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == told
    assert run(["models"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == told


def test_a_run_warns_once_and_records_it(
    is_built: bool, capsys: pytest.CaptureFixture[str], folders: Folders, use_detectors: UseDetectors
) -> None:
    use_detectors(FixedDetector())
    for name in "ab":
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folders[0] / f"{name}.png")
    assert run(["--input", str(folders[0]), "--image-output", str(folders[1])]) == 0
    warning = "anonymize: warning: the native code is missing"
    assert capsys.readouterr().err.count(warning) == (0 if is_built else 1)
    report = json.loads((folders[1] / "anonymize-report.json").read_text())
    assert report["native_code"] is is_built


def test_arrays_with_gaps_are_refused() -> None:
    with pytest.raises(ValueError, match="gaps"):
        native.call(print, np.zeros((4, 4))[:, ::2])
