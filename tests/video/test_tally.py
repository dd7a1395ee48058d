"""Tests of anonymizer.video.tally."""

from anonymizer.video.tally import Tally


def digest_of(*things: tuple[bytes, ...]) -> bytes:
    tally = Tally()
    for parts in things:
        tally.add(*parts)
    assert tally.number == len(things)
    return tally.digest


def test_the_same_things_have_the_same_digest() -> None:
    assert digest_of((b"a", b"b"), (b"c",)) == digest_of((b"a", b"b"), (b"c",))
    assert digest_of((b"ab",)) != digest_of((b"a", b"b"))
    assert digest_of() != digest_of((b"",))
