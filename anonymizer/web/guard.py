"""Around every request: who may ask, what browsers are told, and what becomes of errors."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anonymizer.web.access import check_host, check_site
from anonymizer.web.limits import MAX_QUERY_BYTES
from anonymizer.web.metrics import Metrics
from anonymizer.web.problems import Problem

logger = logging.getLogger(__name__)

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""For every answer, whatever it is."""


class Guard:
    """An application around another one."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...], metrics: Metrics) -> None:
        """
        Args:
            names: of the server, beside localhost and addresses in numbers.
        """
        self._app = app
        self._names = names
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, send_guarded)
        except Problem as problem:
            await problem.to_response(_accepted(scope))(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001 - no error of one request reaches a log with its text
            _log(error)
            if status:
                raise ConnectionAbortedError from None  # the server closes the connection
            await Problem("internal", "please report what you did").to_response(_accepted(scope))(
                scope, receive, send_guarded
            )
        finally:
            self._metrics.requests[getattr(scope.get("route"), "path", "other"), status] += 1

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        check_host(headers.get("host", ""), self._names)
        check_site(scope["method"], headers)
        if len(scope["query_string"]) > MAX_QUERY_BYTES:
            raise Problem("bad-request", f"the address has more than {MAX_QUERY_BYTES} bytes behind the question mark")


def _accepted(scope: Scope) -> str:
    return Headers(scope=scope).get("accept", "")


def _log(error: Exception) -> None:
    """Where an error came from. Its text may quote what was posted."""
    places = [
        f"{frame.name} in line {frame.lineno} of {frame.filename}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    logger.error("a request ended with %s: %s", type(error).__name__, ", ".join(places))
