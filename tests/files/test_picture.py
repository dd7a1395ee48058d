import numpy as np
from fakes import noise

from anonymizer.files.picture import Encoding, Frame, Picture, to_image


def test_detectors_look_at_what_is_shown_where_the_pixels_are_in_other_colours() -> None:
    cmyk, rgb = noise(4, 5, 4), noise(4, 5, 3)
    assert Frame(cmyk, shown=rgb).view is rgb
    assert Frame(rgb).view is rgb


def test_a_picture_speaks_of_its_first_frame() -> None:
    first, second = noise(4, 5), noise(4, 5, seed=1)
    picture = Picture((Frame(first, first[:, :, 0]), Frame(second)), b"", Encoding("GIF"))
    assert picture.pixels is first
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, first[:, :, 0])


def test_images_have_the_mode_of_their_channels() -> None:
    assert [to_image(noise(4, 5, channels)).mode for channels in (1, 3, 4)] == ["L", "RGB", "RGBA"]
