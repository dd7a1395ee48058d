import os
from contextlib import closing
from pathlib import Path

import pytest
from stores import contents_of, in_memory

from anonymizer.addresses import Address
from anonymizer.errors import OutputError
from anonymizer.files import storage
from anonymizer.files.storage import FsspecStorage, storage_of
from anonymizer.run import store_claim
from anonymizer.run.store_claim import StoreClaim
from anonymizer.settings import Shard

FOLDER = Path("books")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Address:
    monkeypatch.setattr(store_claim, "RENEWED_S", 0.1)
    monkeypatch.setattr(storage, "DELAYS_S", ())
    return in_memory({})


def claim(root: Address, shard: Shard | None = None) -> StoreClaim:
    return StoreClaim(root, FOLDER, shard)


def leave_behind(root: Address, name: str) -> str:
    storage_of(root).write(FOLDER / f"claim-{name}", b"1")
    return name.rpartition("-")[2]


def test_a_claim_is_renewed_and_removed(root: Address) -> None:
    with closing(claim(root)) as held:
        held.check()
        assert held.modified_ns() > 0
        assert len(contents_of(root)) == 1
    assert contents_of(root) == {}


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        (None, None, True),
        (None, Shard(1, 2), True),
        (Shard(1, 2), None, True),
        (Shard(1, 2), Shard(1, 2), True),
        (Shard(1, 2), Shard(1, 3), True),
        (Shard(1, 2), Shard(2, 2), False),
    ],
)
def test_who_may_write_at_the_same_time(
    root: Address, first: Shard | None, second: Shard | None, is_refused: bool
) -> None:
    with closing(claim(root, first)) as held:
        if is_refused:
            with pytest.raises(OutputError, match="another run is writing there"):
                claim(root, second)
        else:
            claim(root, second).close()
        held.check()
        assert len(contents_of(root)) == 1


def test_a_run_that_was_killed_is_outwaited(root: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_claim, "GIVEN_UP_S", 1.0)
    leave_behind(root, "all-123")
    with closing(claim(root)):
        assert not any("123" in name for name in contents_of(root))


def test_a_run_that_was_killed_on_this_machine_is_known(root: Address) -> None:
    """Nobody waits for it."""
    store_claim._local_lock(leave_behind(root, f"all-test{os.getpid()}")).touch()
    with closing(claim(root)):
        assert len(contents_of(root)) == 1


def test_a_run_that_ends_meanwhile(root: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(root, "all-123")
    usual = FsspecStorage.stat

    def vanish(self: FsspecStorage, name: Path) -> storage.Entry | None:
        return None if name.name == "claim-all-123" else usual(self, name)

    monkeypatch.setattr(FsspecStorage, "stat", vanish)
    claim(root).close()


def test_a_claim_that_others_took_for_a_dead_one_is_lost(root: Address) -> None:
    with closing(claim(root)) as held:
        storage_of(root).remove(held._name)
        held._thread.join(20)
        with pytest.raises(OutputError, match="could not be renewed"):
            held.check()
        assert contents_of(root) == {}


def test_a_claim_that_cannot_be_renewed_is_lost(root: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_claim, "RENEWED_S", 60.0)
    with closing(claim(root)) as held:
        monkeypatch.setattr(store_claim, "GIVEN_UP_S", 0.0)
        with pytest.raises(OutputError, match="could not be renewed"):
            held.check()


def test_a_store_that_cannot_be_written(root: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: FsspecStorage, name: Path, content: object) -> None:
        raise PermissionError(13, "access denied")

    monkeypatch.setattr(FsspecStorage, "_put", refuse)
    with pytest.raises(OutputError, match="access denied"):
        claim(root)
