from hypothesis import given
from hypothesis import strategies as st

from anonymizer.files.iso_boxes import read_boxes, write_box

BOXES = st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=20)))


@given(BOXES)
def test_boxes_are_read_as_they_were_written(boxes: list[tuple[bytes, bytes]]) -> None:
    assert list(read_boxes(b"".join(write_box(*box) for box in boxes))) == boxes


def test_large_sizes_and_boxes_up_to_the_end() -> None:
    large = b"\0\0\0\1" + b"mdat" + (19).to_bytes(8, "big") + b"abc"
    to_the_end = b"\0\0\0\0" + b"free" + b"the rest"
    assert list(read_boxes(large + to_the_end)) == [(b"mdat", b"abc"), (b"free", b"the rest")]


@given(st.binary(max_size=60))
def test_damaged_boxes_end(content: bytes) -> None:
    assert len(list(read_boxes(content))) <= len(content) // 8
