"""The table of formats: names and extensions are clear, and files are told by how they begin."""

import io
import re

import pytest
from fakes import smooth
from PIL import Image

from anonymizer.files.codecs import Codec, codec_of
from anonymizer.files.heic import can_read_heic
from anonymizer.formats import EXTENSIONS, FORMATS, Format


def saved_as(file_format: Format) -> bytes:
    if file_format == "HEIF" and not can_read_heic():
        pytest.skip("needs pillow-heif")
    buffer = io.BytesIO()
    Image.fromarray(smooth(16, 16)).save(buffer, file_format)
    return buffer.getvalue()


def test_an_extension_belongs_to_one_format() -> None:
    assert len(EXTENSIONS) == len(set(EXTENSIONS)) == sum(len(row.extensions) for row in FORMATS.values())
    assert all(re.fullmatch("[a-z0-9]+", extension) for extension in EXTENSIONS)


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_has_a_codec(file_format: Format) -> None:
    assert isinstance(codec_of(file_format), Codec)


@pytest.mark.parametrize("file_format", FORMATS)
def test_files_begin_as_the_table_says_and_as_those_of_no_other_format(file_format: Format) -> None:
    content = saved_as(file_format)
    row = FORMATS[file_format]
    assert re.match(row.start, content, re.DOTALL)
    assert re.match(row.header, content, re.DOTALL)
    assert [name for name, other in FORMATS.items() if re.match(other.start, content, re.DOTALL)] == [file_format]
