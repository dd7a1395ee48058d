"""The reports of machines that shared a folder become one."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anonymizer.errors import SettingsError
from anonymizer.record.report import Report
from anonymizer.record.shards import ReportFile, merge_reports, missing_shares, read_report
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Result, Source

FILES = {
    "1/2": [Result("b.png", "anonymized", counts={"face": 2}, seconds={"read": 0.5}), Result("sub/a.png", "skipped")],
    "2/2": [Result("a.png", "anonymized", counts={"face": 1, "plate": 1}, seconds={"read": 0.25, "write": 1.0})],
}
"""What each share did."""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReportFile]:
    """read(share, results) writes a report and reads it back."""

    def read(share: str | None, results: list[Result], settings: Settings = Settings(), **values: Any) -> ReportFile:
        values = {"complete": True, "workers": 2, "elapsed_s": 10.0, **values}
        report = Report(settings, [], ("face", "plate"), shard=share, results=results, **values)
        for result in results:
            report.totals.add(result)
        path = tmp_path / f"{share or 'whole'}.json".replace("/", "-of-")
        path.write_bytes(b"".join(report.to_json()))
        return read_report(path)

    return read


@pytest.fixture
def shares(read: Callable[..., ReportFile]) -> list[ReportFile]:
    return [read(share, results) for share, results in FILES.items()]


def test_one_report_for_all_in_the_order_of_a_listing(shares: list[ReportFile]) -> None:
    merged = merge_reports(shares[::-1])
    assert [entry["file"] for entry in merged.files] == ["a.png", "b.png", "sub/a.png"]
    assert merged.head["shard"] is None
    assert merged.head["complete"] is True
    totals = merged.head["totals"]
    assert (totals["pictures"], totals["anonymized"], totals["skipped"], totals["failed"]) == (3, 2, 1, 0)
    assert totals["detections"] == {"face": 3, "plate": 1}
    assert totals["seconds"] == {"read": 0.75, "write": 1.0}
    assert (totals["elapsed_seconds"], totals["workers"]) == (10.0, 4)
    assert merged.exit_code == 0


def test_it_can_be_written_and_read_like_any_other(shares: list[ReportFile], tmp_path: Path) -> None:
    merged = merge_reports(shares)
    (tmp_path / "merged.json").write_bytes(b"".join(merged.to_json()))
    again = read_report(tmp_path / "merged.json")
    assert (again.head, list(again.files)) == (merged.head, list(merged.files))


def test_people_are_added(read: Callable[..., ReportFile]) -> None:
    source = Source("ab", 1, ((640, 480),))
    one, two = ([Result(f"{number}.jpg", "anonymized", counts={"head": number}, source=source)] for number in (3, 4))
    assert merge_reports([read("1/2", one), read("2/2", two)]).head["totals"]["people"] == 7


@pytest.mark.parametrize(
    ("failing", "complete"), [(Result("c.png", "failed", "is empty"), True), (Result("c.png", "skipped"), False)]
)
def test_failed_pictures_and_unfinished_runs_count(
    shares: list[ReportFile], read: Callable[..., ReportFile], failing: Result, complete: bool
) -> None:
    merged = merge_reports([shares[0], read("2/2", [failing], complete=complete)])
    assert merged.exit_code == 1
    assert merged.head["complete"] is complete


def test_reports_of_any_size_are_joined_in_flat_memory(read: Callable[..., ReportFile], tmp_path: Path) -> None:
    peaks = {}
    for number in (2000, 20000):
        for share in (0, 1):
            names = (f"{index % 7}/{index:06}-{share}.png" for index in range(number // 2))
            read(f"{share + 1}/2", [Result(name, "anonymized", counts={"face": 1}) for name in names])
        tracemalloc.start()
        merged = merge_reports([read_report(tmp_path / f"{share}-of-2.json") for share in (1, 2)])
        size = sum(map(len, merged.to_json()))
        peaks[number] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert merged.head["totals"]["anonymized"] == number
        assert size > 80 * number
    assert peaks[20000] < 1.2 * peaks[2000] + 50_000


def test_missing_shares(shares: list[ReportFile], read: Callable[..., ReportFile]) -> None:
    assert missing_shares(shares) == []
    assert missing_shares([read("2/4", [])]) == ["1/4", "3/4", "4/4"]
    assert missing_shares([read(None, [])]) == []
    assert merge_reports(shares[:1]).head["complete"] is False


def test_native_code_counts_as_used_where_all_had_it(shares: list[ReportFile]) -> None:
    assert merge_reports(shares).head["native_code"] is shares[0].head["native_code"]
    without = ReportFile("x", {**shares[0].head, "native_code": False}, shares[0].files)
    assert merge_reports([without, shares[1]]).head["native_code"] is False


def test_what_is_not_of_one_job(shares: list[ReportFile], read: Callable[..., ReportFile]) -> None:
    with pytest.raises(SettingsError, match="differ in their settings"):
        merge_reports([shares[0], read("2/2", [], Settings(detect=DetectSettings(face_threshold=0.7)))])
    with pytest.raises(SettingsError, match=r"b\.png is in more than one of the reports"):
        merge_reports([shares[0], read("2/2", FILES["1/2"])])
    twice = ReportFile("r.json", shares[0].head, [*shares[0].files, shares[0].files[0]])
    with pytest.raises(SettingsError, match=r"report r\.json is damaged: it lists b\.png twice"):
        merge_reports([twice])


def test_kinds_are_those_of_all_shares(shares: list[ReportFile]) -> None:
    areas = ReportFile("x", {**shares[1].head, "kinds": ["area"]}, shares[1].files)
    assert merge_reports([shares[0], areas]).head["kinds"] == [*shares[0].head["kinds"], "area"]


def test_folders_that_every_share_came_upon_count_once(read: Callable[..., ReportFile]) -> None:
    closed = Result("closed/", "failed", "folder cannot be listed")
    merged = merge_reports([read(share, [closed]) for share in FILES])
    assert [entry["file"] for entry in merged.files] == ["closed/"]
    assert merged.head["totals"]["failed"] == 1


@pytest.mark.parametrize(
    "key", ["program", "settings", "settings_digest", "models", "complete", "shard", "totals", "files"]
)
def test_reports_without_a_part_are_damaged(shares: list[ReportFile], tmp_path: Path, key: str) -> None:
    path = tmp_path / "1-of-2.json"
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match="is damaged"):
        read_report(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"files": 1}', b'{"files": [{}]}'])
def test_other_files_are_not_reports(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(SettingsError, match=r"r\.json"):
        read_report(tmp_path / "r.json")
    with pytest.raises(SettingsError, match="nowhere: No such file"):
        read_report(tmp_path / "nowhere")
