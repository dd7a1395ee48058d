import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stores import contents_of, fill, in_memory

from anonymizer.addresses import Address
from anonymizer.errors import OutputError
from anonymizer.files.storage import storage_of
from anonymizer.run import store_manifest
from anonymizer.run.store_manifest import BOOKS, StoreManifest
from anonymizer.settings import Shard
from anonymizer.types import Job, Result

SOURCE = Address("memory", "nowhere", "in")
JOBS = [Job(Path(name), Path(name), Path(name).with_suffix(".json"), version=name) for name in ("a.jpg", "b.jpg")]


@pytest.fixture
def root() -> Address:
    return in_memory({})


@contextmanager
def opened(root: Address, **options: object) -> Iterator[StoreManifest]:
    manifest = StoreManifest(SOURCE, root, "fingerprint", **options)  # type: ignore[arg-type]
    try:
        yield manifest
    finally:
        manifest.close()


def work(root: Address, manifest: StoreManifest, job: Job) -> Result:
    """The outputs of a picture as a worker writes and tells them."""
    with storage_of(root).noting() as written:
        for path in (job.detections_path, job.target):
            storage_of(root).write(path, path.name.encode())
    return Result(job.name, "anonymized", versions={str(path): entry.stamp for path, entry in written.items()})


def do(root: Address, manifest: StoreManifest, *jobs: Job) -> None:
    manifest.begin(jobs)
    for number, job in enumerate(jobs):
        manifest.record(number, job, work(root, manifest, job), manifest.inputs_of(job))


def is_done(manifest: StoreManifest, job: Job) -> bool:
    return manifest.find_done(job, manifest.inputs_of(job)) is not None


def lines_in(root: Address) -> list[dict[str, object]]:
    parts = [content for name, content in sorted(contents_of(root, BOOKS).items()) if "/part-" in name]
    return [json.loads(line) for part in parts for line in gzip.decompress(part).decode().splitlines()]


def test_a_later_run_knows_what_is_done(root: Address) -> None:
    with opened(root) as manifest:
        assert manifest.is_new
        assert not is_done(manifest, JOBS[0])
        do(root, manifest, *JOBS)
        assert [result.file for result in manifest] == ["a.jpg", "b.jpg"]
        manifest.finish()
    with opened(root) as later:
        assert not later.is_new
        assert [is_done(later, job) for job in JOBS] == [True, True]
        assert later.orphaned() == ["a.jpg", "b.jpg"]
        storage_of(root).remove(JOBS[1].target)
    with opened(root) as later:
        assert [is_done(later, job) for job in JOBS] == [True, False]
        assert later.look_at(JOBS[1].target) == "nothing"
        assert not later.is_as_written(JOBS[1], JOBS[1].target)


def test_what_was_begun_is_saved_before_it_is_handed_out(root: Address) -> None:
    with opened(root) as manifest:
        manifest.begin(JOBS)
        assert lines_in(root)[1:] == [{"begun": ["a.jpg", "b.jpg"]}]
        work(root, manifest, JOBS[0])
        manifest._lines.clear()
    with opened(root) as later:
        assert not is_done(later, JOBS[0])
        assert later.is_trusted(JOBS[0], JOBS[0].target)
        assert not later.is_trusted(JOBS[1], JOBS[1].target)  # it is not there


def test_results_are_saved_now_and_then(root: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_manifest, "MOST_UNSAVED", 2)
    with opened(root) as manifest:
        do(root, manifest, *JOBS)
        assert [line["file"] for line in lines_in(root) if "file" in line] == ["a.jpg", "b.jpg"]


def test_shares_take_what_is_theirs_from_all_parts(root: Address) -> None:
    with opened(root, shard=Shard(1, 2)) as manifest:
        do(root, manifest, *JOBS)
    known = []
    for number in (1, 2, 3):
        with opened(root, shard=Shard(number, 3)) as manifest:
            known += [job.name for job in JOBS if is_done(manifest, job)]
    assert sorted(known) == ["a.jpg", "b.jpg"]


def test_what_lay_there_when_an_overwriting_run_began_is_free_until_it_ends(root: Address) -> None:
    fill(root, {"a.jpg": b"of others"})
    with opened(root, overwrite=True) as manifest:
        assert manifest.is_given_up(JOBS[0].target)
        do(root, manifest, JOBS[1])
    with opened(root) as later:
        assert later.is_given_up(JOBS[0].target)
        later.finish()
    with opened(root) as later:
        assert not later.is_given_up(JOBS[0].target)


def test_no_part_names_a_place(root: Address) -> None:
    with opened(root) as manifest:
        do(root, manifest, *JOBS)
    assert "memory" not in json.dumps(lines_in(root))
    assert "nowhere" not in json.dumps(lines_in(root))


@pytest.mark.parametrize(
    "content",
    [b"damaged", gzip.compress(b""), gzip.compress(b"{}"), gzip.compress(b"x"), gzip.compress(bytes(99))[:-9]],
)
def test_damaged_parts_are_named(root: Address, content: bytes) -> None:
    fill(root, {(BOOKS / "part-000002-x-00000000.jsonl.gz").as_posix(): content})
    with pytest.raises(OutputError, match=r"its part part-000002-x-00000000\.jsonl\.gz is damaged"):
        opened(root).__enter__()
    assert list(contents_of(root)) == ["anonymize-manifest/part-000002-x-00000000.jsonl.gz"]


def test_parts_of_later_versions_are_refused(root: Address) -> None:
    part = gzip.compress(json.dumps({"format": 99}).encode())
    fill(root, {(BOOKS / "part-000002-x-00000000.jsonl.gz").as_posix(): part})
    with pytest.raises(OutputError, match="written by a later version"):
        opened(root).__enter__()
