"""The native code of this package, its *.c files, where it was built: pip builds it where there is a C compiler.

It only saves time: wherever it is called, Python code beside it gives the same result, bit for bit.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIBRARY = "_native"  # beside this file
_INTERFACE = 3  # as in native.c: a new number whenever what a function takes changes
_INT, _LONG, _ARRAY = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p


@cache
def library() -> ctypes.CDLL | None:
    """None if it was not built, or for another version of this package."""
    # The plain .so first, as setup.py names it; the others bear the name of one Python version.
    places = (Path(__file__).with_name(_LIBRARY + suffix) for suffix in reversed(EXTENSION_SUFFIXES))
    place = next((place for place in places if place.exists()), None)
    if place is None:
        return None
    try:
        native = ctypes.CDLL(str(place))
    except OSError:  # built for another machine
        return None
    if not hasattr(native, f"interface_{_INTERFACE}"):
        return None
    takes: dict[str, list[Any]] = {
        "transform_blocks": [_ARRAY, *[_INT] * 3, _ARRAY, *[_INT] * 4, _ARRAY, _INT, *[_ARRAY] * 3],
        "draw_ellipse": [_ARRAY, *[_INT] * 4, *[ctypes.c_double] * 5, _INT],
        "sum_visible": [_ARRAY, _INT, _ARRAY, _INT, _ARRAY, _INT, _INT, _ARRAY],
        "sum_hidden": [_ARRAY, _INT, _ARRAY, _INT, _ARRAY, _INT, _ARRAY, _ARRAY],
        "blend_surface": [_ARRAY, *[_INT] * 5, *[_INT, _INT, _ARRAY] * 2, _ARRAY, _INT, _INT, _ARRAY, _INT],
        "take_better": [*[_ARRAY] * 3, *[_INT] * 4, _ARRAY, _INT, *[_ARRAY] * 3],
        "vote": [_ARRAY, _ARRAY, *[_INT] * 4, _ARRAY, _ARRAY, _ARRAY, _INT, _ARRAY],
        "replace_in_scan": [
            *(_ARRAY, _LONG, _ARRAY, *[_INT] * 4, _ARRAY, _ARRAY, _INT),
            *(_ARRAY, _ARRAY, _LONG, _ARRAY, _LONG, ctypes.POINTER(_LONG)),
        ],
    }
    for name, arguments in takes.items():
        function = getattr(native, name)
        function.argtypes, function.restype = arguments, None
    native.replace_in_scan.restype = _LONG
    return native


def is_available() -> bool:
    """Whether there is native code for this version and machine. Without, a run takes several times as long."""
    return library() is not None


def describe() -> str:
    """In a line, for a user."""
    return f"native code: {'yes' if is_available() else 'no: built without a C compiler; slower'}"


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls native code. Of arrays, whose values must lie one behind the other, and of structures it gets the place.

    Raises:
        ValueError: they do not.
    """
    import numpy as np  # here: `anonymize --version` asks for the native code, and must not wait for NumPy

    return function(*(_to_native(argument, np.ndarray) for argument in arguments))


def _to_native(argument: Any, array: type[NDArray[Any]]) -> Any:
    if isinstance(argument, array):
        if not argument.flags.c_contiguous:
            raise ValueError("an array with gaps")
        return argument.ctypes.data
    return ctypes.byref(argument) if isinstance(argument, ctypes.Structure) else argument
