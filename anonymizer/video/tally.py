"""A digest over many things, for those that are too many to hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass
class Tally:
    """A running digest over things that come one by one."""

    number: int = 0
    _digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def add(self, *parts: bytes) -> None:
        self.number += 1
        for part in parts:
            self._digest.update(len(part).to_bytes(8, "big"))
            self._digest.update(part)

    @property
    def digest(self) -> bytes:
        return self._digest.digest()
