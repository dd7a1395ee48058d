from pathlib import Path

import numpy as np
import pytest
from fakes import noise
from files.samples import alpha_of, moving, rewrite_frames, save_frames
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import gif
from anonymizer.files.encode import encode_picture
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture


def test_a_gif_that_turns_transparent_on_the_way(tmp_path: Path) -> None:
    """What is cleared is transparent then, also behind frames without a transparent pixel."""
    frames = moving("RGB")[:3]
    path = save_frames(tmp_path / "a.gif", frames, disposal=[1, 2, 1], duration=100)
    new, redacted = rewrite_frames(path, np.s_[18:25, 8:20])
    for expected, frame in zip(redacted, read_picture(new).frames, strict=True):
        assert (frame.alpha is None) == (expected.alpha is None)
        assert expected.alpha is None or np.array_equal(alpha_of(frame), expected.alpha)
        assert (frame.pixels == expected.pixels)[slice(None) if frame.alpha is None else frame.alpha > 0].all()


def test_a_gif_of_many_colours_keeps_them_outside_the_mask(tmp_path: Path) -> None:
    pixels = noise(16, 16)  # 256 colours
    path = tmp_path / "a.gif"
    Image.fromarray(pixels).quantize(256).save(path)
    picture = read_picture(path)
    changed = np.zeros((16, 16), bool)
    changed[4:8, 4:8] = True
    redacted = picture.pixels.copy()
    redacted[changed] = (1, 2, 3)
    encoded = encode_picture(picture, [Frame(redacted)], [changed], "strip")
    assert encoded.fidelity == "lossless"
    path.write_bytes(encoded.content)
    after = read_picture(path)
    assert (after.pixels == picture.pixels)[~changed].all()
    assert (after.pixels != picture.pixels)[changed].any(axis=-1).all()


def test_a_gif_of_too_many_colours_says_so(tmp_path: Path) -> None:
    """Frames that add to each other may show more colours together than one palette holds."""
    frames = [Image.fromarray(noise(20, 20, seed=seed)).quantize(256).convert("RGB") for seed in range(2)]
    frames[1].paste(frames[0].crop((0, 0, 20, 10)), (0, 0))
    path = save_frames(tmp_path / "a.gif", [frame.quantize(256) for frame in frames])
    picture = read_picture(path)
    both = np.concatenate([picture.frames[0].pixels[:10], noise(10, 20, seed=7)])
    changed = np.zeros((20, 20), bool)
    changed[0, 0] = True
    encoded = encode_picture(picture, [Frame(noise(20, 20)), Frame(both)], [changed, changed], "strip")
    assert encoded.fidelity == "reencoded"


def test_a_gif_whose_frames_reach_beyond_it_is_refused(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "a.gif", moving()[:3], duration=100)
    content = bytearray(path.read_bytes())
    last = list(gif.read_blocks(bytes(content)))[-1].content
    content[content.index(last) + 5 : content.index(last) + 7] = (5000).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(PictureError, match="beyond the picture"):
        read_picture(path)


def test_data_behind_the_pictures_of_a_gif_are_left_out(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "a.gif", moving()[:3], duration=100)
    content = path.read_bytes()
    parts = [
        block.head + gif.write_parts([block.data + b"hidden" * 50]) if block.kind == 0x2C else block.content
        for block in gif.read_blocks(content)
    ]
    path.write_bytes(content[: 13 + gif.table_size(content[10])] + b"".join(parts) + b";")
    assert b"hidden" in path.read_bytes()
    before = read_picture(path)
    new = rewrite_frames(path)[0]
    assert b"hidden" not in new.read_bytes()
    for one, other in zip(before.frames, read_picture(new).frames, strict=True):
        assert (one.pixels == other.pixels).all()


@pytest.mark.parametrize(
    "xmp", [b"<x>somebody</x>", b"<x>somebody xmp:Thumbnails</x>", "<x>somebody</x>".encode("utf-16")]
)
@pytest.mark.parametrize("policy", ["strip", "keep"])
def test_xmp_of_gif(tmp_path: Path, xmp: bytes, policy: Policy) -> None:
    path = save_frames(tmp_path / "a.gif", moving()[:2])
    end = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\x21\xff\x0bXMP DataXMP" + xmp + end + b";")
    assert len(read_picture(path).frames) == 2
    new = rewrite_frames(path, policy=policy)[0].read_bytes()
    assert (xmp in new) == (policy == "keep" and xmp == b"<x>somebody</x>")
