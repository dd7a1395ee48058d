"""The native code of this folder, its *.c files, where it was built: pip builds it where there is a C compiler.

It is quick, and nothing but quick: without it Python and other libraries do the same.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec

_LIBRARY = "anonymizer.files._native"


@cache
def library() -> ctypes.CDLL | None:
    """None if it was not built."""
    found = find_spec(_LIBRARY)
    if found is None or found.origin is None:
        return None
    native = ctypes.CDLL(found.origin)
    native.replace_in_scan.restype = ctypes.c_int64
    native.transform_blocks.restype = None
    return native
