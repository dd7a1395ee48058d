"""Runs over stores keep the promises of runs over folders."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save
from stores import BUCKET, Fault, FaultProxy, contents_of, fill, in_memory, moto_server, s3_at

from anonymizer import anonymize_folder
from anonymizer.addresses import Address
from anonymizer.errors import OutputError, SettingsError
from anonymizer.files import storage
from anonymizer.files.storage import FsspecStorage, storage_of
from anonymizer.pipeline import PictureProcess
from anonymizer.record.report import Report
from anonymizer.run import store_claim
from anonymizer.run.store_manifest import StoreManifest
from anonymizer.settings import Shard
from anonymizer.types import Job, Result

NAMES = ("0.png", "1.png", "sub/2.png", "sub/2.jpg")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "DELAYS_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(store_claim, "RENEWED_S", 0.2)


@pytest.fixture
def local(folders: Folders, use_detectors: UseDetectors) -> Folders:
    for index, name in enumerate(NAMES):
        save(folders[0] / name, noise(30, 30, seed=index))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    anonymize_folder(*folders)
    return folders


@pytest.fixture
def stored(local: Folders) -> tuple[Address, Address]:
    """Addresses of the same input and of an output that does not exist yet."""
    return in_memory({name: (local[0] / name).read_bytes() for name in NAMES}), in_memory({})


def anonymize(source: Path | Address, target: Path | Address, **options: Any) -> Report:
    return anonymize_folder(str(source), str(target), workers=0, **options)


def outputs_of(root: Path | Address) -> dict[str, bytes]:
    """Pictures and detections."""
    if isinstance(root, Address):
        found = contents_of(root)
    else:
        found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if not name.startswith("anonymize-")}


def redone(source: Path | Address, target: Path | Address, **options: Any) -> list[str]:
    report = anonymize(source, target, **options)
    return [result.file for result in report.results if not result.unchanged and result.status == "anonymized"]


def failures(report: Report) -> dict[str, str | None]:
    return {result.file: result.reason for result in report.results if result.status == "failed"}


@pytest.mark.parametrize("way", ["in", "out", "both"])
def test_the_output_is_the_same_as_of_a_local_run(
    local: Folders, stored: tuple[Address, Address], tmp_path: Path, way: str
) -> None:
    source = local[0] if way == "out" else stored[0]
    target = tmp_path / "again" if way == "in" else stored[1]
    report = anonymize(source, target)
    assert report.complete
    assert report.totals.statuses == {"anonymized": 4}
    assert outputs_of(target) == outputs_of(local[1])
    assert redone(source, target) == []
    assert outputs_of(target) == outputs_of(local[1])


def test_the_report_lies_beside_the_pictures_and_names_no_place(stored: tuple[Address, Address]) -> None:
    anonymize(*stored)
    text = storage_of(stored[1]).read(Path("anonymize-report.json")).decode()
    report = json.loads(text)
    assert report["complete"]
    assert [entry["file"] for entry in report["files"]] == ["0.png", "1.png", "sub/2.jpg", "sub/2.png"]
    assert "memory://" not in text
    assert stored[0].root not in text


def test_new_changed_and_lost_files_are_done_again(stored: tuple[Address, Address], tmp_path: Path) -> None:
    source, target = stored
    anonymize(source, target)
    before = outputs_of(target)
    fill(source, {"1.png": save(tmp_path / "x.png", noise(30, 30, seed=9)).read_bytes()})
    fill(source, {"new.png": (tmp_path / "x.png").read_bytes()})
    storage_of(target).remove(Path("sub/2.json"))
    storage_of(target).remove(Path("sub/2.png.json"))
    assert redone(source, target) == ["1.png", "new.png", "sub/2.png"]
    assert redone(source, target) == []
    assert {name: content for name, content in outputs_of(target).items() if name in before and "1" not in name} == {
        name: content for name, content in before.items() if "1" not in name
    }


def test_a_folder_is_searched_anew_after_its_record_changed_its_name(
    stored: tuple[Address, Address], tmp_path: Path
) -> None:
    """The record under the old name goes."""
    source, target = stored
    anonymize(source, target)
    fill(source, {"0.jpg": save(tmp_path / "0.jpg", noise(30, 30, seed=5)).read_bytes()})
    assert redone(source, target) == ["0.jpg", "0.png"]
    assert {name for name in outputs_of(target) if name.startswith("0")} == {
        "0.png", "0.png.json", "0.jpg", "0.jpg.json"
    }  # fmt: skip


def test_files_of_others_stay(stored: tuple[Address, Address]) -> None:
    source, target = stored
    anonymize(source, target)
    fill(target, {"0.png": b"by hand"})
    fill(source, {"new.png": storage_of(source).read(Path("1.png"))})
    fill(target, {"new.png": b"of others"})
    report = anonymize(source, target)
    assert [result.file for result in report.results if result.status == "kept"] == ["0.png"]
    assert "is not known to be written by this program" in str(failures(report)["new.png"])
    assert (outputs_of(target)["0.png"], outputs_of(target)["new.png"]) == (b"by hand", b"of others")
    assert len(redone(source, target, overwrite=True)) == 5
    assert redone(source, target) == []


def test_an_output_that_is_not_empty_is_refused(stored: tuple[Address, Address]) -> None:
    fill(stored[1], {"notes.txt": b""})
    with pytest.raises(OutputError, match="is not empty"):
        anonymize(*stored)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda root: root, "is the input"),
        (lambda root: root / "out", "lies inside the input"),
        (lambda root: root.parent, "contains the input"),
    ],
)
def test_overlapping_addresses_are_refused(
    stored: tuple[Address, Address], change: Callable[[Address], Address], reason: str
) -> None:
    with pytest.raises(OutputError, match=reason):
        anonymize(stored[0], change(stored[0]))


def test_another_input_is_refused(stored: tuple[Address, Address]) -> None:
    anonymize(*stored)
    other = in_memory({"0.png": storage_of(stored[0]).read(Path("0.png"))})
    with pytest.raises(OutputError, match="was made from another input"):
        anonymize(other, stored[1])


def test_what_stores_cannot_have_is_refused(stored: tuple[Address, Address], tmp_path: Path) -> None:
    options: dict[str, Any]
    with pytest.raises(SettingsError, match="needs local folders"):
        anonymize(*stored, mask_output=tmp_path / "masks")
    with pytest.raises(SettingsError, match="--detections is the output folder"):
        anonymize(*stored, detections=str(stored[1]))
    with pytest.raises(SettingsError, match="needs --executor local"):
        anonymize_folder(str(stored[0]), str(stored[1]), detections=str(stored[1] / "x"), executor="ray")
    for name in ("edits", "profile", "mask_output"):
        options = {name: "s3://bucket/x"}
        with pytest.raises(SettingsError, match="takes a path of this machine"):
            anonymize(*stored, **options)
    with pytest.raises(SettingsError, match="add --workers 0"):
        anonymize_folder(str(stored[0]), str(stored[1]), workers=1)
    with pytest.raises(SettingsError, match="must not hold credentials"):
        anonymize_folder("sftp://me:hunter2@host/in", str(stored[1]))


@pytest.mark.parametrize("way", ["records in a store", "pictures in a store", "everything in a store"])
def test_records_are_replayed(local: Folders, stored: tuple[Address, Address], tmp_path: Path, way: str) -> None:
    """Edits that lie beside them, too; and a run that goes on does nothing again."""
    edits = b"edits:\n- file: 0.png\n  add: {box: [20, 20, 28, 28]}\n  reason: missed\n"
    source, target = (local[0], tmp_path / "again") if way == "records in a store" else stored
    records: Path | Address = local[1]
    if way == "pictures in a store":
        (local[1] / "edits.yaml").write_bytes(edits)
    else:
        files = {name: content for name, content in outputs_of(local[1]).items() if name.endswith(".json")}
        report = (local[1] / "anonymize-report.json").read_bytes()
        records = in_memory({**files, "anonymize-report.json": report, "edits.yaml": edits})
    assert anonymize(source, target, detections=str(records)).totals.statuses == {"anonymized": 4}
    (local[1] / "edits.yaml").write_bytes(edits)
    anonymize(local[0], tmp_path / "local", detections=str(local[1]))
    assert outputs_of(target) == outputs_of(tmp_path / "local")
    assert redone(source, target, detections=str(records)) == []


def test_failed_pictures_leave_nothing(stored: tuple[Address, Address]) -> None:
    fill(stored[0], {"empty.png": b"", "broken.png": b"\x89PNG"})
    report = anonymize(*stored)
    assert failures(report).keys() == {"empty.png", "broken.png"}
    assert not {"empty.png", "broken.png", "empty.json", "broken.json"}.intersection(outputs_of(stored[1]))


class KilledError(BaseException):
    """In place of SIGKILL."""


def kill_at(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends at this picture as if it was killed: nothing more reaches the store."""
    usual, done = PictureProcess.__call__, []

    def work(self: PictureProcess, job: Job) -> Result:
        result = usual(self, job)
        done.append(job)
        if len(done) == number:
            monkeypatch.setattr(FsspecStorage, "_put", lambda *_: (_ for _ in ()).throw(KilledError()))
            monkeypatch.setattr(StoreManifest, "close", lambda self: self._claim._end.set())
            raise KilledError
        return result

    monkeypatch.setattr(PictureProcess, "__call__", work)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # who renews the claim dies, too
@pytest.mark.parametrize("number", [1, 3])
def test_a_killed_run_is_gone_on_with_from_anywhere(
    local: Folders, stored: tuple[Address, Address], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    kill_at(number, monkeypatch)
    with pytest.raises(KilledError):
        anonymize(*stored)
    monkeypatch.undo()
    monkeypatch.setattr(store_claim, "GIVEN_UP_S", 3.0)
    monkeypatch.setattr(store_claim, "RENEWED_S", 0.2)
    monkeypatch.setattr(store_claim, "_has_ended_here", lambda claim: False)  # as on another machine
    monkeypatch.setattr("anonymizer.detect.frames.load_detectors", lambda how: [FixedDetector(face(5, 5, 15, 15))])
    report = anonymize(*stored)
    assert report.complete
    assert report.exit_code == 0
    assert outputs_of(stored[1]) == outputs_of(local[1])


def test_only_one_run_at_a_time_but_for_shares(stored: tuple[Address, Address]) -> None:
    source, target = stored
    manifest = StoreManifest(source, target, "f", shard=Shard(1, 2))
    try:
        assert anonymize(source, target, shard="2/2").complete
        for options in ({"shard": None}, {"shard": "1/2"}, {"shard": "1/3"}):
            with pytest.raises(OutputError, match="another run is writing there"):
                anonymize(source, target, **options)
    finally:
        manifest.close()
    assert anonymize(source, target, shard="1/2").complete
    assert redone(source, target) == []
    assert redone(source, target, shard="1/3") == []


def test_models_that_do_not_work_leave_no_trace(
    stored: tuple[Address, Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(settings: object) -> None:
        raise SettingsError("no")

    monkeypatch.setattr("anonymizer.detect.frames.load_detectors", fail)
    with pytest.raises(SettingsError):
        anonymize(*stored)
    assert contents_of(stored[1]) == {}


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with moto_server() as url:
        proxy = FaultProxy(url)
        with proxy.running() as endpoint, s3_at(endpoint):
            yield proxy


@pytest.mark.slow
def test_harm_to_single_pictures_is_named_and_leaves_nothing(local: Folders, proxy: FaultProxy) -> None:
    source, target = Address("s3", BUCKET, "in"), Address("s3", BUCKET, "out")
    fill(source, {name: (local[0] / name).read_bytes() for name in NAMES})
    fill(target, {})
    proxy.faults += [
        Fault("denied", "GET .*/in/0.png.*", times=1000),
        Fault("503", "PUT .*/out/1.png.*", times=1000),
        Fault("reset", "PUT .*/out/sub/2.png.*", times=3),
        Fault("500", "(PUT|GET) .*/(in|out)/sub/2.jpg.*", times=2),
    ]
    report = anonymize(source, target)
    assert failures(report) == {
        "0.png": "cannot be read: access denied",
        "1.png": "cannot be written: the store is too busy",
    }
    expected = {name: content for name, content in outputs_of(local[1]).items() if name[0] not in "01"}
    assert outputs_of(target) == expected
    proxy.faults.clear()
    assert redone(source, target) == ["0.png", "1.png"]
    assert outputs_of(target) == outputs_of(local[1])


@pytest.mark.slow
def test_a_store_that_is_gone_ends_the_run_which_goes_on_later(local: Folders, proxy: FaultProxy) -> None:
    source, target = Address("s3", BUCKET, "in"), Address("s3", BUCKET, "out")
    fill(source, {name: (local[0] / name).read_bytes() for name in NAMES})

    def fail_from_then_on(result: Result) -> None:
        proxy.faults.append(Fault("503", ".* .*/out/.*", times=1_000_000))

    with pytest.raises(OutputError, match="the store is too busy"):
        anonymize(source, target, on_result=fail_from_then_on)
    proxy.faults.clear()
    assert anonymize(source, target).exit_code == 0
    assert outputs_of(target) == outputs_of(local[1])
