"""What else than the models of the run says where a face may have been missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from fakes import face, noise
from tiny_models import save_graph_def

from anonymizer.check.finding import Finding
from anonymizer.check.second_opinion import MAX_HEADS, UNHIDDEN, SecondOpinion, load_second_opinion
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels8

PICTURE = noise(200, 300)
NOTHING_HIDDEN = np.zeros((200, 300), bool)
FACE = Box(20, 20, 60, 60)
AROUND = Box(15, 10, 65, 70)


@dataclass
class Looker:
    """Finds the same in every picture, and the same in every close look that is turned as it should be."""

    found: Sequence[Detection] = ()
    close: Sequence[Detection] = ()
    seen_at: Sequence[int] = (0, 1, 2, 3)
    kinds: frozenset[Kind] = frozenset({"head"})
    looks: list[tuple[Box, int]] = field(default_factory=list)

    def detect(self, picture: Pixels8) -> list[Detection]:
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        return list(self.found)

    def look_closely(self, picture: Pixels8, box: Box, size: float, side: int, turns: int = 0) -> list[Detection]:
        self.looks.append((box, turns))
        return [one for one in self.close if turns in self.seen_at]


def head(box: Box, score: float = 0.5) -> Detection:
    return Detection(box, score, "head")


def weak(box: Box = FACE, score: float = 0.15, kind: Kind = "face") -> Finding:
    return Finding("a.png", kind, "seen weakly", "warning", box, score)


def weigh(
    *verdicts: Finding, heads: Sequence[Detection] = (), faces: Sequence[Detection] = (), settings: object = None
) -> list[Finding]:
    opinion = SecondOpinion(Looker(close=faces, seen_at=(1,)), Looker(heads, heads), DetectSettings(**(settings or {})))  # type: ignore[arg-type]
    return opinion.weigh(list(verdicts), "a.png", PICTURE, NOTHING_HIDDEN)


def test_people_make_a_face_likelier_and_a_hand_less_likely() -> None:
    person = Looker([Detection(Box(0, 10, 80, 190), 0.8, "person")], kinds=frozenset({"person"}))
    alone, with_people = (SecondOpinion(Looker(), Looker(), DetectSettings(), people) for people in (None, person))
    for box, is_likelier in ((FACE, True), (Box(20, 140, 60, 180), False)):
        before, after = (
            score_of(*each.weigh([weak(box)], "a.png", PICTURE, NOTHING_HIDDEN)) for each in (alone, with_people)
        )
        assert (after > before) == is_likelier


def score_of(*findings: Finding) -> float:
    (finding,) = findings
    assert finding.score is not None
    return finding.score


def test_each_piece_of_evidence_makes_a_weak_face_likelier() -> None:
    alone = score_of(*weigh(weak()))
    with_head = score_of(*weigh(weak(), heads=[head(AROUND)]))
    turned = score_of(*weigh(weak(), faces=[face(*FACE.xyxy, 0.7)]))
    everything = score_of(*weigh(weak(), heads=[head(AROUND)], faces=[face(*FACE.xyxy, 0.7)]))
    assert 0 < alone < min(with_head, turned)
    assert max(with_head, turned) < everything < 1
    assert score_of(*weigh(weak(score=0.19))) > alone


def test_a_head_that_nobody_hid_is_a_warning() -> None:
    (finding,) = weigh(heads=[head(AROUND)])
    assert (finding.kind, finding.level, finding.text, finding.box) == ("face", "warning", UNHIDDEN, AROUND)


def test_a_head_around_what_is_reported_already_is_no_warning_of_its_own() -> None:
    sure = replace(weak(), level="finding", score=0.9)
    assert weigh(sure, heads=[head(AROUND)]) == [sure]
    assert len(weigh(weak(), heads=[head(AROUND), head(Box(100, 100, 150, 150))])) == 2


def test_hidden_tiny_and_unlikely_heads_are_no_warnings() -> None:
    opinion = SecondOpinion(Looker(), Looker([head(AROUND)], [head(AROUND)]), DetectSettings())
    assert opinion.weigh([], "a.png", PICTURE, ~NOTHING_HIDDEN) == []
    assert weigh(heads=[head(Box(20, 20, 30, 30))]) == []
    assert weigh(heads=[head(AROUND, 0.1)]) == []


def test_where_zones_say_that_nothing_counts() -> None:
    zone = {"exclude_zone": "0,0 0.5,0 0.5,1 0,1"}
    assert weigh(heads=[head(AROUND)], settings=zone) == []
    assert len(weigh(heads=[head(Box(200, 20, 240, 60))], settings=zone)) == 1


def test_only_what_may_be_the_object_counts_in_a_close_look() -> None:
    alone = score_of(*weigh(weak()))
    for other in (face(100, 100, 140, 140, 0.9), face(0, 0, 120, 120, 0.9), face(38, 38, 42, 42, 0.9)):
        assert score_of(*weigh(weak(), faces=[other])) == alone


def test_other_findings_stay_and_plates_count_less() -> None:
    noted, gps = replace(weak(), level="noted"), Finding("a.png", "gps", "position")
    assert weigh(noted, gps) == [noted, gps]
    assert score_of(*weigh(weak(kind="plate", score=0.5))) == pytest.approx(0.18)


def test_so_many_heads_are_looked_at() -> None:
    boxes = [Box(20.0 * x, 20.0 * y, 20.0 * x + 18, 20.0 * y + 18) for x in range(15) for y in range(10)]
    heads = [head(box, 0.3 + 0.001 * number) for number, box in enumerate(boxes)]
    faces = Looker()
    found = SecondOpinion(faces, Looker(heads, heads), DetectSettings()).weigh([], "a.png", PICTURE, NOTHING_HIDDEN)
    assert [finding.box for finding in found] == boxes[: -MAX_HEADS - 1 : -1]
    assert {box for box, _ in faces.looks} == set(boxes[-MAX_HEADS:])


def test_gray_pictures_of_16_bits() -> None:
    opinion = SecondOpinion(Looker(), Looker([head(AROUND)], [head(AROUND)]), DetectSettings())
    gray = PICTURE[:, :, :1].astype(np.uint16) * 257
    assert len(opinion.weigh([], "a.png", gray, NOTHING_HIDDEN)) == 1


def test_the_bundled_models_look() -> None:
    opinion = load_second_opinion(DetectSettings())
    assert opinion is not None
    assert opinion.people is not None
    assert opinion.weigh([], "a.png", np.full((90, 120, 3), 99, np.uint8), np.zeros((90, 120), bool)) == []


def test_without_faces_or_models_there_is_none(tmp_path: Path) -> None:
    assert load_second_opinion(DetectSettings(kinds="plate")) is None
    save_graph_def(tmp_path / "face.pb")
    assert load_second_opinion(DetectSettings(weights=tmp_path)) is None
