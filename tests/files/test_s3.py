from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from stores import BUCKET, free_port, moto_server, s3_at
from urllib3 import HTTPSConnectionPool

from anonymizer.addresses import Address
from anonymizer.errors import SettingsError
from anonymizer.files import storage
from anonymizer.files.s3 import Bucket, StatusError, _find_way
from anonymizer.files.storage import storage_of

NAMED = "<Error><Code>{}</Code><Message>arn:aws:iam::123456789012:user/someone</Message></Error>"


@dataclass
class Server:
    """Gives the same answer to all, and takes down what was asked."""

    status: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method and target."""
    signed_by: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    """Ports of the clients."""

    @contextmanager
    def running(self) -> Iterator[str]:
        """Yields its endpoint."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                server.asked.append(f"{self.command} {self.path}")
                server.signed_by.append(self.headers.get("Authorization", ""))
                server.digests.append(self.headers.get("Content-MD5", ""))
                server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                server.connections.add(self.client_address[1])
                self.send_response_only(server.status)
                for key, value in {"Content-Length": str(len(server.content)), **server.headers}.items():
                    if value:
                        self.send_header(key, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(server.content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - the names that http.server asks for

            def log_message(self, *arguments: object) -> None:
                """Says nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
            listening.daemon_threads = True
            thread = threading.Thread(target=listening.serve_forever, args=[0.05], daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listening.server_address[1]}"
            listening.shutdown()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with server.running() as url, s3_at(url):
        yield server


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def real(moto: str) -> Iterator[Bucket]:
    with s3_at(moto):
        yield new_bucket()


def new_bucket() -> Bucket:
    return Bucket(BUCKET, lambda size: 30.0)


def read(bucket: Bucket, key: str, most: int | None = None) -> bytes:
    content = BytesIO()
    bucket.get(key, content, most)
    return content.getvalue()


def test_what_was_put(real: Bucket) -> None:
    tag = real.put("a/b c.jpg", b"content")
    assert (read(real, "a/b c.jpg"), read(real, "a/b c.jpg", 3)) == (b"content", b"con")
    known = real.head("a/b c.jpg")
    (page,) = [real.page("a/", 9)]
    assert (known.key, known.size, known.tag) == ("a/b c.jpg", 7, tag)
    assert known.modified_s > 1.7e9
    assert [each._replace(modified_s=0) for each in page.objects] == [known._replace(modified_s=0)]
    assert abs(page.objects[0].modified_s - known.modified_s) < 2
    real.delete("a/b c.jpg")
    with pytest.raises(FileNotFoundError):
        real.head("a/b c.jpg")


def test_pages(real: Bucket) -> None:
    keys = [f"pages/{name}" for name in ("%41+ &.jpg", "\x01", "b/c", "d", "\u00e4")]
    for key in keys:
        real.put(key, b"")
    found, token, pages = set[str](), None, 0
    while pages == 0 or token is not None:
        page = real.page("pages/", 2, token)
        found |= {*page.folders, *(each.key for each in page.objects)}
        token, pages = page.following, pages + 1
    assert found == {*keys, "pages/b/"} - {"pages/b/c"}
    assert pages == 3


def test_parts(real: Bucket) -> None:
    upload = real.begin_upload("film 1.mp4")
    assert real.uploads("film") == [("film 1.mp4", upload)]
    parts = [b"x" * (5 << 20), b"end"]
    tags = [real.put_part("film 1.mp4", upload, number, part) for number, part in enumerate(parts, 1)]
    real.finish_upload("film 1.mp4", upload, tags, (5 << 20) + 3)
    assert read(real, "film 1.mp4") == b"".join(parts)
    real.abort_upload("film 1.mp4", real.begin_upload("film 1.mp4"))
    assert real.uploads("") == []


def test_names_need_not_be_encoded_in_answers(server: Server) -> None:
    modified = "<LastModified>2026-01-31T12:00:00.5Z</LastModified>"
    contents = f"<Contents><Key>a+b%41</Key><Size>1</Size>{modified}</Contents>"
    server.content = f"<ListBucketResult>{contents}</ListBucketResult>".encode()
    (found,) = new_bucket().page("", 9).objects
    assert (found.key, found.size, found.tag) == ("a+b%41", 1, "")
    assert found.modified_s == 1769860800.5


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "NoSuchKey", FileNotFoundError),
        (403, "AccessDenied", PermissionError),
        (400, "ExpiredToken", PermissionError),
        (400, "BadDigest", StatusError),
        (503, "SlowDown", OSError),
    ],
)
def test_errors_repeat_nothing_that_the_store_says(
    server: Server, status: int, code: str, error: type[OSError]
) -> None:
    server.status, server.content = status, NAMED.format(code).encode()
    with pytest.raises(error) as raised:
        read(new_bucket(), "a")
    assert "123456789012" not in str(raised.value)


def test_an_upload_that_fails_after_all(server: Server) -> None:
    for said in (NAMED.format("InternalError").encode(), b"no XML"):
        server.content = said
        with pytest.raises(OSError, match="Errno"):
            new_bucket().finish_upload("a", "upload", ["tag"], 1)


@pytest.mark.parametrize(
    "said",
    [
        NAMED.format("InternalError"),
        "<html><body>Log in</body></html>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>here</NextContinuationToken>"
        "</ListBucketResult>",
        "<InitiateMultipartUploadResult/>",
    ],
)
def test_what_is_no_listing_and_no_upload(server: Server, said: str) -> None:
    """With status 200. As a listing, each of it would be empty, or without end."""
    server.content = said.encode()
    bucket = new_bucket()
    for work in (partial(bucket.page, "", 9, "here"), partial(bucket.uploads, ""), partial(bucket.begin_upload, "a")):
        with pytest.raises(OSError, match="Errno"):
            work()


def test_a_content_whose_length_nobody_says(server: Server) -> None:
    """It may have broken off."""
    server.content, server.headers = b"content", {"Content-Length": "", "Connection": "close"}
    with pytest.raises(ConnectionResetError):
        read(new_bucket(), "a")


def test_a_status_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "DELAYS_S", ())
    server.status, server.content = 400, NAMED.format("BadDigest").encode()
    with pytest.raises(OSError, match=r"the store answered with an error \(400\)"):
        storage_of(Address("s3", BUCKET)).read(Path("a"))


def test_a_bucket_in_another_region(server: Server) -> None:
    """The server that answers so to every region is asked once more, and no further time."""
    server.status, server.headers = 301, {"x-amz-bucket-region": "eu-central-2"}
    bucket = new_bucket()
    for number in (2, 3):
        with pytest.raises(StatusError):
            bucket.put("a", b"content")
        assert len(server.asked) == number
    assert server.digests == ["mgNkuembtIDdJeHwKEyFVQ=="] * 3
    assert ["/us-east-1/s3/" in server.signed_by[0], *("/eu-central-2/s3/" in by for by in server.signed_by[1:])] == [
        True
    ] * 3
    assert server.bodies == [b"content"] * 3


def test_a_region_that_only_the_content_of_an_error_names(server: Server) -> None:
    server.status = 400
    server.content = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-2</Region></Error>"
    with pytest.raises(StatusError):
        read(new_bucket(), "a")
    assert ["/eu-central-2/s3/" in by for by in server.signed_by] == [False, True]


def test_regions_are_not_followed_without_end(server: Server) -> None:
    """Requests to this one are signed for another one."""
    server.status, server.headers = 301, {"x-amz-bucket-region": "aws-global"}
    with pytest.raises(StatusError):
        read(new_bucket(), "a")
    assert len(server.asked) == 2


def test_directory_buckets_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"pictures--usw2-az1--x-s3/a: directory buckets .* are not supported"):
        storage_of(Address("s3", "pictures--usw2-az1--x-s3", "a"))


def test_connections_are_used_again(server: Server) -> None:
    bucket = new_bucket()
    server.content = b"content"
    for work in (bucket.delete, bucket.head, lambda key: bucket.put(key, b""), lambda key: read(bucket, key)):
        work("a")
    server.status = 404
    with pytest.raises(FileNotFoundError):
        read(bucket, "a")
    assert len(server.connections) == 1
    server.status, server.content = 200, b"content" * 100_000
    assert read(bucket, "a", 7) == b"content"
    assert read(bucket, "a") == server.content
    assert len(server.connections) == 2  # what comes after the beginning is not waited for


def test_a_tag_that_is_said_twice(server: Server) -> None:
    server.headers = {"ETag": '"tag"', "Etag": '"tag"'}
    assert new_bucket().put("a", b"content") == new_bucket().head("a").tag == "tag"


def test_large_contents_go_in_blocks(server: Server) -> None:
    content = os.urandom(1_000_003)
    new_bucket().put("a", content)
    assert server.bodies == [content]


def test_proxies(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", os.environ["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example:9000/below")
    server.content = b"content"
    assert read(new_bucket(), "a b#?.jpg") == b"content"
    assert server.asked == [f"GET http://store.example:9000/below/{BUCKET}/a%20b%23%3F.jpg"]


def test_a_proxy_that_is_not_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "DELAYS_S", ())
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://someone:secret@127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    for url in ("http://store.example", "https://store.example"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        storage._bucket_of.cache_clear()
        storage_of.cache_clear()
        with pytest.raises(OSError, match="the connection to the store broke off, or cannot be made"):
            storage_of(Address("s3", BUCKET)).read(Path("a"))


def test_buckets_of_amazon_are_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_at("http://store.example"):
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        way = _find_way("pictures", "eu-central-1")
    assert way.url == "https://pictures.s3.eu-central-1.amazonaws.com/"
    assert (way.region, way.service) == ("eu-central-1", "s3")
    assert isinstance(way.pool, HTTPSConnectionPool)
    assert way.pool.ca_certs is not None
    assert way.pool.cert_reqs != "CERT_NONE"


def test_without_credentials(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(PermissionError, match="no credentials were found"):
        storage_of(Address("s3", BUCKET)).read(Path("a"))
    assert server.asked == []


def test_a_profile(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("[profile other]", "aws_access_key_id = ada", "aws_secret_access_key = secret", "region = eu-central-2")
    url = os.environ["AWS_ENDPOINT_URL"]
    (tmp_path / "config").write_text("\n".join([*lines, f"endpoint_url = {url}", "aws_session_token = token"]))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "other")
    new_bucket().put("a", b"content")
    assert server.asked == [f"PUT /{BUCKET}/a"]
    assert "Credential=ada/" in server.signed_by[0]
    assert "/eu-central-2/s3/" in server.signed_by[0]
    assert "x-amz-security-token" in server.signed_by[0]
