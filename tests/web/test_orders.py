from __future__ import annotations

from anonymizer.settings import Settings
from anonymizer.web.orders import Done, Failed, Order

SECRET = b"secret"
DONE = Done(SECRET, "image/png", "png", SECRET, SECRET, [(4, 3)], {"face": 1}, ["secret"], 0.5)


def test_nothing_of_a_picture_shows_in_messages() -> None:
    order = Order(SECRET, Settings(), detections=SECRET)
    for value in (order, DONE, Failed("picture-failed", "secret")):
        assert "secret" not in repr(value)


def test_what_may_be_kept_holds_no_file() -> None:
    kept = DONE.without_files()
    assert (kept.file, kept.detections, kept.mask) == (b"", b"", None)
    assert kept.counts == {"face": 1}
