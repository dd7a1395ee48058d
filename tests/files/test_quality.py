import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.files.quality import at_matched_quality


@given(st.integers(0, 120))
def test_the_lowest_quality_that_is_as_large_as_the_source(size: int) -> None:
    tried: list[int] = []

    def encode(quality: int) -> bytes:
        tried.append(quality)
        return b"x" * quality

    content = at_matched_quality(encode, size)
    assert len(content) >= min(size, 95)
    assert all(quality < size for quality in tried if quality < len(content))
    assert len(tried) == len(set(tried)) <= 3


@pytest.mark.parametrize(("size", "quality"), [(0, 60), (60, 60), (61, 70), (95, 95), (1000, 95)])
def test_qualities(size: int, quality: int) -> None:
    assert len(at_matched_quality(lambda quality: b"x" * quality, size)) == quality
