from fakes import noise

from anonymizer.detect.views import fitted_views


def sizes(height, width, *longest_sides):
    return [view.shape for view in fitted_views(noise(height, width), longest_sides)]


def test_pictures_are_shrunk_but_never_enlarged():
    assert sizes(100, 200, 50, 100) == [(25, 50, 3), (50, 100, 3)]
    assert sizes(100, 200, 150, 1000) == [(75, 150, 3), (100, 200, 3)]


def test_equal_sizes_count_once():
    assert sizes(100, 200, 200, 640, 1280) == [(100, 200, 3)]


def test_without_a_limit_the_picture_is_taken_as_it_is():
    assert sizes(100, 200) == [(100, 200, 3)]


def test_thin_pictures_keep_a_pixel():
    assert sizes(1, 3000, 640) == [(1, 640, 3)]
