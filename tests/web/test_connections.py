"""Clients that do nothing, on real connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from fakes import noise
from web.served import Served, png

from anonymizer.web import connections

PICTURE = png(noise(40, 60))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_LOOK_S", 0.02)
    for name in ("HEADER_TIMEOUT_S", "SEND_TIMEOUT_S", "DISCARD_TIMEOUT_S"):
        monkeypatch.setattr(connections, name, 0.1)


@pytest.fixture
def connection(served: Served) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(served.address.rpartition(":")[2])), timeout=30) as connection:
        yield connection


def is_closed(connection: socket.socket) -> bool:
    """Waits until the server has closed it."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    return True


def send_for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(bytes(1000))
        time.sleep(0.01)


def test_a_connection_on_which_nothing_comes_is_closed(connection: socket.socket) -> None:
    assert is_closed(connection)


def test_headers_that_do_not_end_are_not_waited_for(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
    assert is_closed(connection)


def test_what_was_refused_is_not_listened_to_for_ever(connection: socket.socket) -> None:
    connection.sendall(b"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
    assert b" 413 " in connection.recv(1 << 16)
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        send_for_ever(connection)


def test_an_answer_that_nobody_reads_is_given_up(served: Served) -> None:
    large = png(noise(1200, 1500))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", int(served.address.rpartition(":")[2])))
        head = f"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(large)}\r\n\r\n"
        connection.sendall(head.encode() + large)
        while not served.api.admission.held_bytes:
            time.sleep(0.01)
        while served.api.admission.held_bytes:
            time.sleep(0.01)
        assert is_closed(connection)


def test_connections_beyond_the_limit_are_closed_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = connections.GuardedProtocol.limited_to(0)
    monkeypatch.setattr(served.server.config, "http_protocol_class", limited)
    with socket.create_connection(("127.0.0.1", int(served.address.rpartition(":")[2])), timeout=30) as connection:
        assert is_closed(connection)


def test_a_request_that_is_worked_on_is_not_disturbed(served: Served) -> None:
    assert served.redact(PICTURE).status_code == 200
