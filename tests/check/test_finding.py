"""What findings say, and in which order they need an eye."""

from anonymizer.check.finding import Finding, place_in_time, urgency
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


def test_places_in_time() -> None:
    finding = Finding("a.mp4", "face", "", frame=12, time_s=0.48, track=3, frames=(10, 20))
    assert place_in_time(finding) == "frame 12 (0.48 s; 10 to 20), track 3"
    assert place_in_time(Finding("a.mp4", "face", "", time_s=0.0, frames=(0, 0))) == "frame 0 (0.00 s)"
    assert place_in_time(Finding("a.gif", "face", "", frame=2)) == "frame 2"
    assert place_in_time(Finding("a.jpg", "face", "")) == ""
