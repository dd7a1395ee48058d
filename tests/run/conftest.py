"""Fixtures of the tests of runs."""

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer import anonymize_folder


@pytest.fixture
def done(folders: Folders, use_detectors: UseDetectors) -> Folders:
    """The folders after a run over three pictures."""
    for index in range(3):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    anonymize_folder(*folders)
    return folders
