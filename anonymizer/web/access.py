"""Who may ask for what: names of the server, other sites, the token, and the sessions of browsers."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from anonymizer.web.limits import MAX_ENDED_SESSIONS, SESSION_S
from anonymizer.web.problems import Problem

COOKIE = "anonymizer_session"
"""The beginning of its name."""
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = ("same-origin", "none")
"""Values of Sec-Fetch-Site for requests of this site, and for those that a person typed."""


@dataclass(frozen=True)
class Caller:
    """Whoever makes a request."""

    owner: str
    """Whose jobs these are: a session, the holders of the token, or "" for anyone who knows the name of a job."""
    address: str
    """What limits are counted by."""


def check_host(host: str, names: tuple[str, ...]) -> None:
    """Refuses names of the server that it does not have: a foreign site could have bound one of its names to our
    address (DNS rebinding). Addresses in numbers cannot be bound.

    Args:
        host: the header, with or without a port.

    Raises:
        Problem: the name is not known.
    """
    name = _without_port(host).lower()
    if name not in ("localhost", *names) and not _is_address(name):
        raise Problem("wrong-host", "add the name that you used to --server-name")


def _without_port(host: str) -> str:
    bracketed = re.fullmatch(r"\[([^]]*)\](:[0-9]*)?", host)
    if bracketed:
        return bracketed[1]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return "%" not in name  # behind it, a zone of IPv6 may be any text


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Refuses what a page of another site lets a browser do here. Programs send neither of these headers.

    Fetch Metadata Request Headers, W3C Working Draft 2025; RFC 6454 for Origin.

    Raises:
        Problem: another site is behind the request.
    """
    if method in _SAFE_METHODS:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        is_own = site in _OWN_SITES
    else:
        is_own = origin is None or origin.partition("://")[2] == headers.get("host")
    if not is_own:
        raise Problem("cross-site", "the request comes from a page of another site")


def address_of(client: str) -> str:
    """What limits are counted by: an IPv4 address, or the 64 bits of an IPv6 network that belong to one customer."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def cookie_name(server: tuple[str, int | None] | None) -> str:
    """
    Args:
        server: its address and port, as in ASGI. Browsers send cookies to all ports of a machine, and servers of
            equal names would sign each other's browsers out.
    """
    return COOKIE if server is None else f"{COOKIE}_{server[1]}"


class Keys:
    """The token, and the sessions of browsers that have shown it. Sessions are signed; only those are kept that have
    ended before their time.
    """

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else _digest(token)
        self._secret = secrets.token_bytes(32)
        self._ended: dict[str, int] = {}
        """Names of sessions, and until when they would have been valid."""

    @property
    def needs_token(self) -> bool:
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Takes as long whatever is given."""
        return self._token is not None and hmac.compare_digest(_digest(given), self._token)

    def new_session(self) -> str:
        """The value of a cookie. Only for those who have shown the token, where there is one."""
        text = f"{secrets.token_urlsafe(16)}.{int(time.time()) + SESSION_S}"
        return f"{text}.{self._sign(text)}"

    def session_of(self, cookie: str | None) -> str | None:
        """The name of a session that this server has begun; None if it has not, or it is too old."""
        text, _, signature = (cookie or "").rpartition(".")
        if not hmac.compare_digest(self._sign(text).encode(), signature.encode()):
            return None
        name, _, until = text.rpartition(".")
        return name if time.time() < int(until) and name not in self._ended else None

    def end_session(self, cookie: str | None) -> str | None:
        """The session of that cookie, which from now on is none; None if it was none before."""
        name = self.session_of(cookie)
        if name is None or cookie is None:
            return None
        now_s = time.time()
        self._ended = {name: until for name, until in self._ended.items() if until > now_s}
        if len(self._ended) >= MAX_ENDED_SESSIONS:  # no memory without end: then all sessions end
            self._secret, self._ended = secrets.token_bytes(32), {}
        self._ended[name] = int(cookie.split(".")[1])
        return name

    def owner_of(self, authorization: str | None, cookie: str | None) -> str:
        """Whose jobs a request may see.

        Args:
            authorization: the header.
            cookie: the value of the one that `cookie_name` names.

        Raises:
            Problem: a token is needed.
        """
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(given.strip()):
            return "token"
        session = self.session_of(cookie)
        if session is not None:
            return owner_of_session(session)
        if self.needs_token:
            detail = "send the token of the server as 'Authorization: Bearer TOKEN'"
            raise Problem("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
        return ""

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), "sha256").hexdigest()


def owner_of_session(name: str) -> str:
    """Whose jobs those of a session are."""
    return f"session {name}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
