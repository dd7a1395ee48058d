"""What else than the models of the run says where a face may have been missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fakes import face, noise
from tiny_models import save_graph_def

from anonymizer.check.finding import Finding
from anonymizer.check.second_opinion import FAINT, MAX_HEADS, UNHIDDEN, SecondOpinion, load_second_opinion
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
    """Finds the same in every picture."""

    found: Sequence[Detection] = ()
    kinds: frozenset[Kind] = frozenset({"head"})

    def detect(self, picture: Pixels8) -> list[Detection]:
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        return list(self.found)


def head(box: Box, score: float = 0.5) -> Detection:
    return Detection(box, score, "head")


def weak(box: Box = FACE, score: float = 0.15, kind: Kind = "face") -> Finding:
    return Finding("a.png", kind, "seen weakly", "warning", box, score)


def weigh(
    *verdicts: Finding,
    heads: Sequence[Detection] = (),
    faint: Sequence[Detection] = (),
    people: Sequence[Detection] = (),
    hidden: npt.NDArray[np.bool_] = NOTHING_HIDDEN,
    settings: object = None,
) -> list[Finding]:
    opinion = SecondOpinion(Looker(heads), DetectSettings(**(settings or {})), Looker(people))  # type: ignore[arg-type]
    return opinion.weigh(list(verdicts), "a.png", PICTURE, hidden, faint)


PERSON = Detection(Box(0, 10, 80, 190), 0.8, "person")


def test_people_make_a_face_likelier_and_a_hand_less_likely() -> None:
    for box, is_likelier in ((FACE, True), (Box(20, 140, 60, 180), False)):
        before, after = (score_of(*weigh(weak(box), people=people)) for people in ((), [PERSON]))
        assert (after > before) == is_likelier


def test_there_may_be_no_model_of_people() -> None:
    alone = SecondOpinion(Looker(), DetectSettings()).weigh([weak()], "a.png", PICTURE, NOTHING_HIDDEN)
    assert alone == weigh(weak())


def score_of(*findings: Finding) -> float:
    (finding,) = findings
    assert finding.score is not None
    return finding.score


def test_each_piece_of_evidence_makes_a_weak_face_likelier() -> None:
    alone = score_of(*weigh(weak()))
    with_head = score_of(*weigh(weak(), heads=[head(AROUND)]))
    with_person = score_of(*weigh(weak(), people=[PERSON]))
    everything = score_of(*weigh(weak(), heads=[head(AROUND)], people=[PERSON]))
    assert 0 < alone < min(with_head, with_person)
    assert max(with_head, with_person) < everything < 1
    assert score_of(*weigh(weak(score=0.19))) > alone


def test_a_head_that_nobody_hid_is_a_warning() -> None:
    (finding,) = weigh(heads=[head(AROUND)])
    assert (finding.kind, finding.level, finding.text, finding.box) == ("face", "warning", UNHIDDEN, AROUND)


def test_a_head_around_what_is_reported_already_is_no_warning_of_its_own() -> None:
    sure = replace(weak(), level="finding", score=0.9)
    assert weigh(sure, heads=[head(AROUND)]) == [sure]
    assert len(weigh(weak(), heads=[head(AROUND), head(Box(100, 100, 150, 150))])) == 2


def test_a_faint_face_is_a_warning_where_somebody_has_no_other_one() -> None:
    faint = face(*FACE.xyxy, 0.06)
    (finding,) = weigh(faint=[faint], people=[PERSON])
    assert (finding.kind, finding.level, finding.text, finding.box) == ("face", "warning", FAINT, FACE)
    assert score_of(finding) < score_of(*weigh(faint=[face(*FACE.xyxy, 0.09)], people=[PERSON]))
    assert weigh(faint=[faint]) == []
    assert weigh(faint=[faint], people=[PERSON], hidden=~NOTHING_HIDDEN) == []
    assert weigh(faint=[face(20, 20, 28, 28, 0.06)], people=[PERSON]) == []


def test_a_face_in_a_head_is_evidence_for_the_head() -> None:
    (whole,) = weigh(faint=[face(*FACE.xyxy, 0.06)], heads=[head(AROUND)])
    assert (whole.text, whole.box) == (UNHIDDEN, AROUND)
    assert score_of(whole) > score_of(*weigh(heads=[head(AROUND)]))
    assert [one.box for one in weigh(weak(), heads=[head(AROUND)])] == [AROUND]


def test_each_place_is_warned_of_once() -> None:
    sure = replace(weak(), level="finding", score=0.6)
    faint = face(*FACE.xyxy, 0.09)
    assert weigh(sure, faint=[faint], people=[PERSON]) == [sure]
    better = weak(Box(22, 22, 62, 62), 0.19)
    assert [one.box for one in weigh(weak(), better)] == [better.box]
    assert len(weigh(weak(), weak(kind="plate"))) == 2


def test_hidden_tiny_and_unlikely_heads_are_no_warnings() -> None:
    assert weigh(heads=[head(AROUND)], hidden=~NOTHING_HIDDEN) == []
    assert weigh(heads=[head(Box(20, 20, 30, 30))]) == []
    assert weigh(heads=[head(AROUND, 0.1)]) == []


def test_where_zones_say_that_nothing_counts() -> None:
    zone = {"exclude_zone": "0,0 0.5,0 0.5,1 0,1"}
    assert weigh(heads=[head(AROUND)], settings=zone) == []
    assert len(weigh(heads=[head(Box(200, 20, 240, 60))], settings=zone)) == 1


def test_other_findings_stay_and_plates_count_less() -> None:
    noted, gps = replace(weak(), level="noted"), Finding("a.png", "gps", "position")
    assert weigh(noted, gps) == [noted, gps]
    assert score_of(*weigh(weak(kind="plate", score=0.5))) == pytest.approx(0.18)


def test_so_many_heads_are_looked_at() -> None:
    boxes = [Box(20.0 * x, 20.0 * y, 20.0 * x + 18, 20.0 * y + 18) for x in range(15) for y in range(10)]
    heads = [head(box, 0.3 + 0.001 * number) for number, box in enumerate(boxes)]
    assert [finding.box for finding in weigh(heads=heads)] == boxes[: -MAX_HEADS - 1 : -1]


def test_gray_pictures_of_16_bits() -> None:
    opinion = SecondOpinion(Looker([head(AROUND)]), DetectSettings())
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
