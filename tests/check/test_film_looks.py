"""Looks of the gate that other processes took: it asks about nothing again, and finds the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from check.film_faces import EverySquareDetector, write_faces
from check.samples import anonymize
from fakes import Folders, UseDetectors

from anonymizer.check.file_check import CheckedFile, FileCheck, NumberedFile
from anonymizer.check.film_claims import FilmClaims
from anonymizer.check.film_looks import look_ahead, looks_at
from anonymizer.check.plan import CheckPlan, make_check_plan
from anonymizer.detect.frames import ModelFinder
from anonymizer.run.executor import SharedWork
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels

OPTIONS: dict[str, object] = {"preset": "thorough"}


class CountingDetector(EverySquareDetector):
    """Counts the frames that it sees."""

    number = 0

    def detect(self, picture: Pixels) -> list[Detection]:
        self.number += 1
        return super().detect(picture)


@pytest.fixture
def plan(folders: Folders, use_detectors: UseDetectors) -> CheckPlan:
    """Of a film of 30 frames, in which nothing was hidden in the end, beside its original."""
    write_faces(folders[0] / "a.mkv", codec="ffv1")
    use_detectors(EverySquareDetector())
    anonymize(folders, OPTIONS)
    write_faces(folders[1] / "a.mkv", codec="ffv1", second=[11, 12])
    return make_check_plan([folders[1]], {"against": folders[0]})


def test_what_others_saw_is_not_looked_at_again(plan: CheckPlan, use_detectors: UseDetectors) -> None:
    detector = CountingDetector()
    use_detectors(detector)
    work: Callable[[NumberedFile], CheckedFile] = FileCheck(plan).begin()
    assert isinstance(work, SharedWork)
    item = (0, plan.files[0])
    alone = work(item)
    assert detector.number == 32  # what is the same in both is looked at once
    parts = work.split(item)
    assert len(parts) == 2
    prepared: Sequence[Mapping[bytes, bytes]] = [work.prepare(item, part) for part in parts]
    before = detector.number
    assert work.join(item, prepared) == alone
    assert detector.number == before
    assert [finding.kind for finding in alone.findings if finding.level == "finding"]


def test_only_every_so_manyth_frame(plan: CheckPlan) -> None:
    finder = ModelFinder([EverySquareDetector()], DetectSettings())
    film, original = looks_at(plan.files[0], plan)
    assert len(look_ahead(film, finder, 7)) == 5
    copied = replace(plan.files[0], claims=FilmClaims(copied=((0, 8), (14, 15))))
    assert [look.left_out for look in looks_at(copied, plan)] == [(), ((0, 8), (14, 15))]
    assert len(look_ahead(replace(original, left_out=((0, 8), (14, 15))), finder, 7)) == 2


def test_what_cannot_be_read_is_left_to_the_whole(plan: CheckPlan, folders: Folders) -> None:
    work = FileCheck(plan).begin()
    assert isinstance(work, SharedWork)
    (Path(folders[1]) / "a.mkv").write_bytes(b"no film")
    assert not work.split((0, plan.files[0]))
