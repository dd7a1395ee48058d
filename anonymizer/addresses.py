"""Addresses of folders and files beyond this machine, such as s3://bucket/folder. They hold no credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TypeAlias

PROTOCOLS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "s3": ("botocore",),
        "gs": ("gcsfs", "fsspec"),
        "az": ("adlfs", "fsspec"),
        "sftp": ("paramiko", "fsspec"),
        "webhdfs": ("requests", "fsspec"),
        "hdfs": ("pyarrow", "fsspec"),
        "memory": ("fsspec",),
    }
)
"""What addresses begin with, and the modules that each needs."""
_ALIASES = {"gcs": "gs", "abfs": "az", "ssh": "sftp"}
_WITH_USER = ("sftp", "webhdfs", "hdfs")
"""Whose addresses may name a user before the host."""
_BEGINNING = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True)
class Address:
    """A folder or file in a store. Behaves as a path where the program needs it to."""

    protocol: str
    """One of PROTOCOLS."""
    root: str
    """Bucket, container or host; of memory:// the first folder."""
    key: str = ""
    """Path below it, with forward slashes between its parts and none around them."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """
        Raises:
            ValueError: it is not an address of a store that can be used, or holds what should not be written down. The
                message does not repeat it.
        """
        match = _BEGINNING.match(text)
        protocol = "" if match is None else match[1].lower()
        protocol = _ALIASES.get(protocol, protocol)
        if match is None or protocol not in PROTOCOLS:
            known = ", ".join(f"{name}://" for name in PROTOCOLS)
            raise ValueError(f"addresses that begin with {protocol}:// are not supported, only paths and {known}")
        root, _, key = text[match.end() :].partition("/")
        user, at, _ = root.rpartition("@")
        if ":" in user or (at and protocol not in _WITH_USER):
            raise ValueError(
                f"an address of {protocol}:// must not hold credentials; give them as its library expects them: in the "
                "environment, in its configuration file, or by an agent"
            )
        if "?" in text:
            raise ValueError(f"an address of {protocol}:// must not hold a question mark, behind which secrets travel")
        parts = key.rstrip("/").split("/") if key.rstrip("/") else []
        if not root or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"an address of {protocol}:// names a bucket, container or host, then folders without ..")
        return cls(protocol, root, "/".join(parts))

    def __str__(self) -> str:
        return f"{self.protocol}://{self.root}" + (f"/{self.key}" if self.key else "")

    def __truediv__(self, below: str | PurePath) -> Address:
        text = below if isinstance(below, str) else below.as_posix()
        return self if text in ("", ".") else replace(self, key=f"{self.key}/{text}" if self.key else text)

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        return PurePath(self.name).suffix

    @property
    def parent(self) -> Address:
        return replace(self, key=self.key.rpartition("/")[0])

    def with_name(self, name: str) -> Address:
        return self.parent / name

    def with_suffix(self, suffix: str) -> Address:
        return self.with_name(str(PurePath(self.name).with_suffix(suffix)))

    def as_posix(self) -> str:
        return str(self)

    def is_relative_to(self, other: Address) -> bool:
        """Whether it is the same place, or lies inside."""
        is_below = not other.key or self.key == other.key or self.key.startswith(f"{other.key}/")
        return (self.protocol, self.root) == (other.protocol, other.root) and is_below


Place: TypeAlias = Path | Address
"""A folder or file, wherever it is."""


def is_address(text: str) -> bool:
    """Whether a user means an address rather than a path of this machine."""
    return _BEGINNING.match(text) is not None


def to_place(text: str) -> Place:
    """
    Raises:
        ValueError: see `Address.parse`.
    """
    return Address.parse(text) if is_address(text) else Path(text)
