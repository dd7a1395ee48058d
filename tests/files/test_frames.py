"""Files with several pictures: every frame is processed, and written back with its delay."""

import io
from dataclasses import replace

import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from test_encode import png_file

from anonymizer.errors import PictureError
from anonymizer.files import gif, png, webp
from anonymizer.files.animation import to_patches
from anonymizer.files.encode import encode_picture
from anonymizer.files.picture import Frame, StoredFrame
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings

FORMATS = {
    "gif": {"loop": 3, "duration": [100, 200, 300, 40]},
    "png": {"loop": 3, "duration": [100, 200, 300, 40]},
    "webp": {"loop": 3, "duration": [100, 200, 300, 40], "lossless": True, "exact": True},
    "tif": {},
}


def moving(mode="RGB", number=4) -> list[Image.Image]:
    """Frames of few colours with a square that moves over them; in the last two nothing moves."""
    frames = []
    for index in range(number):
        image = Image.new("RGBA", (40, 30), (200, 100, 50, 255 if mode == "RGB" else 0))
        image.paste((10, 20 * index, 30, 255), (5 + min(index, 2) * 8, 5, 15 + min(index, 2) * 8, 15))
        image.paste((9, 9, 9, 255), (30, 20, 40, 30))
        frames.append(image.convert(mode))
    frames[-1] = frames[-2].copy()
    return frames


def write(path, frames, **options):
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


def rewrite(path, box=None, policy="strip"):
    """Reads a file and writes it with a box in each frame turned into its negative."""
    picture = read_picture(path)
    frames, changed = [], []
    for frame in picture.frames:
        pixels, mask = frame.pixels.copy(), np.zeros(frame.pixels.shape[:2], bool)
        if box is not None:
            mask[box] = True
        pixels[mask] = ~pixels[mask]
        frames.append(Frame(pixels, frame.alpha))
        changed.append(mask)
    target = path.with_name("new" + path.suffix)
    encoded = encode_picture(picture, frames, changed, policy)
    assert encoded.fidelity == "lossless"
    target.write_bytes(encoded.content)
    return target, frames


def timing(path):
    with Image.open(path) as image:
        durations = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            durations.append(frame.info.get("duration"))
        return durations, image.info.get("loop")


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("box", [None, np.s_[3:12, 8:20], np.s_[:, :]])
def test_every_frame_is_written_exactly(tmp_path, extension, mode, box):
    frames = moving(mode)
    if extension != "tif":
        frames.pop()  # Pillow's writers would make one frame of two that are the same
    options = {k: v[:3] if isinstance(v, list) else v for k, v in FORMATS[extension].items()}
    path = write(tmp_path / f"a.{extension}", frames, **options)
    before = read_picture(path)
    assert len(before.frames) == len(frames)
    assert before.is_animation == (extension != "tif")
    new, redacted = rewrite(path, box)
    after = read_picture(new)
    assert timing(new) == timing(path)
    for expected, frame in zip(redacted, after.frames, strict=True):
        visible = np.ones(frame.pixels.shape[:2], bool) if frame.alpha is None else frame.alpha > 0
        assert (frame.pixels == expected.pixels)[visible].all()
        assert expected.alpha is None or (frame.alpha == expected.alpha).all()


@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
def test_frames_without_a_change_are_kept_byte_for_byte(tmp_path, extension):
    path = write(tmp_path / f"a.{extension}", moving()[:3], **{**FORMATS[extension], "duration": 100})
    plain = rewrite(path)[0].read_bytes()
    assert plain == path.read_bytes()


@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
@pytest.mark.parametrize("box", [None, np.s_[3:12, 8:20]])
def test_metadata_of_animations(tmp_path, extension, box):
    options = {
        "gif": {"comment": b"somebody"},
        "png": {"exif": _exif()},
        "webp": {"exif": _exif(), "xmp": b"somebody", "lossless": True},
    }
    path = write(tmp_path / f"a.{extension}", moving()[:3], **options[extension])
    path.write_bytes(path.read_bytes() + b"hidden behind the end")
    assert b"somebody" in path.read_bytes()
    for policy in ("strip", "safe", "keep"):
        content = rewrite(path, box, policy)[0].read_bytes()
        assert (b"somebody" in content) == (policy == "keep")
        assert b"hidden" not in content


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    return exif.tobytes()


@pytest.mark.parametrize("extension", FORMATS)
def test_the_limit_of_pixels_counts_all_frames(tmp_path, extension):
    path = write(tmp_path / f"a.{extension}", moving()[:3])
    assert len(read_picture(path, ReadSettings(max_pixels=3 * 40 * 30)).frames) == 3
    with pytest.raises(PictureError, match="than --max-pixels"):
        read_picture(path, ReadSettings(max_pixels=3 * 40 * 30 - 1))


def test_a_gif_that_turns_transparent_on_the_way(tmp_path):
    """What is cleared is transparent then, also behind frames without a transparent pixel."""
    frames = moving("RGB")[:3]
    path = write(tmp_path / "a.gif", frames, disposal=[1, 2, 1], duration=100)
    new, redacted = rewrite(path, np.s_[18:25, 8:20])
    for expected, frame in zip(redacted, read_picture(new).frames, strict=True):
        assert (frame.alpha is None) == (expected.alpha is None)
        assert expected.alpha is None or (frame.alpha == expected.alpha).all()
        assert (frame.pixels == expected.pixels)[slice(None) if frame.alpha is None else frame.alpha > 0].all()


def test_a_gif_of_many_colours_keeps_them_outside_the_mask(tmp_path):
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


def test_a_gif_of_too_many_colours_says_so(tmp_path):
    """Frames that add to each other may show more colours together than one palette holds."""
    frames = [Image.fromarray(noise(20, 20, seed=seed)).quantize(256).convert("RGB") for seed in range(2)]
    frames[1].paste(frames[0].crop((0, 0, 20, 10)), (0, 0))
    path = write(tmp_path / "a.gif", [frame.quantize(256) for frame in frames])
    picture = read_picture(path)
    both = np.concatenate([picture.frames[0].pixels[:10], noise(10, 20, seed=7)])
    changed = np.zeros((20, 20), bool)
    changed[0, 0] = True
    encoded = encode_picture(picture, [Frame(noise(20, 20)), Frame(both)], [changed, changed], "strip")
    assert encoded.fidelity == "reencoded"


def test_hidden_frames_of_an_animated_png_are_left_out(tmp_path):
    """The header announces fewer frames than there are."""
    path = write(tmp_path / "a.png", moving()[:3])
    chunks = [
        (kind, (2).to_bytes(4, "big") + data[4:]) if kind == b"acTL" else (kind, data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    path.write_bytes(png.join_chunks(chunks))
    new = rewrite(path)[0].read_bytes()
    assert sum(kind == b"fcTL" for kind, _ in png.read_chunks(new)) == 2


def test_the_first_picture_of_a_png_may_be_no_frame(tmp_path):
    frames = moving()[:3]
    path = write(tmp_path / "a.png", frames, default_image=True, duration=[100, 200])
    new, redacted = rewrite(path, np.s_[3:12, 8:20])
    kinds = [kind for kind, _ in png.read_chunks(new.read_bytes())]
    assert kinds.index(b"IDAT") < kinds.index(b"fcTL")
    assert len(read_picture(new).frames) == 3
    for expected, frame in zip(redacted, read_picture(new).frames, strict=True):
        assert (frame.pixels == expected.pixels).all()


def test_animated_png_of_16_bits_is_refused(tmp_path):
    header, *others = png.encode_still(noise16(9, 9))
    control = png.FRAME_CONTROL.pack(0, 9, 9, 0, 0, 1, 1, 0, 0)
    second = png.FRAME_CONTROL.pack(1, 9, 9, 0, 0, 1, 1, 0, 0)
    data = b"".join(data for kind, data in others if kind == b"IDAT")
    chunks = [header, (b"acTL", (2).to_bytes(4, "big") + bytes(4)), (b"fcTL", control), (b"IDAT", data)]
    chunks += [(b"fcTL", second), (b"fdAT", (2).to_bytes(4, "big") + data), (b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(png.join_chunks(chunks))
    with pytest.raises(PictureError, match="animated PNG file of 16 bits"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
def test_frames_in_no_certain_number_are_refused(tmp_path, extension):
    picture = read_picture(write(tmp_path / f"a.{extension}", moving()[:3]))
    more = replace(picture, frames=(*picture.frames, picture.frames[0]))
    with pytest.raises(PictureError, match="its number of frames is not certain"):
        encode_picture(more, more.frames, [np.ones((30, 40), bool)] * 4, "strip")


def test_pages_of_different_kinds(tmp_path):
    """Each page has a size, a depth and colours of its own."""
    pages = [Image.fromarray(noise(9, 11)), Image.fromarray(noise16(20, 30, 1).squeeze()), Image.new("1", (5, 5), 1)]
    path = write(tmp_path / "a.tif", pages)
    new, redacted = rewrite(path, np.s_[1:4, 1:4])
    after = read_picture(new)
    assert [frame.pixels.dtype for frame in after.frames] == [np.uint8, np.uint16, np.uint8]
    for expected, frame in zip(redacted, after.frames, strict=True):
        assert (frame.pixels == expected.pixels).all()


def test_previews_in_pages_of_their_own_are_left_out(tmp_path):
    preview = Image.fromarray(noise(9, 9))
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    path = write(tmp_path / "a.tif", [Image.fromarray(noise(20, 20)), preview])
    picture = read_picture(path)
    assert len(picture.frames) == 1
    assert picture.left_out == ("1 previews in pages of their own are left out",)
    with Image.open(rewrite(path)[0]) as image:
        assert image.n_frames == 1


@given(
    st.lists(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 7))), min_size=1, max_size=5), st.sampled_from([1, 2])
)
def test_patches_put_together_show_the_frames(points, step):
    frames = []
    for number, some in enumerate(points):
        pixels = np.zeros((6, 8, 3), np.uint8)
        for row, column in some:
            pixels[row, column] = number + 1
        frames.append(StoredFrame(pixels, np.zeros((6, 8), bool)))
    canvas = np.full((6, 8, 3), 99, np.uint8)
    for patch, frame in zip(to_patches(frames, step), frames, strict=True):
        assert patch.top % step == patch.left % step == 0
        kept = canvas.copy()
        canvas[patch.slices] = patch.pixels
        assert (kept[patch.slices] == patch.pixels)[patch.stays].all()
        assert (canvas == frame.pixels).all()


def test_a_gif_whose_frames_reach_beyond_it_is_refused(tmp_path):
    path = write(tmp_path / "a.gif", moving()[:3], duration=100)
    content = bytearray(path.read_bytes())
    last = list(gif.read_blocks(bytes(content)))[-1].content
    content[content.index(last) + 5 : content.index(last) + 7] = (5000).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(PictureError, match="beyond the picture"):
        read_picture(path)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_data_behind_a_webp_picture_are_left_out(tmp_path, lossless, frames, mode):
    path = write(tmp_path / "a.webp", moving(mode)[:frames], lossless=lossless)

    def hide(chunks):
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


def test_a_second_picture_in_a_webp_file_is_refused(tmp_path):
    path = write(tmp_path / "a.webp", moving()[:1], lossless=True)
    chunks = webp.read_file_chunks(path.read_bytes())
    path.write_bytes(webp.write_riff(b"WEBP" + webp.join_chunks([*chunks, chunks[-1]])))
    with pytest.raises(PictureError, match="not one picture"):
        rewrite(path)


def test_data_behind_the_pictures_of_a_gif_are_left_out(tmp_path):
    path = write(tmp_path / "a.gif", moving()[:3], duration=100)
    content = path.read_bytes()
    parts = [
        block.head + gif.write_parts([block.data + b"hidden" * 50]) if block.kind == 0x2C else block.content
        for block in gif.read_blocks(content)
    ]
    path.write_bytes(content[: 13 + gif.table_size(content[10])] + b"".join(parts) + b";")
    assert b"hidden" in path.read_bytes()
    before = read_picture(path)
    new = rewrite(path)[0]
    assert b"hidden" not in new.read_bytes()
    for one, other in zip(before.frames, read_picture(new).frames, strict=True):
        assert (one.pixels == other.pixels).all()


@pytest.mark.parametrize(
    "xmp", [b"<x>somebody</x>", b"<x>somebody xmp:Thumbnails</x>", "<x>somebody</x>".encode("utf-16")]
)
@pytest.mark.parametrize("policy", ["strip", "keep"])
def test_xmp_of_gif(tmp_path, xmp, policy):
    path = write(tmp_path / "a.gif", moving()[:2])
    end = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\x21\xff\x0bXMP DataXMP" + xmp + end + b";")
    assert len(read_picture(path).frames) == 2
    new = rewrite(path, policy=policy)[0].read_bytes()
    assert (xmp in new) == (policy == "keep" and xmp == b"<x>somebody</x>")


@pytest.mark.parametrize("make", [gif.read_blocks, webp.read_file_chunks])
def test_block_readers_end(make):
    for length in range(40):
        list(make((b"GIF89a" + b"\x80" * 60 + b"\x21\xff\x05abc")[:length].ljust(14, b"\x21")))


def test_png_file_has_an_orientation():
    with Image.open(io.BytesIO(png_file(noise(3, 3), 6))) as image:
        assert image.getexif()[0x0112] == 6
