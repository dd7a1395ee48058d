import cv2
import numpy as np
import pytest
from recognise.faces import astronaut, couple, reader

from anonymizer.geometry import Box
from anonymizer.recognise.resemblance import PERHAPS_SAME_PERSON, SAME_PERSON, best_match, mean_vector
from anonymizer.types import Pixels8

FACE = Box(y_min=53, x_min=175, y_max=181, x_max=275)


def blurred() -> Pixels8:
    return np.asarray(cv2.GaussianBlur(astronaut(), (0, 0), 4), np.uint8)


def test_strangers_do_not_resemble_each_other() -> None:
    one = reader().read(astronaut(), FACE).vector
    other = reader().read(couple(), Box(y_min=266, x_min=444, y_max=393, x_max=539)).vector
    assert one is not None
    assert other is not None
    assert one @ other < PERHAPS_SAME_PERSON


def test_small_blurred_and_missing_faces_are_doubtful() -> None:
    small = np.ascontiguousarray(astronaut()[::3, ::3])
    assert reader().read(small, Box(y_min=17, x_min=58, y_max=60, x_max=92)).doubt == "is smaller than 64 pixels"
    assert reader().read(blurred(), FACE).vector is None
    empty = np.zeros((512, 512, 3), np.uint8)
    assert reader().read(empty, FACE).doubt == "shows no landmarks of a face"


@pytest.mark.parametrize(
    ("rgb", "doubt"), [(couple(), "shows more than one face"), (np.zeros((90, 90, 3), np.uint8), "shows no face")]
)
def test_a_picture_for_a_gallery_shows_one_face(rgb: Pixels8, doubt: str) -> None:
    assert reader().read_only_face(rgb).doubt == doubt
    assert reader().read_only_face(astronaut()).vector is not None


def test_the_mean_of_vectors_has_length_one_and_the_nearest_person_is_named() -> None:
    random = np.random.default_rng(1)
    vectors = [vector / np.linalg.norm(vector) for vector in random.normal(size=(3, 128)).astype(np.float32)]
    assert abs(float(np.linalg.norm(mean_vector(vectors))) - 1) < 1e-5
    name, cosine = best_match(vectors[1], {"ada": vectors[0], "grace": vectors[1]})
    assert name == "grace"
    assert cosine > SAME_PERSON
