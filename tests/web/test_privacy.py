from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, resource, sys
from anonymizer.web.privacy import forbid_core_dumps
forbid_core_dumps()
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
if sys.platform == "linux":
    import ctypes
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE
    with open(f"/proc/self/fd/{os.memfd_create('x')}", "wb") as file:  # codecs need that
        file.write(b"x")
"""


@pytest.mark.parametrize("wrap", ["", "import os; os.getuid() or os.setuid(65534)\n"])
def test_no_core_is_dumped_and_files_in_memory_still_work(wrap: str) -> None:
    script = SCRIPT.replace("forbid_core_dumps()\n", f"{wrap}forbid_core_dumps()\n", 1)
    subprocess.run([sys.executable, "-c", script], check=True)
