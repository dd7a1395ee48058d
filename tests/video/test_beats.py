import pytest

from anonymizer.types import Progress
from anonymizer.video import beats


@pytest.mark.parametrize(("frames", "text"), [(9, "checked 3 of 9 frames"), (None, "checked 3 frames")])
def test_each_beat_tells_how_many_frames_are_done(
    monkeypatch: pytest.MonkeyPatch, frames: int | None, text: str
) -> None:
    monkeypatch.setattr(beats, "SECONDS_BETWEEN_BEATS", 0.0)
    told: list[Progress] = []
    beats.beats(told.append, "checked", frames, (0.4, 1.0))(3)
    assert told == [text]
    assert told[0].share == (pytest.approx(0.6) if frames else None)


def test_beats_that_follow_at_once_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "SECONDS_BETWEEN_BEATS", 1e9)
    told: list[str] = []
    beat = beats.beats(told.append, "checked", 9)
    for done in range(9):
        beat(done)
    assert not told
