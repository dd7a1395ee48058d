from pathlib import Path

import numpy as np
import pytest
from fakes import noise, save
from PIL import Image

from anonymizer.errors import SettingsError
from anonymizer.files.overlay import MAX_SIDE_PX, read_overlay


def test_the_limit_of_the_host_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    pixels = noise(20, 30, 4)
    assert np.array_equal(read_overlay(save(tmp_path / "a.png", pixels)), pixels)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_refused_overlays(tmp_path: Path) -> None:
    Image.new("1", (MAX_SIDE_PX + 1, 1)).save(tmp_path / "wide.png")
    save(tmp_path / "a.jpg", noise(9, 9))
    for name, reason in (
        ("wide.png", "is larger than"),
        ("a.jpg", "is not a PNG picture"),
        ("no such file", "not exist"),
    ):
        with pytest.raises(SettingsError, match=reason):
            read_overlay(tmp_path / name)
