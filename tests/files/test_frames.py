"""An image that Pillow opened becomes an upright frame, whatever its metadata say."""

from pathlib import Path

import pytest
from fakes import noise, save, smooth
from PIL import Image

from anonymizer.files.read import read_picture


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_impossible_orientations_count_as_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = noise(9, 11)
    picture = read_picture(save(tmp_path / "a.png", pixels, exif=exif))
    assert (picture.pixels == pixels).all()


def test_damaged_metadata_does_not_stop(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", smooth(9, 11), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_picture(path).encoding.orientation == 1


def test_xmp_alone_turns_nothing_but_leaves_it_in_doubt(tmp_path: Path) -> None:
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    path = save(tmp_path / "a.jpg", smooth(8, 16), xmp=xmp.encode())
    picture = read_picture(path)
    assert picture.encoding.orientation == 1
    assert picture.pixels.shape == (8, 16, 3)
    assert picture.frames[0].other_turns == (6,)
