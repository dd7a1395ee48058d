"""Object stores and other places beyond this machine, over fsspec: the few verbs that the program needs there.

Local paths go the way of the operating system, in `find`, `read` and `write`, which hand addresses on to here.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import random
import stat
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache, partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, TypeVar

from anonymizer.addresses import PROTOCOLS, Address, Place
from anonymizer.errors import SettingsError

if TYPE_CHECKING:
    from anonymizer.files.s3 import Bucket, Object

logger = logging.getLogger(__name__)


class StoreError(OSError):
    """Says for users what is wrong, which another try does not change."""


T = TypeVar("T")
DELAYS_S = (0.1, 0.3, 0.8, 2.0, 5.0)
"""Pauses before further tries, seconds; each is drawn from half of it to one and a half, so that many do not try again
at the same moment."""
_TRY_THEMSELVES = ("gs", "az")
"""Whose libraries try again several times, in half a minute and a minute, before they say what is wrong."""
STALL_S = 30.0
"""How long a store may say nothing."""
CONNECT_S = 10.0
"""How long a store may take to accept a connection, where the library tries again by itself."""
LEAST_BYTES_PER_S = 20_000
"""A store that sends or takes less is too slow."""
_PAGE = 1000
_BLOCK = 1 << 18
_PART = 50 << 20
"""Bytes of the parts in which large files go to S3."""
_DEFINITE = (StoreError, FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
"""What another try does not change."""
_BROKEN = (
    "Connect",
    "HTTPClient",
    "Payload",
    "Stream",
    "Incomplete",
    "Protocol",
    "SSL",
    "SSH",
    "EOF",
    "ServiceRe",
    "Proxy",
)
"""What the names of errors of broken connections hold."""
_MISREAD: Mapping[str, Sequence[str]] = {"gs": ("#", "?"), "az": ("#", "?")}
"""Signs in names that libraries take for versions."""
_DIRECTORY_BUCKET = "--x-s3"
"""How names of buckets end that want other signatures than all others."""
_LIBRARIES = (
    "fsspec",
    "botocore",
    "urllib3",
    "gcsfs",
    "google",
    "adlfs",
    "azure",
    "paramiko",
    "aiohttp",
    "asyncio",
)
"""Whose own warnings may name accounts. Python prints those that nobody handles on stderr."""
_AS_EXTRA = "pip install 'anonymizer[stores]'"
_HOW_TO_INSTALL: Mapping[str, str] = {
    "hdfs": "pip install pyarrow, and Java and Hadoop with its libhdfs; webhdfs://host:9870/folder needs none of them",
}
_MISSING = "there is no such file, folder or bucket"
_REASONS = {errno.EBUSY: "the store is too busy", errno.EREMOTEIO: "the store had an error of its own"}


class Entry(NamedTuple):
    """A file or folder in a store."""

    name: str
    """Without its folder."""
    is_folder: bool = False
    size: int = 0
    """Bytes."""
    tag: str = ""
    """Differs when the content does: an ETag, or else the time of modification."""
    modified_ns: int = 0
    """By the clock of the store; 0 where it does not say."""
    is_link: bool = False

    @property
    def stamp(self) -> str:
        """Tells this content of the file from others."""
        return f"{self.size} {self.tag}"


class Storage(Protocol):
    """A folder in a store. Names are relative to it.

    All verbs raise OSError, whose `strerror` says for users what is wrong, and names neither address nor credentials:
    FileNotFoundError, PermissionError, or, after several tries, another one.
    """

    address: Address

    @property
    def is_exact(self) -> bool:
        """Whether names that differ in case, or in the way in which Unicode writes them, are surely of two files."""

    def list(self, folder: Path = Path()) -> Iterator[list[Entry]]:
        """What is directly in a folder, in pages. Nothing where there is no such folder."""

    def stat(self, name: Path) -> Entry | None:
        """A file as it is now; None if there is none."""

    def read(self, name: Path, most: int | None = None) -> bytes:
        """The bytes of a file, or the first `most` of them."""

    def fetch(self, name: Path, local: Path) -> None:
        """Copies a file to a local path."""

    def write(self, name: Path, content: bytes | Path) -> Entry:
        """Puts bytes, or a local file, under a name: all of it appears there at once, or nothing does."""

    def remove(self, name: Path) -> None:
        """Removes a file if it is there."""

    def clear_unfinished(self, name: Path) -> None:
        """Removes what interrupted writes of this file, or of all files in this folder, left hidden."""

    def noting(self) -> Any:
        """Context in which `write` takes down what it wrote, by name."""


class StoreFolder(ABC):
    """What all have in common: another try where it may help, and notes of what was written."""

    def __init__(self, address: Address) -> None:
        """
        Raises:
            SettingsError: the library is missing, or refuses the address.
        """
        self.address = address
        self._written: dict[Path, Entry] | None = None
        _require_library(address.protocol)

    @abstractmethod
    def stat(self, name: Path) -> Entry | None: ...

    @abstractmethod
    def remove(self, name: Path) -> None: ...

    def write(self, name: Path, content: bytes | Path) -> Entry:
        entry = self._put(name, content)
        if self._written is not None:
            self._written[name] = entry
        return entry

    @contextmanager
    def noting(self) -> Iterator[Mapping[Path, Entry]]:
        before, self._written = self._written, {}
        try:
            yield self._written
        finally:
            self._written = before

    @abstractmethod
    def _put(self, name: Path, content: bytes | Path) -> Entry: ...

    def _kept(self, name: Path, size: int) -> Entry:
        """What was sent, as the store has it.

        Raises:
            OSError: it has something else, which is removed.
        """
        entry = self.stat(name)
        if entry is None or entry.size != size:
            self.remove(name)
            raise StoreError(errno.EPROTO, "the store did not keep what was sent")
        return entry

    def _tried(self, work: Callable[[], T]) -> T:
        """The answer of the store, asked again where that may help.

        Raises:
            OSError: see `Storage`.
        """
        delays_s = () if self.address.protocol in _TRY_THEMSELVES else DELAYS_S
        for delay_s in (*delays_s, None):
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - each library has errors of its own
                clean = _to_clean_error(error)
                logger.debug("%s: %s: %s", self.address.protocol, type(error).__name__, clean.strerror)
                if delay_s is None or isinstance(clean, _DEFINITE):
                    raise clean from None
            _pause(delay_s)
            self._renew()
        raise AssertionError

    def _renew(self) -> None:  # noqa: B027 - most need nothing
        """Makes ready for another try."""

    def _key(self, name: Path) -> str:
        """
        Raises:
            OSError: stores want text.
        """
        key = (self.address / name).key
        try:
            key.encode()
        except UnicodeEncodeError:
            raise StoreError(errno.EILSEQ, "its name is not text in UTF-8, as stores want it") from None
        return key


class FsspecStorage(StoreFolder):
    """Any store that fsspec knows."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._fs = _filesystem(address.protocol, address.root)
        self._top = {"sftp": "", "webhdfs": "", "hdfs": "", "memory": f"/{address.root}"}.get(
            address.protocol, address.root
        )

    @property
    def is_exact(self) -> bool:
        return self.address.protocol != "sftp"

    def list(self, folder: Path = Path()) -> Iterator[list[Entry]]:
        try:
            found = self._tried(lambda: self._fs.ls(self._path(folder), detail=True))
        except FileNotFoundError:
            return
        entries = sorted(_to_entry(info) for info in found)
        del found
        for start in range(0, len(entries), _PAGE):
            yield entries[start : start + _PAGE]

    def stat(self, name: Path) -> Entry | None:
        try:
            entry = _to_entry(self._tried(lambda: self._fs.info(self._path(name))))
        except FileNotFoundError:
            return None
        return None if entry.is_folder else entry

    def read(self, name: Path, most: int | None = None) -> bytes:
        try:
            return bytes(self._tried(lambda: self._fs.cat_file(self._path(name), end=most)))
        except OSError:
            found = None if most is None else self.stat(name)
            if found is not None and not found.size:  # which has no first bytes to ask for
                return b""
            raise

    def fetch(self, name: Path, local: Path) -> None:
        before = self.stat(name)
        if before is None:
            raise FileNotFoundError(errno.ENOENT, _MISSING)
        self._tried(lambda: self._fs.get_file(self._path(name), str(local)))
        after = self.stat(name)  # large files are read in pieces
        if after is None or after.stamp != before.stamp or local.stat().st_size != before.size:
            raise StoreError(errno.ESTALE, "it has changed while it was read")

    def remove(self, name: Path) -> None:
        try:
            self._tried(lambda: self._fs.rm_file(self._path(name)))
        except FileNotFoundError:
            return

    def clear_unfinished(self, name: Path) -> None:
        """Most stores show nothing of it, and forget it by themselves."""

    def _put(self, name: Path, content: bytes | Path) -> Entry:
        path = self._path(name)
        self._tried(lambda: self._send(path, content))
        return self._kept(name, _size_of(content))

    def _send(self, path: str, content: bytes | Path) -> None:
        if isinstance(content, bytes):
            self._fs.pipe_file(path, content)
        else:
            self._fs.put_file(str(content), path)

    def _path(self, name: Path) -> str:
        """
        Raises:
            OSError: the library would take it for that of something else.
        """
        key = self._key(name)
        for sign in _MISREAD.get(self.address.protocol, ()):
            if sign in key:
                raise StoreError(
                    errno.EINVAL, f"its name holds {sign}, which {PROTOCOLS[self.address.protocol][0]} misreads"
                )
        return f"{self._top}/{key}".rstrip("/")


class RenamingStorage(FsspecStorage):
    """A server that has files and a rename of its own."""

    def clear_unfinished(self, name: Path) -> None:
        if name.name:
            super().remove(_partial_name(name))

    def _put(self, name: Path, content: bytes | Path) -> Entry:
        path, partial_path = self._path(name), self._path(_partial_name(name))

        def send() -> None:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._send(partial_path, content)

        size = _size_of(content)
        try:
            self._tried(send)
            sent = self.stat(_partial_name(name))
            if sent is None or sent.size != size:
                raise StoreError(errno.EPROTO, "the server did not keep what was sent")
            self._tried(lambda: self._rename(partial_path, path))
        except BaseException:
            self.clear_unfinished(name)
            raise
        return sent._replace(name=name.name)

    def _rename(self, path: str, new: str) -> None:
        self._fs.mv(path, new)


class SftpStorage(RenamingStorage):
    """A server of files over ssh."""

    def _renew(self) -> None:
        with suppress(Exception):  # the next try says why
            self._fs._connect()


class HdfsStorage(RenamingStorage):
    """Hadoop's file system by its own library. A rename there replaces nothing: what is to be replaced goes before."""

    def _put(self, name: Path, content: bytes | Path) -> Entry:
        entry, there = super()._put(name, content), self.stat(name)
        if there is None or there.stamp != entry.stamp:
            self.clear_unfinished(name)
            raise StoreError(errno.EPROTO, "the server did not rename what was sent")
        return there

    def _rename(self, path: str, new: str) -> None:
        if self._fs.exists(path):  # else an earlier try did it, whose answer was lost
            with suppress(FileNotFoundError):
                self._fs.rm_file(new)
            super()._rename(path, new)


class WebHdfsStorage(HdfsStorage):
    """Hadoop's file system over HTTP.

    fsspec itself takes what a data node says of an error for the content of a file.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        # Else a server that says nothing would be waited for without end.
        self._fs.session.request = partial(self._fs.session.request, timeout=(CONNECT_S, STALL_S))

    def list(self, folder: Path = Path()) -> Iterator[list[Entry]]:
        try:
            answer = self._tried(lambda: self._fs._call("LISTSTATUS", path=self._path(folder) or "/"))
        except FileNotFoundError:
            return
        found = answer.json()["FileStatuses"]["FileStatus"]
        entries = sorted(_of_hdfs(info["pathSuffix"], info) for info in found if info["pathSuffix"])
        for start in range(0, len(entries), _PAGE):
            yield entries[start : start + _PAGE]

    def stat(self, name: Path) -> Entry | None:
        try:
            answer = self._tried(lambda: self._fs._call("GETFILESTATUS", path=self._path(name)))
        except FileNotFoundError:
            return None
        entry = _of_hdfs(name.name, answer.json()["FileStatus"])
        return None if entry.is_folder else entry

    def read(self, name: Path, most: int | None = None) -> bytes:
        path = self._path(name)
        limit = {} if most is None else {"length": most}
        return bytes(self._tried(lambda: self._fs._call("OPEN", path=path, **limit).content))

    def fetch(self, name: Path, local: Path) -> None:
        before = self.stat(name)
        if before is None:
            raise FileNotFoundError(errno.ENOENT, _MISSING)
        path = self._path(name)

        def receive() -> None:
            answer = self._fs._call("OPEN", path=path, redirect=False)
            if "Location" in answer.headers:  # else a gateway has answered for the data node
                answer = self._fs.session.get(answer.headers["Location"], stream=True)
            with answer, open(local, "wb") as file:
                answer.raise_for_status()
                file.writelines(answer.iter_content(_BLOCK))

        self._tried(receive)
        if local.stat().st_size != before.size:
            raise StoreError(errno.ESTALE, "it has changed while it was read")

    def _send(self, path: str, content: bytes | Path) -> None:
        """The name node says which machine takes the content."""
        where = self._fs._call("CREATE", "PUT", path, redirect=False, overwrite="true").headers["Location"]
        with BytesIO(content) if isinstance(content, bytes) else open(content, "rb") as file:
            kind = {"Content-Type": "application/octet-stream"}
            self._fs.session.put(where, data=file, headers=kind).raise_for_status()


class S3Storage(StoreFolder):
    """S3 and what speaks its language. Lists page by page, and proves by the ETag that what was sent was kept."""

    _doubts_left = 3
    """How often an ETag other than the MD5 digest of what was sent has the content read back. In encrypted buckets they
    never are."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        if address.root.endswith(_DIRECTORY_BUCKET):
            raise SettingsError(f"{address}: directory buckets (S3 Express One Zone) are not supported")
        self._bucket = _bucket_of(address.root)

    @property
    def is_exact(self) -> bool:
        return True

    def list(self, folder: Path = Path()) -> Iterator[list[Entry]]:
        key = self._key(folder)
        prefix, token = f"{key}/" if key else "", None
        while True:
            page = self._tried(partial(self._bucket.page, prefix, _PAGE, token))
            folders = [Entry(below[len(prefix) : -1], True) for below in page.folders]
            files = [_of_s3(each.key[len(prefix) :], each) for each in page.objects]
            yield sorted([*folders, *(file for file in files if file.name)])  # "" marks the folder itself
            token = page.following
            if token is None:
                return

    def stat(self, name: Path) -> Entry | None:
        try:
            return _of_s3(name.name, self._tried(partial(self._bucket.head, self._key(name))))
        except FileNotFoundError:
            return None

    def read(self, name: Path, most: int | None = None) -> bytes:
        content = BytesIO()
        self._receive(name, content, most)
        return content.getvalue()

    def fetch(self, name: Path, local: Path) -> None:
        """By one request, so that all of it is of one version."""
        with open(local, "wb") as file:
            self._receive(name, file)

    def remove(self, name: Path) -> None:
        with suppress(FileNotFoundError):
            self._tried(partial(self._bucket.delete, self._key(name)))

    def clear_unfinished(self, name: Path) -> None:
        key = self._key(name)
        prefix = key if name.name or not key else f"{key}/"
        for unfinished, upload in self._tried(partial(self._bucket.uploads, prefix)):
            if not name.name or unfinished == key:
                self._tried(partial(self._bucket.abort_upload, unfinished, upload))

    def _receive(self, name: Path, sink: BinaryIO, most: int | None = None) -> None:
        def begin_anew() -> None:
            sink.seek(0)
            sink.truncate()
            self._bucket.get(self._key(name), sink, most)

        self._tried(begin_anew)

    def _put(self, name: Path, content: bytes | Path) -> Entry:
        if isinstance(content, Path):
            if content.stat().st_size >= 2 * _PART:
                return self._put_in_parts(name, content)
            content = content.read_bytes()
        for delay_s in (*DELAYS_S, None):
            tag = self._tried(partial(self._bucket.put, self._key(name), content))
            if not self._is_something_else(name, tag, content):
                return Entry(name.name, False, len(content), tag)
            if delay_s is not None:
                _pause(delay_s)
        self.remove(name)
        raise StoreError(errno.EPROTO, "the store keeps something else than what was sent")

    def _put_in_parts(self, name: Path, content: Path) -> Entry:
        key, size = self._key(name), content.stat().st_size
        upload = self._tried(partial(self._bucket.begin_upload, key))
        try:
            with open(content, "rb") as file:
                parts = enumerate(iter(partial(file.read, _PART), b""), 1)
                tags = [self._tried(partial(self._bucket.put_part, key, upload, *part)) for part in parts]
            self._tried(partial(self._bucket.finish_upload, key, upload, tags, size))
        except BaseException:
            with suppress(OSError):  # else the next run removes it
                self._tried(partial(self._bucket.abort_upload, key, upload))
            raise
        return self._kept(name, size)

    def _is_something_else(self, name: Path, tag: str, content: bytes) -> bool:
        if not self._doubts_left or tag.lower() == hashlib.md5(content, usedforsecurity=False).hexdigest():
            return False
        if self.read(name) != content:
            return True
        self._doubts_left -= 1
        return False


@lru_cache(maxsize=64)
def storage_of(address: Address) -> Storage:
    """The folder at an address. Nothing is asked of the store yet.

    Raises:
        SettingsError: the library for such addresses is missing, or does not find its way.
    """
    if address.protocol == "s3":
        return S3Storage(address)
    kinds: dict[str, type[FsspecStorage]] = {
        "sftp": SftpStorage,
        "hdfs": HdfsStorage,
        "webhdfs": WebHdfsStorage,
    }
    return kinds.get(address.protocol, FsspecStorage)(address)


@lru_cache(maxsize=16)
def _bucket_of(name: str) -> Bucket:
    """All folders of a bucket share its connections: to find the way to it takes 0.1 s."""
    from anonymizer.files.s3 import Bucket

    return Bucket(name, _patience_s)


def read_bytes(place: Place) -> bytes:
    """
    Raises:
        OSError: it cannot be read.
    """
    return storage_of(place.parent).read(Path(place.name)) if isinstance(place, Address) else place.read_bytes()


@contextmanager
def opened(place: Place) -> Iterator[BinaryIO]:
    """A file for reading; one in a store is brought into a temporary file.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(place, Path):
        with open(place, "rb") as file:
            yield file
        return
    with tempfile.NamedTemporaryFile(prefix="anonymize-") as temporary:
        storage_of(place.parent).fetch(Path(place.name), Path(temporary.name))
        with open(temporary.name, "rb") as file:
            yield file


def read_beginning(place: Place, size: int) -> bytes:
    """The first bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(place, Address):
        return storage_of(place.parent).read(Path(place.name), size)
    with open(place, "rb") as file:
        return file.read(size)


def is_file(place: Place) -> bool:
    """Whether there is a file.

    Raises:
        OSError: a store does not say.
    """
    return (
        storage_of(place.parent).stat(Path(place.name)) is not None if isinstance(place, Address) else place.is_file()
    )


def _require_library(protocol: str) -> None:
    """
    Raises:
        SettingsError: it is missing.
    """
    for module in PROTOCOLS[protocol]:
        if find_spec(module) is None:
            raise SettingsError(f"{protocol}:// needs {module}: {_HOW_TO_INSTALL.get(protocol, _AS_EXTRA)}")
    for library in _LIBRARIES:
        logging.getLogger(library).addHandler(logging.NullHandler())


@lru_cache(maxsize=16)
def _filesystem(protocol: str, root: str) -> Any:
    """What speaks with a store. Listings are never taken from a cache.

    Raises:
        SettingsError: there is no way to the store.
    """
    import fsspec

    try:
        if protocol == "sftp":
            return fsspec.filesystem("sftp", **_ssh_options(root))
        if protocol in ("hdfs", "webhdfs"):
            return fsspec.filesystem(protocol, **_hadoop_options(root))
        if protocol == "memory":
            return fsspec.filesystem("memory")
        if protocol == "gs":
            return fsspec.filesystem("gs", use_listings_cache=False, requests_timeout=_patience_of_aiohttp())
        return fsspec.filesystem(protocol, use_listings_cache=False)
    except Exception as error:  # noqa: BLE001 - each library has errors of its own
        reason = _to_clean_error(error).strerror
        if protocol == "az" and isinstance(error, ValueError):  # adlfs wants them before it asks the store
            reason = "name the account in AZURE_STORAGE_ACCOUNT_NAME, or all in AZURE_STORAGE_CONNECTION_STRING"
        raise SettingsError(f"{protocol}://{root}: {reason}") from None


def _patience_of_aiohttp() -> Any:
    """Without it gcsfs would wait forever."""
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=STALL_S)


def _ssh_options(root: str) -> dict[str, Any]:
    user, _, host = root.rpartition("@")
    name, _, port = host.partition(":")
    return {
        "host": name,
        **({"port": int(port)} if port.isdecimal() else {}),
        **({"username": user} if user else {}),
        "host_key_policy": _known_hosts_only(),
        "timeout": STALL_S,
    }


def _hadoop_options(root: str) -> dict[str, Any]:
    user, _, host = root.rpartition("@")
    name, _, port = host.partition(":")
    return {
        "host": name,
        **({"port": int(port)} if port.isdecimal() else {}),
        "user": user or os.environ.get("HADOOP_USER_NAME"),
    }


def _known_hosts_only() -> Any:
    """fsspec takes the key of any server; this takes those that ssh knows."""
    import paramiko

    def refuse_unknown(policy: object, client: object, hostname: str, key: Any) -> None:
        known = paramiko.HostKeys()
        for file in (Path("/etc/ssh/ssh_known_hosts"), Path.home() / ".ssh" / "known_hosts"):
            if file.is_file():
                known.load(str(file))
        if not known.check(hostname, key):
            raise StoreError(errno.EACCES, "ssh does not know its key: see known_hosts")

    return type("KnownHostsOnly", (paramiko.MissingHostKeyPolicy,), {"missing_host_key": refuse_unknown})()


def _patience_s(size: int) -> float:
    """How long an answer of so many bytes may take."""
    return STALL_S + size / LEAST_BYTES_PER_S


def _size_of(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _to_entry(info: Mapping[str, Any]) -> Entry:
    name = str(info["name"]).rstrip("/").rpartition("/")[2]
    if info.get("type") == "directory":
        return Entry(name, True)
    size = int(info.get("size", info.get("Size", 0)) or 0)
    moments = (info.get(key) for key in ("LastModified", "last_modified", "updated", "mtime", "created"))
    modified_ns = next((_to_ns(moment) for moment in moments if moment), 0)
    return Entry(name, False, size, _plain_tag(info) or str(modified_ns), modified_ns, info.get("type") == "link")


def _of_s3(name: str, known: Object) -> Entry:
    modified_ns = int(known.modified_s * 1e9)
    return Entry(name, False, known.size, known.tag or str(modified_ns), modified_ns)


def _of_hdfs(name: str, info: Mapping[str, Any]) -> Entry:
    """As WebHDFS says it. Each file that is created has another fileId."""
    if info["type"] == "DIRECTORY":
        return Entry(name, True)
    modified_ms = int(info["modificationTime"])
    tag = f"{info.get('fileId', 0)}-{modified_ms}"
    return Entry(name, False, int(info["length"]), tag, modified_ms * 1_000_000, info["type"] == "SYMLINK")


def _plain_tag(info: Mapping[str, Any]) -> str:
    tag = next((info[key] for key in ("ETag", "etag") if info.get(key)), "")
    return str(tag).strip('"')


def _to_ns(moment: Any) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return int((moment.timestamp() if isinstance(moment, datetime) else float(moment)) * 1e9)


def _to_clean_error(error: Exception) -> OSError:
    """What is wrong, in words that hold no address, key, account or credential: what libraries say may."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(errno.ENOENT, _MISSING)
    if isinstance(error, PermissionError):
        return PermissionError(errno.EACCES, "access denied")
    if isinstance(error, _DEFINITE):
        return type(error)(error.errno, os.strerror(error.errno or errno.EIO))
    name = type(error).__name__
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return OSError(errno.ETIMEDOUT, "the store took too long")
    if isinstance(error, OSError) and error.errno in _REASONS:
        return OSError(error.errno, _REASONS[error.errno])
    if isinstance(error, ConnectionError) or any(word in name for word in _BROKEN):
        return OSError(errno.ECONNRESET, "the connection to the store broke off, or cannot be made")
    if "Credentials" in name:
        return PermissionError(errno.EACCES, "no credentials were found")
    status = getattr(error, "status", None)
    return OSError(errno.EPROTO, f"the store answered with an error ({status if isinstance(status, int) else name})")


def _pause(delay_s: float) -> None:
    time.sleep(delay_s * random.uniform(0.5, 1.5))


def _partial_name(name: Path) -> Path:
    digest = hashlib.sha256(name.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return name.with_name(f".{digest}.partial")


def local_folder() -> Path:
    """A folder for files on their way from and to stores, which nobody else of this machine can enter.

    Raises:
        OSError: there is none.
    """
    folder = Path(tempfile.gettempdir()) / f"anonymize-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise OSError(errno.EACCES, f"{folder} is not a folder of this user alone")
    return folder
