"""What findings say, and in which order they need an eye."""

from anonymizer.check.finding import Finding, urgency
from anonymizer.geometry import Box


def test_what_needs_an_eye_first() -> None:
    small, large = Box(0, 0, 5, 5), Box(0, 0, 90, 90)
    ordered = [
        Finding("a", "missing", "no output"),
        Finding("a", "face", "not redacted", box=small, score=0.3),
        Finding("a", "face", "not redacted", box=large, score=0.3),
        Finding("a", "face", "not redacted", box=small, score=0.9),
        Finding("a", "plate", "seen weakly", "warning", large, 0.5),
        Finding("a", "plate", "seen weakly", "warning", small, 0.5),
        Finding("a", "plate", "seen weakly", "warning", large, 0.1),
    ]
    mixed = [ordered[index] for index in (5, 0, 6, 3, 2, 4, 1)]
    assert sorted(mixed, key=urgency) == ordered


def test_the_label_names_the_score_where_there_is_one() -> None:
    assert Finding("a", "face", "", score=0.257).label == "face 0.26"
    assert Finding("a", "gps", "").label == "gps"


def test_accepted_findings_are_the_same_otherwise() -> None:
    finding = Finding("a", "face", "not redacted", box=Box(0, 0, 5, 5), score=0.3, frame=2)
    accepted = Finding("a", "face", "not redacted", "accepted", Box(0, 0, 5, 5), 0.3, 2)
    assert finding.accepted() == accepted
