import numpy as np
import pytest
from fakes import smooth
from files.samples import jpeg_file

from anonymizer.files import jpeg_segments
from anonymizer.files.inspect import inspect_file


def test_end_markers_in_tables_between_scans_do_not_end_the_picture() -> None:
    """The length of a table may look like the marker of the end."""
    scan = b"\xff\xda\0\2" + b"data" + b"\xff\xdb\0\6\xff\xd9xx" + b"\xff\xda\0\2" + b"more" + b"\xff\xd9"
    assert jpeg_segments.picture_data(b"\xff\xd8" + scan + b"trailing") == scan


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_tables_that_no_scan_uses_are_left_out(channels: int, progressive: bool) -> None:
    content = jpeg_file(smooth(40, 40)[:, :, :channels], progressive=progressive)
    secret = np.random.default_rng(0).bytes(264)
    unused = jpeg_segments.write_segment(jpeg_segments.DQT, b"\3" + secret[:64])
    counts = b"\0" * 7 + b"\xc8" + b"\0" * 8
    unused += jpeg_segments.write_segment(jpeg_segments.DHT, b"\3" + counts + secret[64:])
    with_unused = content[:2] + unused + content[2:]
    assert jpeg_segments.picture_data(with_unused) == jpeg_segments.picture_data(content)
    assert content.endswith(jpeg_segments.picture_data(content)[-200:])
    assert any("more data" in issue.text for issue in inspect_file(with_unused, "JPEG"))
    assert inspect_file(content, "JPEG") == []


def test_unused_tables_are_told_unless_they_repeat_a_used_one() -> None:
    plain = jpeg_file(smooth(20, 20))
    table = next(body for first, body in jpeg_segments.split_tables(jpeg_segments.read_segments(plain), 0xDB))
    same, other = (
        plain[:2] + jpeg_segments.write_segment(0xDB, b"\3" + data) + plain[2:] for data in (table, table[::-1])
    )
    assert jpeg_segments.unused_tables(plain) == jpeg_segments.unused_tables(same) == []
    assert jpeg_segments.unused_tables(other) == [table[::-1]]
    assert jpeg_segments.unused_tables(plain[:2] + jpeg_segments.write_segment(0xDB, b"\3cut") + plain[2:]) == []
