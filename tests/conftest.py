"""Fixtures of all tests."""

from pathlib import Path

import pytest
from fakes import Folders, UseDetectors
from hypothesis import settings

from anonymizer.detect.detector import Detector
from anonymizer.detect.load import forget_models

# Properties take as long as they take: the machine may be busy.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=5000)
settings.load_profile("usual")


@pytest.fixture
def use_detectors(monkeypatch: pytest.MonkeyPatch) -> UseDetectors:
    """use_detectors(*detectors): the runs of this test find with these in place of the bundled models.

    They do so in this process.
    """

    def use(*detectors: Detector) -> None:
        monkeypatch.setattr("anonymizer.detect.frames.load_detectors", lambda settings: detectors)
        monkeypatch.setattr("anonymizer.check.file_check.load_second_opinion", lambda settings: None)
        monkeypatch.setattr("anonymizer.run.pool.auto_workers", lambda: 0)

    return use


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """An empty input folder, and an output folder that does not exist yet."""
    source = tmp_path / "in"
    source.mkdir()
    return source, tmp_path / "out"


@pytest.fixture(autouse=True)
def _fresh_models() -> None:
    forget_models()


@pytest.fixture(scope="session")
def originals() -> Path:
    """The pictures with real faces that come with the repository."""
    return Path(__file__).parents[1] / "images" / "originals"
