"""Stores for tests: in memory, S3 by moto in this process or by rclone in another one, and a proxy that does harm."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from unittest import mock
from urllib.parse import parse_qsl, quote, unquote, urlencode
from urllib.request import Request, urlopen

from anonymizer.addresses import Address
from anonymizer.files import storage
from anonymizer.files.storage import storage_of

BUCKET = "pictures"
_numbers = itertools.count()


def in_memory(contents: Mapping[str, bytes]) -> Address:
    """A new folder in the memory of this process."""
    return fill(Address("memory", f"test-{os.getpid()}-{next(_numbers)}", "folder"), contents)


def fill(root: Address, contents: Mapping[str, bytes]) -> Address:
    for name, content in contents.items():
        storage_of(root).write(Path(name), content)
    return root


def contents_of(root: Address, folder: Path = Path()) -> dict[str, bytes]:
    """All files below an address."""
    contents: dict[str, bytes] = {}
    for page in storage_of(root).list(folder):
        for entry in page:
            name = folder / entry.name
            contents |= contents_of(root, name) if entry.is_folder else {name.as_posix(): storage_of(root).read(name)}
    return contents


@contextmanager
def s3_at(url: str) -> Iterator[None]:
    """S3 is at this endpoint meanwhile, also for processes that are started."""
    keys = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "something", "AWS_REGION": "us-east-1"}
    _forget_connections()
    with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": url, **keys}):
        yield
    _forget_connections()


def _forget_connections() -> None:
    storage.storage_of.cache_clear()
    storage._bucket_of.cache_clear()


@contextmanager
def moto_server() -> Iterator[str]:
    """Yields the endpoint of an S3 server in this process, with an empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with s3_at(url):
            with urlopen(
                Request(f"{url}/moto-api/reset", method="POST")
            ):  # all such servers of a process share a state
                pass
            boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield url
    finally:
        server.stop()


def rclone() -> str | None:
    """The program; None where it is not installed."""
    beside = Path(sys.executable).with_name("rclone")
    return str(beside) if beside.is_file() else shutil.which("rclone")


@contextmanager
def rclone_server(folder: Path) -> Iterator[str]:
    """Yields the endpoint of an S3 server whose buckets are the folders in a folder; it has one that is empty."""
    program = rclone()
    assert program is not None
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    arguments = [
        "serve",
        "s3",
        str(folder),
        "--addr",
        f"127.0.0.1:{port}",
        "--config",
        os.devnull,
        "--vfs-cache-mode",
        "off",
    ]
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _await_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def sftp_server(folder: Path) -> Iterator[Address]:
    """Yields the address of a folder on a server of files over ssh, in this process, whose key ssh knows.

    Args:
        folder: for the files, the keys and a home of the user.
    """
    import asyncssh

    class AnybodyMayEnter(asyncssh.SSHServer):
        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: object) -> bool:
            return True

    own_key, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    home = folder / "home" / ".ssh"
    home.mkdir(parents=True)
    own_key.write_private_key(str(home / "id_ed25519"))
    (folder / "files").mkdir()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=AnybodyMayEnter,
            server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=os.fsencode(folder / "files")),
        )

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    place = f"127.0.0.1:{server.get_port()}"
    line = f"[127.0.0.1]:{server.get_port()} {key.export_public_key().decode()}"
    (home / "known_hosts").write_text(line)
    with mock.patch.dict(os.environ, {"HOME": str(home.parent)}):
        yield Address("sftp", f"someone@{place}", "folder")
    _end_ssh()

    async def end() -> None:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.3)  # until it has seen that the clients are gone

    asyncio.run_coroutine_threadsafe(end(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


def _end_ssh() -> None:
    """Ends all connections."""
    from fsspec.implementations.sftp import SFTPFileSystem

    for filesystem in SFTPFileSystem._cache.values():
        filesystem.client.close()
    SFTPFileSystem.clear_instance_cache()
    storage.storage_of.cache_clear()
    storage._filesystem.cache_clear()


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _await_port(port: int) -> None:
    for _ in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("the server does not come up")


@dataclass
class FakeHadoop:
    """What a Hadoop cluster says over HTTP, after the documentation of WebHDFS. One process is name and data node."""

    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Number and content of each, by path."""
    renames: bool = True
    serves: bool = True
    """Whether the data node finds its blocks."""
    url: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def address(self) -> Address:
        return Address("webhdfs", f"someone@{self.url}", "folder")

    def answer(self, verb: str, path: str, asked: Mapping[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """Status, content and headers."""
        operation = asked["op"]
        if asked.get("user.name") != "someone" and "node" not in asked:
            return self._refuse(403, "AccessControlException")
        if (verb, operation) in (("GET", "OPEN"), ("PUT", "CREATE")) and "node" not in asked:
            if operation == "OPEN" and path not in self.files:
                return self._refuse(404, "FileNotFoundException")
            query = urlencode({**asked, "node": "1"})
            return 307, b"", {"Location": f"http://{self.url}/webhdfs/v1{quote(path)}?{query}"}
        if operation == "OPEN":
            length = int(asked["length"]) if "length" in asked else None
            return (200, self.files[path][1][:length], {}) if self.serves else self._refuse(500, "IOException")
        if operation == "CREATE":
            self.files[path] = next(self._numbers), body
            return 201, b"", {}
        if operation in ("LISTSTATUS", "GETFILESTATUS"):
            return self._look(operation, path)
        if operation == "RENAME":
            new = asked["destination"]
            done = self.renames and new not in self.files and path in self.files
            if done:
                self.files[new] = self.files.pop(path)
            return self._say({"boolean": done})
        if operation == "DELETE":
            return self._say({"boolean": self.files.pop(path, None) is not None})
        assert (verb, operation) == ("PUT", "MKDIRS")
        return self._say({"boolean": True})

    def _look(self, operation: str, path: str) -> tuple[int, bytes, dict[str, str]]:
        prefix = f"{path.rstrip('/')}/"
        below = {name.removeprefix(prefix).partition("/")[0] for name in self.files if name.startswith(prefix)}
        if path in self.files:
            found = [self._status("", path)]
        elif below:
            found = [self._status(name, prefix + name) for name in sorted(below)]
        else:
            return self._refuse(404, "FileNotFoundException")
        if operation == "GETFILESTATUS":
            return self._say({"FileStatus": self._status("", path)})
        return self._say({"FileStatuses": {"FileStatus": found}})

    def _status(self, name: str, path: str) -> dict[str, object]:
        number, content = self.files.get(path, (0, b""))
        kind = "FILE" if path in self.files else "DIRECTORY"
        time_ms = 1_700_000_000_000 + number
        return {"pathSuffix": name, "type": kind, "length": len(content), "modificationTime": time_ms, "fileId": number}

    def _say(self, what: object) -> tuple[int, bytes, dict[str, str]]:
        return 200, json.dumps(what).encode(), {"Content-Type": "application/json"}

    def _refuse(self, status: int, exception: str) -> tuple[int, bytes, dict[str, str]]:
        secret = "user=someone, inode=/secret"
        return status, json.dumps({"RemoteException": {"exception": exception, "message": secret}}).encode(), {}


@contextmanager
def webhdfs_server() -> Iterator[FakeHadoop]:
    """Yields a file system of Hadoop without Hadoop, in this process."""
    hadoop = FakeHadoop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, _, query = self.path.partition("?")
            place = unquote(path).removeprefix("/webhdfs/v1")
            status, content, headers = hadoop.answer(self.command, place, dict(parse_qsl(query)), body)
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names that http.server asks for

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hadoop.url = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield hadoop
    finally:
        storage_of(hadoop.address)._fs.session.close()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()


Harm = Literal["500", "503", "denied", "slow", "reset", "cut", "etag", "other content"]
"""500, 503, denied: such an answer. slow: hardly any bytes. reset: the connection breaks while the request is sent.
cut: it breaks in the middle of the answer. etag: the answer names a wrong one. other content: the server gets and keeps
something else than what was sent."""


@dataclass
class Fault:
    """What happens to some requests."""

    harm: Harm
    pattern: str
    """Of method and path, such as "PUT .*/a.jpg"."""
    times: int = 1
    """How often; then all is well."""
    met: int = 0
    """How often it has happened."""


@dataclass
class FaultProxy:
    """Stands between clients and a server, and does harm."""

    endpoint: str
    """Of the server."""
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Method and path of all."""

    @contextmanager
    def running(self) -> Iterator[str]:
        """Yields its endpoint."""
        proxy = self

        class Handler(_Handler):
            owner = proxy

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()

    def fault_of(self, request: str) -> Harm | None:
        for fault in self.faults:
            if fault.met < fault.times and re.fullmatch(fault.pattern, request):
                fault.met += 1
                return fault.harm
        return None


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        request = f"{self.command} {self.path}"
        self.owner.requests.append(request)
        harm = self.owner.fault_of(request)
        if harm == "reset":
            self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
            return self._break_off()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if harm in ("500", "503", "denied"):
            return self._refuse(harm)
        headers = {key: value for key, value in self.headers.items() if key.lower() != "connection"}
        if harm == "other content":
            body = bytes(byte ^ 1 for byte in body)
            headers = {key: value for key, value in headers.items() if "checksum" not in key.lower()}
        status, answer_headers, content = self._ask(body, headers)
        if harm == "etag":
            answer_headers = {**answer_headers, "ETag": f'"{"0" * 32}"'}
        self._answer(status, answer_headers, content, harm)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - the names that http.server asks for

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def _ask(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.owner.endpoint.removeprefix("http://"), timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for key, value in headers.items():
                connection.putheader(key, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
            dropped = ("transfer-encoding", "connection", "content-length")
            kept = {key: value for key, value in answer.getheaders() if key.lower() not in (*dropped, "etag")}
            kept |= {"ETag": tag} if (tag := answer.getheader("ETag")) else {}
            length = answer.getheader("Content-Length")
            return answer.status, {**kept, "Content-Length": length or str(len(content))}, content
        finally:
            connection.close()

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes, harm: Harm | None) -> None:
        self.send_response_only(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(OSError):  # the client has had enough
            if harm == "cut":
                self.wfile.write(content[: len(content) // 2])
                self._break_off()
            elif harm == "slow":
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.05)
            else:
                self.wfile.write(content)

    def _refuse(self, harm: Harm) -> None:
        status, code = {"500": (500, "InternalError"), "503": (503, "SlowDown"), "denied": (403, "AccessDenied")}[harm]
        secret = "arn:aws:iam::123456789012:user/someone with AKIASECRET"
        text = f"<Error><Code>{code}</Code><Message>{secret}</Message></Error>".encode()
        self._answer(status, {"Content-Length": str(len(text)), "Content-Type": "application/xml"}, text, None)

    def _break_off(self) -> None:
        """Ends the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
