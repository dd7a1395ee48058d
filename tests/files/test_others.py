from pathlib import Path

import pytest
from stores import in_memory

from anonymizer.files.others import is_of_the_system, is_source_text, kind_of_other


@pytest.mark.parametrize(
    ("name", "content", "is_of_it"),
    [
        (".DS_Store", b"", True),
        ("Thumbs.db", b"", True),
        ("Desktop.ini", b"", True),
        ("._a.jpg", b"\x00\x05\x16\x07\0", True),
        ("a.jpg", b"\x00\x05\x16\x07\0", False),
        ("._a.jpg", b"\xff\xd8\xff\xe0", False),
        ("notes.txt", b"", False),
    ],
)
def test_files_of_the_system(tmp_path: Path, name: str, content: bytes, is_of_it: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_of_the_system(tmp_path / name) is is_of_it


def test_in_a_store() -> None:
    root = in_memory(
        {"._a.jpg": b"\x00\x05\x16\x07 more", "code.ts": b"export {}", "film.ts": b"G\x40\x11\x10" + bytes(184)}
    )
    assert kind_of_other(root / "._a.jpg") == "AppleDouble"
    assert kind_of_other(root / "._gone.jpg") == ".jpg"
    assert [is_source_text(root / name) for name in ("code.ts", "film.ts", "gone.ts")] == [True, False, False]
