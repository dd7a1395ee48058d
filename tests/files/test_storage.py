import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from stores import (
    BUCKET,
    Fault,
    FaultProxy,
    Harm,
    contents_of,
    in_memory,
    moto_server,
    s3_at,
    sftp_server,
    webhdfs_server,
)

from anonymizer.addresses import Address
from anonymizer.errors import SettingsError
from anonymizer.files import storage
from anonymizer.files.s3 import Bucket
from anonymizer.files.storage import Storage, is_file, local_folder, opened, read_bytes, storage_of

NAME = Path("a/b c.jpg")
S3 = Address("s3", BUCKET, "folder")
ODD_NAMES = (
    "\u00e4 \u00f6.jpg",
    "e\u0301.jpg",
    "\U0001f600.jpg",
    "a+b&c=d;e,f.jpg",
    "a%2Fb%20c.jpg",
    "q?x=1.jpg",
    "v?versionId=1.jpg",
    "h#1.jpg",
    "[1]*{2}.jpg",
    "quote'\"<>|.jpg",
    "back\\slash.jpg",
    " space .jpg",
    "..dots...jpg",
    "control\x01.jpg",
    "long" * 50 + ".jpg",
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "DELAYS_S", (0.01, 0.01, 0.01))


@pytest.fixture(params=["memory", "s3", "sftp", "webhdfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "memory":
        yield storage_of(in_memory({}))
    elif request.param == "sftp":
        with sftp_server(tmp_path / "server") as address:
            yield storage_of(address)
    elif request.param == "webhdfs":
        with webhdfs_server() as hadoop:
            yield storage_of(hadoop.address)
    else:
        with s3_at(request.getfixturevalue("server")):
            yield storage_of(S3)
            for name in contents_of(S3):
                storage_of(S3).remove(Path(name))


@pytest.fixture
def proxy(server: str) -> Iterator[FaultProxy]:
    proxy = FaultProxy(server)
    with proxy.running() as url, s3_at(url):
        yield proxy
        proxy.faults.clear()
        for name in contents_of(S3):
            storage_of(S3).remove(Path(name))


def test_the_verbs(store: Storage, tmp_path: Path) -> None:
    assert list(store.list(NAME.parent)) in ([], [[]])
    assert store.stat(NAME) is None
    written = store.write(NAME, b"content")
    found = store.stat(NAME)
    assert found is not None
    assert (found.name, found.is_folder, found.size, found.stamp) == ("b c.jpg", False, 7, written.stamp)
    assert found.modified_ns > 0
    assert (store.read(NAME), store.read(NAME, 3)) == (b"content", b"con")
    assert [[(entry.name, entry.is_folder) for entry in page] for page in store.list()] == [[("a", True)]]
    assert [[entry.stamp for entry in page] for page in store.list(NAME.parent)] == [[written.stamp]]
    assert store.write(NAME, b"CONTENTS").stamp != written.stamp
    store.fetch(NAME, tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == b"CONTENTS"
    store.write(Path("film.mp4"), tmp_path / "local")
    assert store.read(Path("film.mp4")) == b"CONTENTS"
    store.remove(NAME)
    store.remove(NAME)
    store.clear_unfinished(NAME)
    store.clear_unfinished(Path())
    assert list(contents_of(store.address)) == ["film.mp4"]


def test_places(store: Storage, tmp_path: Path) -> None:
    store.write(NAME, b"content")
    (tmp_path / "local").write_bytes(b"local")
    assert read_bytes(store.address / NAME) == b"content"
    assert read_bytes(tmp_path / "local") == b"local"
    for place, content in ((store.address / NAME, b"content"), (tmp_path / "local", b"local")):
        with opened(place) as file:
            assert file.read() == content
    assert [is_file(place) for place in (store.address / NAME, store.address / "x", tmp_path / "local")] == [1, 0, 1]


def test_takes_down_what_is_written(store: Storage) -> None:
    store.write(Path("before"), b"")
    with store.noting() as written:
        entry = store.write(NAME, b"content")
    store.write(Path("after"), b"")
    assert written == {NAME: entry}


def test_an_empty_file(store: Storage) -> None:
    store.write(NAME, b"")
    assert (store.read(NAME), store.read(NAME, 4)) == (b"", b"")


def test_what_is_missing(store: Storage, tmp_path: Path) -> None:
    for work in (lambda: store.read(NAME), lambda: store.read(NAME, 4), lambda: store.fetch(NAME, tmp_path / "x")):
        with pytest.raises(FileNotFoundError, match="there is no such file, folder or bucket"):
            work()


def test_odd_names(store: Storage) -> None:
    for name in ODD_NAMES:
        store.write(Path("odd") / name, name.encode())
    assert contents_of(store.address) == {f"odd/{name}": name.encode() for name in ODD_NAMES}
    for name in ODD_NAMES:
        found = store.stat(Path("odd") / name)
        assert found is not None
        assert found.name == name
        store.remove(Path("odd") / name)
    assert contents_of(store.address) == {}


def test_names_that_no_store_can_hold(store: Storage) -> None:
    with pytest.raises(OSError, match="not text in UTF-8"):
        store.write(Path(os.fsdecode(b"\xff.jpg")), b"")


def test_pages(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        storage_of(S3).write(Path(f"{number}.jpg"), b"")
    monkeypatch.setattr(storage, "_PAGE", 2)
    assert [len(page) for page in storage_of(S3).list()] == [2, 2, 1]


def test_all_folders_of_a_bucket_share_its_connections(server: str) -> None:
    with s3_at(server):
        one, other = (storage_of(Address("s3", BUCKET, key)) for key in ("folder", "folder/below"))
        assert one._bucket is other._bucket  # type: ignore[attr-defined]


def test_a_bucket_that_is_not_there(server: str) -> None:
    with s3_at(server), pytest.raises(FileNotFoundError):
        next(storage_of(Address("s3", "no-such-bucket")).list())


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["500", "503", "reset", "etag"])
@pytest.mark.parametrize("verb", ["PUT", "GET"])
def test_bursts_pass(proxy: FaultProxy, verb: str, harm: Harm) -> None:
    storage_of(S3).write(Path("x.jpg"), b"before")
    fault = Fault(harm, f"{verb} .*/x.jpg.*", times=2)
    proxy.faults.append(fault)
    storage_of(S3).write(Path("x.jpg"), b"content" * 1000)
    assert storage_of(S3).read(Path("x.jpg")) == b"content" * 1000
    assert fault.met >= 1
    assert contents_of(S3) == {"x.jpg": b"content" * 1000}


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["cut", "slow"])
def test_answers_that_break_off_or_dribble(proxy: FaultProxy, harm: Harm, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"content" * 1000
    storage_of(S3).write(Path("x.jpg"), content)
    monkeypatch.setattr(storage, "STALL_S", 0.5)
    fault = Fault(harm, "GET .*/x.jpg.*", times=2)
    proxy.faults.append(fault)
    assert storage_of(S3).read(Path("x.jpg")) == content
    assert fault.met == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("500", "the store had an error of its own"),
        ("503", "the store is too busy"),
        ("reset", "the connection to the store broke off"),
        ("cut", "the connection to the store broke off"),
        ("slow", "the store took too long"),
        ("denied", "access denied"),
    ],
)
def test_what_does_not_pass_is_named(
    proxy: FaultProxy, harm: Harm, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    storage_of(S3).write(Path("x.jpg"), b"content" * 1000)
    monkeypatch.setattr(storage, "STALL_S", 0.5)
    fault = Fault(harm, "GET .*/x.jpg.*", times=100)
    proxy.faults.append(fault)
    with caplog.at_level(logging.DEBUG, "anonymizer"), pytest.raises(OSError, match=reason) as error:
        storage_of(S3).read(Path("x.jpg"))
    assert fault.met == 1 if harm == "denied" else fault.met >= 4
    said = [record.getMessage() for record in caplog.records if record.name.startswith("anonymizer")]
    assert said
    for secret in ("AKIASECRET", "123456789012", BUCKET, "127.0.0.1", "something"):
        assert secret not in f"{error.value}{said}"


def test_something_else_than_what_was_sent_is_sent_again(proxy: FaultProxy) -> None:
    proxy.faults.append(Fault("other content", "PUT .*/x.jpg.*"))
    storage_of(S3).write(Path("x.jpg"), b"content")
    assert contents_of(S3) == {"x.jpg": b"content"}


def test_something_else_than_what_was_sent_does_not_stay(proxy: FaultProxy) -> None:
    proxy.faults.append(Fault("other content", "PUT .*/x.jpg.*", times=100))
    with pytest.raises(OSError, match="something else than what was sent"):
        storage_of(S3).write(Path("x.jpg"), b"content")
    assert contents_of(S3) == {}


@pytest.mark.slow
def test_large_files_leave_no_parts_behind(proxy: FaultProxy, tmp_path: Path) -> None:
    large = tmp_path / "film.mp4"
    large.write_bytes(os.urandom(1 << 20) * 110)
    name = Path("film.mp4")
    proxy.faults.append(Fault("denied", "PUT .*partNumber=2.*"))
    with pytest.raises(PermissionError):
        storage_of(S3).write(name, large)
    assert contents_of(S3) == {}
    bucket = Bucket(BUCKET, lambda size: 30.0)
    assert bucket.uploads("") == []
    upload = bucket.begin_upload(f"folder/{name}")
    storage_of(S3).clear_unfinished(Path("another"))
    assert bucket.uploads("") == [(f"folder/{name}", upload)]
    storage_of(S3).clear_unfinished(Path())
    assert bucket.uploads("") == []
    storage_of(S3).write(name, large)
    assert storage_of(S3).read(name) == large.read_bytes()


@pytest.mark.parametrize(("protocol", "tries"), [("gs", 1), ("memory", 4)])
def test_libraries_that_try_again_by_themselves_are_asked_once(protocol: str, tries: int) -> None:
    """Else a store that cannot be reached is given up after many minutes."""

    met = 0

    def fail() -> None:
        nonlocal met
        met += 1
        raise ConnectionError

    store = storage_of(in_memory({}))
    store.address = Address(protocol, "bucket")
    with pytest.raises(OSError, match="cannot be made"):
        store._tried(fail)  # type: ignore[attr-defined]
    assert met == tries


def test_googles_store_is_not_waited_for_forever() -> None:
    pytest.importorskip("gcsfs")
    patience = storage_of(Address("gs", "patient"))._fs.requests_timeout  # type: ignore[attr-defined]
    assert (patience.total, patience.sock_connect, patience.sock_read) == (None, storage.CONNECT_S, storage.STALL_S)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "find_spec", lambda name: None if name == "gcsfs" else object())
    with pytest.raises(SettingsError, match=r"gs:// needs gcsfs: pip install 'anonymizer\[stores\]'"):
        storage_of(Address("gs", "bucket"))


def test_azure_wants_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adlfs")
    for name in ("ACCOUNT_NAME", "CONNECTION_STRING"):
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)
    with pytest.raises(SettingsError, match="az://container: name the account in AZURE_STORAGE_ACCOUNT_NAME, or all"):
        storage_of(Address("az", "container", "folder"))


def test_libraries_say_nothing_in_their_own_words(capfd: pytest.CaptureFixture[str]) -> None:
    storage._filesystem.cache_clear()
    storage_of.cache_clear()
    storage_of(Address("memory", "bucket"))
    for name in ("gcsfs", "gcsfs.retry", "botocore.credentials", "azure.core", "paramiko.transport"):
        logger = logging.getLogger(name)
        assert logger.hasHandlers()
        logger.warning("the account ada@example.org")
    assert "ada" not in capfd.readouterr().err


def test_what_lies_in_hadoop_is_replaced_although_renames_there_replace_nothing() -> None:
    with webhdfs_server() as hadoop:
        store = storage_of(hadoop.address)
        first = store.write(NAME, b"one")
        second = store.write(NAME, b"two")
        assert first.stamp != second.stamp
        assert store.stat(NAME) == second
        assert contents_of(hadoop.address) == {NAME.as_posix(): b"two"}


def test_what_hadoop_does_not_rename_does_not_stay() -> None:
    with webhdfs_server() as hadoop:
        hadoop.renames = False
        with pytest.raises(OSError, match="did not rename"):
            storage_of(hadoop.address).write(NAME, b"one")
        assert contents_of(hadoop.address) == {}


def test_what_a_data_node_says_of_an_error_is_no_content(tmp_path: Path) -> None:
    with webhdfs_server() as hadoop:
        storage_of(hadoop.address).write(NAME, b"one")
        hadoop.serves = False
        with pytest.raises(OSError, match="answered with an error"):
            storage_of(hadoop.address).read(NAME)
        with pytest.raises(OSError, match="answered with an error"):
            storage_of(hadoop.address).fetch(NAME, tmp_path / "file")


def test_hadoops_own_library_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.files.storage.find_spec", lambda name: None if name == "pyarrow" else object())
    with pytest.raises(SettingsError, match=r"hdfs:// needs pyarrow: .* webhdfs://host:9870/folder needs none of them"):
        storage_of(Address("hdfs", "namenode:8020", "folder"))


def test_a_server_that_ssh_does_not_reach() -> None:
    with pytest.raises(SettingsError, match=r"sftp://127\.0\.0\.1:1: the connection to the store broke off"):
        storage_of(Address("sftp", "127.0.0.1:1", "folder"))


def test_a_server_whose_key_ssh_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = paramiko.Ed25519Key.from_private_key_file(str(_new_key(tmp_path / "key")))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    policy = storage._known_hosts_only()
    with pytest.raises(OSError, match="ssh does not know its key"):
        policy.missing_host_key(None, "host", key)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"host {key.get_name()} {key.get_base64()}\n")
    policy.missing_host_key(None, "host", key)
    with pytest.raises(OSError, match="ssh does not know its key"):
        policy.missing_host_key(None, "other", key)


def _new_key(path: Path) -> Path:
    import asyncssh

    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(path))
    return path


@pytest.mark.parametrize("name", ["a#1.jpg", "q?x.jpg"])
def test_names_that_a_library_misreads(name: str) -> None:
    with pytest.raises(OSError, match=r"its name holds [#?], which gcsfs misreads"):
        storage_of(Address("gs", "bucket"))._path(Path(name))  # type: ignore[attr-defined]


def test_the_folder_for_files_on_their_way_is_of_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = local_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(OSError, match="not a folder of this user alone") as error:
        local_folder()
    assert error.value.errno == errno.EACCES
