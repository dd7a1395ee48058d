"""What is done is known to later runs, as long as nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from fakes import Folders, noise, save
from run.reruns import redone

from anonymizer import anonymize_folder
from anonymizer.errors import OutputError
from anonymizer.run.manifest import MANIFEST_NAME, Manifest
from anonymizer.run.plan import make_plan
from anonymizer.run.runner import run
from anonymizer.settings import RunSettings, Settings, Shard
from anonymizer.types import Job, Result, Source

JOBS = [Job(Path(name), Path(name), Path(name).with_suffix(".json")) for name in ("b.png", "a.png")]
SOURCE = Source("ab12", 2, ((640, 480), (480, 640)))
Open: TypeAlias = "Callable[..., closing[Manifest]]"


@pytest.fixture
def open_manifest(folders: Folders) -> Open:
    """open_manifest(fingerprint) begins a run over two pictures whose outputs are there; it ends with the block."""
    folders[1].mkdir()
    for job in JOBS:
        (folders[0] / job.source).write_bytes(b"picture")
        (folders[1] / job.target).write_bytes(b"output")

    def open_manifest(fingerprint: str = "f") -> closing[Manifest]:
        return closing(Manifest(folders[1] / MANIFEST_NAME, *folders, fingerprint))

    return open_manifest


@pytest.fixture
def manifest(open_manifest: Open) -> Iterator[Manifest]:
    with open_manifest() as manifest:
        yield manifest


def record_all(manifest: Manifest) -> None:
    """As a run does whose pictures were done in this order."""
    for position, job in enumerate(JOBS):
        manifest.record(position, job, result_of(job), manifest.inputs_of(job))


def result_of(job: Job) -> Result:
    return Result(job.name, "anonymized", counts={"face": 2}, seconds={"read": 0.5}, warnings=("weak",), source=SOURCE)


def done_in(manifest: Manifest) -> list[str]:
    return [job.name for job in JOBS if manifest.find_done(job, manifest.inputs_of(job)) is not None]


def test_a_later_run_finds_what_was_done(open_manifest: Open) -> None:
    with open_manifest() as first:
        assert done_in(first) == []
        record_all(first)
    with open_manifest() as second:
        found = second.find_done(JOBS[0], second.inputs_of(JOBS[0]))
        assert found == Result(
            "b.png", "anonymized", None, {"face": 2}, {"read": 0.5}, 0.0, True, ("weak",), source=SOURCE
        )
        assert done_in(second) == ["b.png", "a.png"]


def test_other_settings_or_models_find_nothing_done(open_manifest: Open) -> None:
    with open_manifest() as first:
        record_all(first)
    with open_manifest("g") as second:
        assert done_in(second) == []


@pytest.mark.parametrize("change", ["input", "output", "no output"])
def test_what_has_changed_is_not_done(manifest: Manifest, folders: Folders, change: str) -> None:
    record_all(manifest)
    changed = folders[0 if change == "input" else 1] / "a.png"
    changed.unlink()
    if change != "no output":
        changed.write_bytes(b"something else")
    assert done_in(manifest) == ["b.png"]


def test_only_outputs_that_are_there_are_done(manifest: Manifest, folders: Folders) -> None:
    (folders[1] / "a.png").unlink()
    record_all(manifest)
    manifest.record(0, JOBS[0], Result("b.png", "failed", "is empty"), manifest.inputs_of(JOBS[0]))
    assert done_in(manifest) == []


def test_a_picture_that_only_was_looked_at_is_done_with_its_record(manifest: Manifest, folders: Folders) -> None:
    job, result = JOBS[0], Result("b.png", "detected")
    manifest.record(0, job, result, manifest.inputs_of(job))
    assert done_in(manifest) == []
    (folders[1] / job.detections_path).write_text("[]")
    manifest.record(0, job, result, manifest.inputs_of(job))
    assert done_in(manifest) == ["b.png"]


def test_results_come_in_the_order_of_the_listing_while_the_run_goes_on_and_after_it(open_manifest: Open) -> None:
    names = [job.name for job in JOBS]
    with open_manifest() as manifest:
        for position, job in reversed(list(enumerate(JOBS))):
            manifest.record(position, job, result_of(job), manifest.inputs_of(job))
        manifest.record_untouched(2, Result("c.png", "skipped", "beyond --limit 2"))
        assert [result.file for result in manifest] == [*names, "c.png"]
    assert [result.file for result in manifest] == [*names, "c.png"]
    assert list(manifest) == list(manifest)


def test_what_an_earlier_run_did_is_told_as_such(open_manifest: Open) -> None:
    with open_manifest() as first:
        record_all(first)
    with open_manifest() as second:
        done = second.find_done(JOBS[0], second.inputs_of(JOBS[0]))
        assert done is not None
        second.record_untouched(0, done)
        assert [(result.file, result.unchanged) for result in second] == [("b.png", True)]
        assert second.orphaned() == ["a.png"]
    with open_manifest() as third:
        assert done_in(third) == ["b.png", "a.png"]  # nothing of it was forgotten


def test_a_discarded_manifest_leaves_no_file(manifest: Manifest, folders: Folders) -> None:
    manifest.discard()
    assert sorted(path.name for path in folders[1].iterdir()) == ["a.png", "b.png"]


def test_names_that_are_not_text(manifest: Manifest, folders: Folders) -> None:
    path = Path("caf\udce9.png")
    job = Job(path, path, path.with_suffix(".json"))
    for folder in folders:
        (folder / path).write_bytes(b"picture")
    manifest.record(0, job, Result(job.name, "anonymized"), manifest.inputs_of(job))
    assert manifest.find_done(job, manifest.inputs_of(job)) is not None
    assert [result.file for result in manifest] == [job.name]


def test_no_path_of_the_machine_is_in_it(open_manifest: Open, folders: Folders) -> None:
    with open_manifest() as manifest:
        record_all(manifest)
    assert str(folders[0]).encode() not in (folders[1] / MANIFEST_NAME).read_bytes()


def test_a_manifest_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing more can be written"):
        Manifest(tmp_path / "nowhere" / MANIFEST_NAME, tmp_path, tmp_path / "nowhere", "f")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(200)])
def test_a_manifest_that_cannot_be_read_is_begun_anew(done: Folders, content: bytes) -> None:
    """What lies there may be anybody's then."""
    (done[1] / "anonymize-manifest.sqlite").write_bytes(content)
    assert anonymize_folder(*done).totals.statuses == {"failed": 3}
    assert len(redone(done, overwrite=True)) == 3
    assert redone(done) == []


def test_a_manifest_that_is_damaged_inside_is_begun_anew(done: Folders) -> None:
    path = done[1] / "anonymize-manifest.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x77" * (len(content) - 4096)
    path.write_bytes(content)
    assert len(redone(done, overwrite=True)) == 3
    assert redone(done) == []


def test_another_input_folder(done: Folders, tmp_path: Path) -> None:
    other = tmp_path / "other"
    save(other / "0.png", noise(30, 30, seed=9))
    with pytest.raises(OutputError, match="was made from another input folder"):
        anonymize_folder(other, done[1])
    assert redone((other, done[1]), overwrite=True) == ["0.png"]


def test_shards_share_a_folder_with_each_other_and_with_nobody_else(
    done: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonymizer.run.manifest.LOCK_TIMEOUT_S", 0.1)
    first, second, whole = (
        make_plan(RunSettings(input=done[0], image_output=done[1], shard=shard), Settings())
        for shard in (Shard(1, 2), Shard(2, 2), None)
    )
    held = Manifest(Path(str(first.manifest)), first.input, Path(str(first.output)), first.fingerprint, is_shard=True)
    assert run(second).complete
    with pytest.raises(OutputError, match="another run is writing there"):
        run(whole)
    held.close()


def test_only_one_run_at_a_time(done: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.run.manifest.LOCK_TIMEOUT_S", 0.1)
    plan = make_plan(RunSettings(input=done[0], image_output=done[1]), Settings())
    manifest = Manifest(Path(str(plan.manifest)), plan.input, Path(str(plan.output)), plan.fingerprint)
    with pytest.raises(OutputError, match="another run is writing there"):
        run(plan)
    manifest.close()
    assert redone(done) == []
