import json
from collections import Counter
from pathlib import Path
from typing import Any

from anonymizer.record.report import Report, Totals, UsedModel, is_report
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Result, Source


def make_report() -> Report:
    settings = Settings(detect=DetectSettings(weights="/home/somebody/models"))
    report = Report(settings, [UsedModel("net", "ab12", ("face",), {"face": 0.2})], ("face",), workers=2, elapsed_s=3.5)
    results = [
        Result(
            "a.jpg",
            "anonymized",
            counts={"face": 2},
            seconds={"read": 0.25, "detect": 1.0},
            warnings=("weak",),
            not_counted=3,
            source=Source("cd34", 1, ((640, 480),)),
            record="a.json",
        ),
        Result("b.jpg", "failed", "is empty", seconds={"read": 0.25}),
        Result("c.jpg", "skipped", "beyond --limit 2"),
    ]
    report.results = results
    for result in results:
        report.totals.add(result)
    report.not_looked_at = Counter({".txt": 2})
    return report


def to_json(report: Report) -> Any:
    return json.loads(b"".join(report.to_json()))


def test_json() -> None:
    content = to_json(make_report())
    assert content["program"]["name"] == "anonymize"
    assert content["complete"] is False
    assert content["settings_digest"] == Settings().digest()
    assert content["models"] == [{"name": "net", "sha256": "ab12", "kinds": ["face"], "thresholds": {"face": 0.2}}]
    assert content["totals"] == {
        "pictures": 3,
        "anonymized": 1,
        "detected": 0,
        "failed": 1,
        "kept": 0,
        "skipped": 1,
        "detections": {"face": 2},
        "seconds": {"read": 0.5, "detect": 1.0},
        "unchanged": 0,
        "elapsed_seconds": 3.5,
        "workers": 2,
        "files_not_looked_at": {".txt": 2},
        "outputs_without_input": [],
    }
    assert content["files"] == [
        {
            "file": "a.jpg",
            "status": "anonymized",
            "source_sha256": "cd34",
            "width": 640,
            "height": 480,
            "record": "a.json",
            "detections": {"face": 2},
            "not_counted": 3,
            "seconds": {"read": 0.25, "detect": 1.0},
            "warnings": ["weak"],
        },
        {"file": "b.jpg", "status": "failed", "reason": "is empty", "detections": {}, "seconds": {"read": 0.25}},
        {"file": "c.jpg", "status": "skipped", "reason": "beyond --limit 2", "detections": {}, "seconds": {}},
    ]


def test_people_are_counted_where_heads_were_looked_for() -> None:
    report = make_report()
    counts, source = {"face": 4, "head": 7}, Source("ab", 2, ((640, 480), (640, 480)))
    report.results = [
        Result("a.tif", "anonymized", counts=counts, source=source),
        Result("b.mp4", "anonymized", counts=counts, source=source, film={"frames": 2}),
    ]
    for result in report.results:
        report.totals.add(result)
    content = to_json(report)
    assert [entry.get("people") for entry in content["files"]] == [4, None]
    assert (content["totals"]["people"], report.totals.pictures_of_people) == (4, 1)


def test_pages_and_frames() -> None:
    report = make_report()
    pages, film = Source("ab", 2, ((640, 480), (480, 640))), Source("ab", 9, ((640, 480),))
    report.results = [Result(f"{source.frames}.tif", "anonymized", source=source) for source in (pages, film)]
    two, nine = to_json(report)["files"]
    assert (two["width"], two["height"], two["frames"], two["sizes"]) == (640, 480, 2, [[640, 480], [480, 640]])
    assert (nine["width"], nine["height"], nine["frames"], "sizes" in nine) == (640, 480, 9, False)


def test_what_an_earlier_run_did_takes_no_time_in_this_one() -> None:
    totals = Totals()
    totals.add(Result("a.jpg", "anonymized", counts={"face": 2}, seconds={"read": 1.0}, unchanged=True))
    totals.add(Result("b.jpg", "failed", "is empty", seconds={"read": 0.25}))
    assert (totals.pictures, totals.unchanged, totals.fresh) == (2, 1, 1)
    assert totals.detections == {"face": 2}
    assert totals.seconds == {"read": 0.25}


def test_reports_are_known_by_their_beginning(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"".join(make_report().to_json()))
    assert is_report(path)
    path.write_text('{"program": "something else"}')
    assert not is_report(path)
    assert not is_report(tmp_path / "nowhere")


def test_no_path_of_the_machine() -> None:
    assert "somebody" not in json.dumps(to_json(make_report()))


def test_exit_code() -> None:
    report = make_report()
    assert report.exit_code == 1
    report.totals.statuses["failed"] = 0
    assert report.exit_code == 0


def test_names_that_are_no_text() -> None:
    report = make_report()
    report.results = [Result("caf\udce9.jpg", "skipped")]
    assert to_json(report)["files"][-1]["file"] == "caf\udce9.jpg"
