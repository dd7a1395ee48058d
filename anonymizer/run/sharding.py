"""Which share of a folder a picture is in."""

from __future__ import annotations

from hashlib import sha256

from anonymizer.settings import Shard


def is_in_shard(name: str, shard: Shard | None) -> bool:
    """Whether a picture is in the share, the same on all machines. None is the whole folder.

    Args:
        name: path relative to the input root, with forward slashes.
    """
    if shard is None:
        return True
    digest = sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % shard.of == shard.number - 1
