import numpy as np

from anonymizer.record.plots import HEIGHT_PX, WIDTH_PX, Bars, draw_bars, stack


def bar_heights(values: list[int]) -> list[int]:
    """Pixels of the bars' colour in the middle of each class."""
    pixels = draw_bars(Bars("", [""] * len(values), values))
    assert pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    step = (WIDTH_PX - 40) / len(values)
    columns = [pixels[:, round(20 + (index + 0.5) * step)] for index in range(len(values))]
    return [int((column == (42, 111, 151)).all(axis=1).sum()) for column in columns]


def test_heights_are_proportional() -> None:
    none, few, half, all_of_them = bar_heights([0, 1, 500, 1000])
    assert none == 0
    assert few > 0, "one object among thousands is seen"
    assert abs(half / all_of_them - 0.5) < 0.05


def test_nothing_at_all() -> None:
    assert bar_heights([0, 0]) == [0, 0]


def test_the_mark() -> None:
    with_mark = draw_bars(Bars("", ["", ""], [0, 0], 0.25))
    red = (with_mark == (176, 0, 32)).all(axis=2).any(axis=0)
    assert np.flatnonzero(red).tolist() == [170]


def test_large_numbers_are_short() -> None:
    for value in (9999, 10**4, 12345678, 10**12):
        assert draw_bars(Bars("", [""], [value])).shape == (HEIGHT_PX, WIDTH_PX, 3)


def test_stack() -> None:
    chart = draw_bars(Bars("", [""], [1]))
    assert stack([chart, chart]).shape == (2 * HEIGHT_PX, WIDTH_PX, 3)
    assert stack([]).shape == (1, 1, 3)
