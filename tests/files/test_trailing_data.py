import pytest
from fakes import noise
from files.samples import jpeg_file, png_file

from anonymizer.files.trailing_data import is_complete


@pytest.mark.parametrize(
    ("content", "file_format"), [(jpeg_file(noise(40, 40)), "JPEG"), (png_file(noise(40, 40)), "PNG")]
)
def test_only_whole_data_are_complete(content: bytes, file_format: str) -> None:
    assert is_complete(content, file_format)
    assert not is_complete(content[: len(content) // 2], file_format)
    assert not is_complete(b"no picture", file_format)


def test_lenient_decoders_complete_what_is_cut_off() -> None:
    assert is_complete(jpeg_file(noise(40, 40))[:1000], "JPEG", allow_truncated=True)
