import json
from pathlib import Path
from typing import Any

import pytest

from anonymizer.errors import OutputError
from anonymizer.record.trace import is_trace, open_trace
from anonymizer.types import Result


def written(path: Path, *results: Result) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.perf_counter", lambda: 0.0)
        with open_trace(path) as trace:
            assert trace is not None
            for result in results:
                trace.add(result)
    return json.loads(path.read_text())


def test_stages_follow_each_other_below_their_picture(tmp_path: Path) -> None:
    result = Result("a.jpg", "anonymized", seconds={"read": 0.5, "detect": 1.0}, began_s=10.0)
    events = written(tmp_path / "trace.json", result)
    assert [(event["name"], event["ts"], event["dur"]) for event in events] == [
        ("a.jpg", 10e6, 1.5e6), ("read", 10e6, 0.5e6), ("detect", 10.5e6, 1e6),
    ]  # fmt: skip
    assert all(event["ph"] == "X" for event in events)


def test_pictures_at_the_same_time_are_drawn_in_lanes_of_their_own(tmp_path: Path) -> None:
    starts = (0.0, 0.5, 1.0, 1.2)
    results = [Result(f"{start}.jpg", "failed", "x", seconds={"read": 1.0}, began_s=start) for start in starts]
    events = written(tmp_path / "trace.json", *results)
    assert [event["tid"] for event in events if event["name"] != "read"] == [1, 2, 1, 3]


def test_nothing_to_draw(tmp_path: Path) -> None:
    unchanged = Result("a.jpg", "anonymized", seconds={"read": 0.5}, unchanged=True)
    assert written(tmp_path / "trace.json", unchanged, Result("b.jpg", "skipped")) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"), open_trace(tmp_path / "nowhere" / "t.json"):
        pass


def test_no_trace_wanted() -> None:
    with open_trace(None) as trace:
        assert trace is None


def test_traces_are_known_by_their_beginning(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    for results in ((), (Result("a.jpg", "anonymized", seconds={"read": 0.5}),)):
        written(path, *results)
        assert is_trace(path)
    path.write_text("")
    assert is_trace(path)
    path.write_text("mine")
    assert not is_trace(path)
    assert not is_trace(tmp_path / "nowhere")
