from fakes import face, noise, noise16
from redact.strategies import bare, redacted

FACE = face(10, 10, 30, 30)


def test_solid_paints_the_color() -> None:
    pixels = noise(40, 40)
    assert (redacted(pixels, [FACE], bare("solid", color="#102030"))[10:30, 10:30] == (16, 32, 48)).all()
    gray = redacted(pixels[:, :, :1], [FACE], bare("solid", color="#646464"))
    assert (gray[10:30, 10:30] == 100).all()
    deep = redacted(noise16(40, 40), [FACE], bare("solid", color="#102030"))
    assert (deep[10:30, 10:30] == (16 * 257, 32 * 257, 48 * 257)).all()


def test_mean_is_the_color_around_the_object() -> None:
    pixels = noise(40, 40)
    pixels[2:38, 2:38] = (10, 200, 90)
    assert (redacted(pixels, [FACE], bare("solid", color="mean"))[10:30, 10:30] == (10, 200, 90)).all()
