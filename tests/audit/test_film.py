from collections.abc import Sequence

import numpy as np
from audit import drawn

from anonymizer.audit.film import redacted_frames, shake, tracks_for
from anonymizer.audit.redactions import redaction
from anonymizer.geometry import Box
from anonymizer.types import Detection, Pixels8
from anonymizer.video.finder import FrameFinder


class Still(FrameFinder):
    """Finds a face where the drawn one is, and a bit around it, in each frame."""

    def __init__(self) -> None:
        self.thresholds = {"face": 0.2}
        self.not_counted = 0

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        return [Detection(Box(y_min=24, x_min=34, y_max=140, x_max=126), 0.9, "face")]


def test_a_camera_shakes_and_the_attacker_undoes_it() -> None:
    film = shake(drawn.face(1), 6, seed=2)
    shown = list(film.shown())
    np.testing.assert_array_equal(shown[0], film.face.pixels)
    for index, frame in enumerate(shown[1:], start=1):
        before = np.abs(frame.astype(int) - film.face.pixels)[30:130, 30:130].mean()
        after = np.abs(film.undone(frame, index).astype(int) - film.face.pixels)[30:130, 30:130].mean()
        assert after < before


def test_a_film_has_the_size_and_the_frames_of_what_it_shows() -> None:
    film = shake(drawn.face(1), 4, seed=2)
    assert film.facts.upright_size == (drawn.SIZE, drawn.SIZE)
    assert [frame.index for frame in film.frames()] == [0, 1, 2, 3]


def test_a_redacted_film_hides_the_face_in_each_frame() -> None:
    film, solid = shake(drawn.face(1), 3, seed=0), redaction("solid")
    tracks = tracks_for(film, solid, Still())
    frames = list(redacted_frames(film.frames(), film.facts, tracks, solid, film.face))
    assert len(frames) == 3
    for before, after in frames:
        assert before[60:100, 65:95].max() > 60
        assert after[60:100, 65:95].max() < 20
