import ctypes

from anonymizer import native


def test_a_library_of_another_version_is_not_used(monkeypatch):
    monkeypatch.setattr(native, "_INTERFACE", 0)
    native.library.cache_clear()
    try:
        assert native.library() is None
    finally:
        native.library.cache_clear()


def test_without_a_library_there_is_none(monkeypatch):
    monkeypatch.setattr(native, "_LIBRARY", "_not_built")
    native.library.cache_clear()
    try:
        assert native.library() is None
    finally:
        native.library.cache_clear()


def test_structures_are_handed_over_by_their_place():
    class Pair(ctypes.Structure):
        _fields_ = (("one", ctypes.c_int32), ("other", ctypes.c_int32))

    taken = []
    native.call(lambda *arguments: taken.extend(arguments), Pair(1, 2), 3, None)
    assert taken[1:] == [3, None]
    assert isinstance(taken[0], type(ctypes.byref(Pair())))
