"""The boundary of a picture, and the exit codes of errors."""

import logging
from pathlib import Path

import pytest

from anonymizer.errors import (
    AnonymizerError,
    ModelError,
    OutputError,
    PictureError,
    SettingsError,
    TooLargeError,
    VanishedError,
    picture_boundary,
)


def test_every_kind_of_error_has_its_exit_code() -> None:
    codes = [error.exit_code for error in (AnonymizerError, PictureError, SettingsError, ModelError, OutputError)]
    assert codes == [1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PictureError("is empty"), "is empty"),
        (SettingsError("overlay"), "unexpected SettingsError: overlay"),
        (ValueError("shapes differ"), "unexpected ValueError: shapes differ"),
        (MemoryError(), "unexpected MemoryError: "),
    ],
)
def test_whatever_goes_wrong_with_a_picture_is_its_error(error: Exception, reason: str) -> None:
    with pytest.raises(PictureError) as raised, picture_boundary("a.png"):
        raise error
    assert str(raised.value) == reason
    assert type(raised.value) is PictureError
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("kind", [VanishedError, TooLargeError])
def test_what_kind_of_error_it_is_stays_known(kind: type[PictureError]) -> None:
    with pytest.raises(kind, match="is so"), picture_boundary("a.png"):
        raise kind("is so")


@pytest.mark.parametrize("error", [OutputError("disk full"), KeyboardInterrupt(), SystemExit(3)])
def test_what_concerns_all_pictures_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, picture_boundary("a.png"):
        raise error
    assert raised.value is error


def test_messages_name_no_place_on_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    roots = {"input folder": Path("in"), "output folder": tmp_path / "out"}
    with pytest.raises(PictureError) as raised, picture_boundary("a.png", roots):
        raise RuntimeError(f"cannot turn {tmp_path / 'in' / 'a.png'} into {tmp_path / 'out' / 'a.png'}")
    assert str(raised.value) == "unexpected RuntimeError: cannot turn input folder/a.png into output folder/a.png"


def test_the_traceback_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "anonymizer"), pytest.raises(PictureError), picture_boundary("a.png"):
        raise RuntimeError("boom")
    (record,) = caplog.records
    assert record.getMessage() == "a.png failed"
    assert record.levelno == logging.DEBUG
    assert "Traceback" in caplog.text
