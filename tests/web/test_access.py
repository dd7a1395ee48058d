"""Names of the server, other sites, tokens and sessions."""

from __future__ import annotations

import pytest

from anonymizer.web.access import Keys, address_of, check_host, check_site
from anonymizer.web.problems import Problem

TOKEN = "a-token-for-tests-only"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "10.0.0.7", "blur.example:80"]
)
def test_the_server_has_names(host: str) -> None:
    check_host(host, ("blur.example",))


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "", "localhost.evil.example", "127.0.0.1.nip.io"),
        *("[::1]evil.example", "[::1%evil.example]", "1::%evil.example:80", "[evil.example]", "[::1"),
    ],
)
def test_names_that_could_be_bound_to_it_are_refused(host: str) -> None:
    with pytest.raises(Problem, match="server-name"):
        check_host(host, ("blur.example",))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8000", "host": "localhost:8000"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "none"},
    ],
)
def test_programs_and_own_pages_may_post(headers: dict[str, str]) -> None:
    check_site("POST", headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "host": "localhost:8000"},
        {"origin": "http://localhost:3000", "host": "localhost:8000"},
        {"origin": "null", "host": "localhost:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://localhost:8000", "host": "localhost:8000"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_pages_of_other_sites_may_not(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Problem, match="another site"):
        check_site(method, headers)
    check_site("GET", headers)


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_addresses_are_counted_by_customer(client: str, address: str) -> None:
    assert address_of(client) == address


def test_a_token_opens_the_door() -> None:
    keys = Keys(TOKEN)
    assert keys.needs_token
    assert keys.owner_of(f"Bearer {TOKEN}", None) == "token"
    for authorization in (None, "", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ä"):
        with pytest.raises(Problem) as caught:
            keys.owner_of(authorization, None)
        assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


def test_without_a_token_it_is_open() -> None:
    keys = Keys(None)
    assert not keys.needs_token
    assert not keys.is_token("")
    assert keys.owner_of(None, None) == ""


@pytest.mark.parametrize("token", [None, TOKEN])
def test_sessions_are_told_apart_and_cannot_be_made_up(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(token)
    one, other = keys.new_session(), keys.new_session()
    assert keys.owner_of(None, one) == keys.owner_of(None, one) != keys.owner_of(None, other)
    name, until, signature = one.split(".")
    assert len(name) >= 21
    for forged in (f"{name}.{int(until) + 9}.{signature}", f"{name}.{until}.{signature[:-1]}", "", "..", "a.b.ä", name):
        assert keys.session_of(forged) is None
    assert Keys(token).session_of(one) is None
    monkeypatch.setattr("time.time", lambda: int(until))
    assert keys.session_of(one) is None


def test_a_session_that_has_ended_is_none_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(TOKEN)
    one, other = keys.new_session(), keys.new_session()
    assert keys.end_session(one) is not None
    assert keys.end_session(one) is None
    assert keys.end_session("a.9999999999.b") is None
    assert keys.session_of(one) is None
    assert keys.session_of(other) is not None
    with pytest.raises(Problem):
        keys.owner_of(None, one)

    monkeypatch.setattr("anonymizer.web.access.MAX_ENDED_SESSIONS", 2)
    keys.end_session(keys.new_session())
    keys.end_session(keys.new_session())  # one too many to remember
    assert keys.session_of(other) is None
    assert keys.session_of(one) is None
    assert keys.session_of(keys.new_session()) is not None
