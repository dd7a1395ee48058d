import json
from collections import Counter

from anonymizer.record.report import Report, UsedModel
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Result


def make_report():
    settings = Settings(detect=DetectSettings(weights="/home/somebody/models"))
    report = Report(settings, [UsedModel("net", "ab12", ("face",), {"face": 0.2})], ("face",))
    report.results += [
        Result("a.jpg", "anonymized", counts={"face": 2}, seconds={"read": 0.25, "detect": 1.0}, warnings=("weak",)),
        Result("b.jpg", "failed", "is empty", seconds={"read": 0.25}),
        Result("c.jpg", "skipped", "beyond --limit 2"),
    ]
    report.not_looked_at = Counter({".txt": 2})
    return report


def test_json():
    content = json.loads(make_report().to_json())
    assert content["program"]["name"] == "anonymize"
    assert content["complete"] is False
    assert content["settings_digest"] == Settings().digest()
    assert content["models"] == [{"name": "net", "sha256": "ab12", "kinds": ["face"], "thresholds": {"face": 0.2}}]
    assert content["totals"] == {
        "pictures": 3,
        "anonymized": 1,
        "detected": 0,
        "failed": 1,
        "skipped": 1,
        "detections": {"face": 2},
        "seconds": {"read": 0.5, "detect": 1.0},
        "files_not_looked_at": {".txt": 2},
    }
    assert content["files"] == [
        {
            "file": "a.jpg",
            "status": "anonymized",
            "detections": {"face": 2},
            "seconds": {"read": 0.25, "detect": 1.0},
            "warnings": ["weak"],
        },
        {"file": "b.jpg", "status": "failed", "reason": "is empty", "detections": {}, "seconds": {"read": 0.25}},
        {"file": "c.jpg", "status": "skipped", "reason": "beyond --limit 2", "detections": {}, "seconds": {}},
    ]


def test_no_path_of_the_machine():
    assert b"somebody" not in make_report().to_json()


def test_exit_code():
    report = make_report()
    assert report.exit_code == 1
    del report.results[1]
    assert report.exit_code == 0


def test_names_that_are_no_text():
    report = make_report()
    report.results.append(Result("caf\udce9.jpg", "skipped"))
    assert json.loads(report.to_json())["files"][-1]["file"] == "caf\udce9.jpg"
