from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import load, noise, save, smooth
from files.samples import PROFILE, moving, rewrite, rewrite_frames, save_frames
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import webp
from anonymizer.files.encode import encode_picture
from anonymizer.files.metadata import Policy
from anonymizer.files.read import read_picture


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_data_behind_a_webp_picture_are_left_out(tmp_path: Path, lossless: bool, frames: int, mode: str) -> None:
    path = save_frames(tmp_path / "a.webp", moving(mode)[:frames], lossless=lossless)

    def hide(chunks: Iterable[webp.Chunk]) -> Iterator[webp.Chunk]:
        for kind, data in chunks:
            if kind == b"ANMF":
                yield kind, data[:16] + webp.join_chunks(hide(webp.read_chunks(data[16:])))
            else:
                yield kind, data + b"hidden" * 9 if kind in webp.PICTURE_CHUNKS else data

    content = path.read_bytes()
    path.write_bytes(webp.write_riff(b"WEBP" + webp.join_chunks(hide(webp.read_file_chunks(content)))))
    picture = read_picture(path)
    changed = [np.zeros((30, 40), bool)] * frames
    encoded = encode_picture(picture, picture.frames, changed, "keep")
    assert b"hidden" not in encoded.content


def test_a_second_picture_in_a_webp_file_is_refused(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "a.webp", moving()[:1], lossless=True)
    chunks = webp.read_file_chunks(path.read_bytes())
    path.write_bytes(webp.write_riff(b"WEBP" + webp.join_chunks([*chunks, chunks[-1]])))
    with pytest.raises(PictureError, match="not one picture"):
        rewrite_frames(path)


def test_lossy_webp_without_a_change_keeps_its_picture_data_byte_for_byte(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.webp", noise(20, 30), quality=70)
    path = save(tmp_path / "a.webp", noise(20, 30), quality=70, xmp=b"somebody")
    path.write_bytes(path.read_bytes() + b"hidden behind the end")
    content = rewrite(path).read_bytes()
    assert content[-100:] == plain.read_bytes()[-100:]
    assert b"somebody" not in content
    assert (load(rewrite(path)) == load(plain)).all()


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_metadata_of_webp(tmp_path: Path, policy: Policy) -> None:
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    exif.get_ifd(0x8769)[0xA434] = "a lens"
    path = save(tmp_path / "a.webp", smooth(20, 30), exif=exif, xmp=b"a caption", icc_profile=PROFILE)
    content = rewrite(path, policy=policy).read_bytes()
    assert PROFILE in content
    assert (b"a lens" in content) == (policy != "strip")
    assert (b"somebody" in content) == (policy == "keep")
    assert (b"a caption" in content) == (policy == "keep")
