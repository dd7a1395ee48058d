"""Whatever a file holds, it is refused by a sentence, for a picture or as a whole."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record.exports.exported import PICTURES

from anonymizer.errors import PictureError
from anonymizer.record.exports.correction import compare
from anonymizer.record.exports.formats import EXPORT_FORMATS

SIZES = {picture.name: picture.size for picture in PICTURES}
ODD: list[Any] = [
    None,
    True,
    [],
    {},
    [[]],
    [None],
    "",
    "x",
    -1,
    0,
    1e308,
    10**400,
    float("nan"),
    {"id": []},
    [["a"]],
    "\ud800",
]


def read_and_compare(name: str, files: dict[str, bytes]) -> None:
    export_format = EXPORT_FORMATS[name]
    try:
        read = export_format.read(files, SIZES)
    except ValueError:
        return
    for picture in read:
        for recorded in PICTURES:
            if recorded.name == picture.name:
                with suppress(PictureError):
                    compare(export_format, recorded, picture, {})


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value in a tree of lists and mappings."""
    children = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    return [path, *(place for key, child in children for place in places_in(child, (*path, key)))]


def with_odd(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = with_odd(value[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("name", ["coco", "label-studio"])
def test_odd_values_in_json(name: str) -> None:
    """Each value of an export, replaced by each odd one."""
    files = EXPORT_FORMATS[name].write(PICTURES[:1], "out")
    (file,) = (file for file in files if file.endswith(".json"))
    content = json.loads(files[file])
    for path in places_in(content):
        for odd in ODD:
            read_and_compare(name, {file: json.dumps(with_odd(content, path, odd)).encode()})


@pytest.mark.parametrize("name", ["cvat", "voc", "yolo", "kitti", "csv"])
@given(data=st.data())
def test_odd_values_in_text(name: str, data: st.DataObject) -> None:
    """A word of an export, replaced by another one."""
    files = dict(EXPORT_FORMATS[name].write(PICTURES[:1], "out"))
    file = data.draw(st.sampled_from(sorted(files)))
    words = list(re.finditer(r"[\w.+-]+", files[file].decode()))
    word = data.draw(st.sampled_from(words))
    odd = data.draw(st.sampled_from(["", "x", "-1", "nan", "inf", "1e999", "<", '"', "{", "[[", "0", "\x00"]))
    text = files[file].decode()
    read_and_compare(name, {**files, file: f"{text[: word.start()]}{odd}{text[word.end() :]}".encode()})


@pytest.mark.parametrize("name", EXPORT_FORMATS)
@given(data=st.data())
def test_damaged_bytes(name: str, data: st.DataObject) -> None:
    files = dict(EXPORT_FORMATS[name].write(PICTURES[:1], "out"))
    file = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[file])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_and_compare(name, {**files, file: bytes(content)})
