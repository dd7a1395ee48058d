import pytest
from fakes import face, noise
from redact.strategies import bare, redacted


@pytest.mark.parametrize(("cells", "tiles"), [(1, 4), (4, 4), (8, 8)])
def test_a_mosaic_is_made_of_tiles_of_one_color(cells: int, tiles: int) -> None:
    pixels, found = noise(80, 80), [face(8, 8, 72, 72)]
    tiled, smooth = (
        redacted(pixels, found, bare(method, cells=cells))[8:72, 8:72] for method in ("mosaic", "gaussian")
    )
    side = 64 // tiles
    assert (tiled == tiled[::side, ::side].repeat(side, axis=0).repeat(side, axis=1)).all()
    assert (tiled[::side, ::side] == smooth[side // 2 :: side, side // 2 :: side]).all()
