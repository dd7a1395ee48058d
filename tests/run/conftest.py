"""Fixtures of the tests of runs."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer import anonymize_folder
from anonymizer.run.ray import RayPlace, connection_to

MUST_RUN = "ANONYMIZER_TESTS_NEED_RAY"
"""With this variable tests fail where there is no Ray, in place of being skipped."""


@pytest.fixture
def done(folders: Folders, use_detectors: UseDetectors) -> Folders:
    """The folders after a run over three pictures."""
    for index in range(3):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    anonymize_folder(*folders)
    return folders


@pytest.fixture(scope="session")
def needs_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray is there, and whatever it leaves in a home folder goes elsewhere."""
    if find_spec("ray") is None and MUST_RUN not in os.environ:
        pytest.skip("needs Ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def a_ray(needs_ray: None) -> Iterator[None]:
    """A Ray for the executors of all tests of a module, which use it as it is there."""
    with connection_to(RayPlace(), 3):
        yield
