"""A file in the output folder by which other machines see that they write into that one, and not into one of theirs.

Without it a machine that does not share the folder would make one under the same path, and its outputs would be lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname

from anonymizer.errors import OutputError


@dataclass(frozen=True)
class Beacon:
    """Where the file is, and what it holds as long as the run goes on."""

    path: Path
    text: str

    def require(self) -> None:
        """
        Raises:
            OutputError: the file is not there, or is that of another run.
        """
        try:
            is_same = self.path.read_text() == self.text
        except OSError:
            is_same = False
        if not is_same:
            raise OutputError(
                f"output folder {self.path.parent} on {gethostname()} is not that of the machine where the run began; "
                "all machines of the cluster must share it, under the same path"
            )


@contextmanager
def lit_beacon(manifest: Path) -> Iterator[Beacon]:
    """A beacon beside a manifest, which nobody else writes to at the same time.

    Raises:
        OutputError: it cannot be written.
    """
    beacon = Beacon(manifest.absolute().with_name(f".{manifest.stem}.beacon"), secrets.token_hex(16))
    try:
        beacon.path.write_text(beacon.text)
    except OSError as error:
        raise OutputError(f"output folder {manifest.parent}: {error.strerror}") from None
    try:
        yield beacon
    finally:
        beacon.path.unlink(missing_ok=True)
