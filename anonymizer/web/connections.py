"""Connections that cannot be held open by clients that do nothing, and that cannot use up the machine."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from anonymizer.web.limits import DISCARD_TIMEOUT_S, HEADER_TIMEOUT_S, MAX_CONNECTIONS, SEND_TIMEOUT_S

_LOOK_S = 1.0
"""How often each connection is looked at."""


class GuardedProtocol(H11Protocol):
    """Ends a connection whose client sends or reads nothing for too long. How long bodies take, `read_body` limits."""

    max_connections = MAX_CONNECTIONS
    _watch: asyncio.TimerHandle | None = None
    _since_s = 0.0
    """Since when the connection is as it is, on the clock of time.monotonic()."""
    _before: object = None

    @classmethod
    def limited_to(cls, number: int) -> type[GuardedProtocol]:
        """The same for a server that may have so many connections."""
        return type(cls.__name__, (cls,), {"max_connections": number})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
            return
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        what, limit_s = self._state()
        if what != self._before:
            self._before, self._since_s = what, time.monotonic()
        elif limit_s is not None and time.monotonic() - self._since_s > limit_s:
            self.transport.abort()
            return
        self._watch = self.loop.call_later(_LOOK_S, self._look)

    def _state(self) -> tuple[Any, float | None]:
        """What must change in time, and in how many seconds."""
        unread = self.transport.get_write_buffer_size()
        if unread:
            return ("unread", unread), SEND_TIMEOUT_S
        is_idle = self.cycle is None or self.cycle.response_complete
        if not is_idle:
            return "working", None
        if self.cycle is not None and self.conn.their_state is h11.SEND_BODY:
            return ("discarding", id(self.cycle)), DISCARD_TIMEOUT_S
        return ("waiting", id(self.cycle)), HEADER_TIMEOUT_S
