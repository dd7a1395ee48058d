"""Picture files for the tests of files, and what most of them do with one."""

import io
from pathlib import Path
from typing import Any

import cv2
import jpeglib
import numpy as np
import numpy.typing as npt
from fakes import noise
from PIL import Image, ImageCms

from anonymizer.files import jpeg_blocks, png
from anonymizer.files.codecs import Mask
from anonymizer.files.encode import encode_picture
from anonymizer.files.jpeg_segments import quantisation_tables, read_header
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Frame, Picture
from anonymizer.files.read import read_picture
from anonymizer.types import Alpha, Pixels

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
"""An ICC profile."""
SAMPLINGS = {"4:4:4": 0x111111, "4:2:2": 0x211111, "4:2:0": 0x221111, "4:4:0": 0x121111, "4:1:1": 0x411111}
"""As OpenCV numbers them: two digits per component, horizontal and vertical."""


def jpeg_file(
    pixels: Pixels, sampling: str = "4:2:0", quality: int = 80, progressive: bool = False, restart: int = 0
) -> bytes:
    """A JPEG file made by OpenCV, which knows all samplings. The pixels are RGB or gray."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    options += [cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    if pixels.shape[2] == 3:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLINGS[sampling]]
    return cv2.imencode(".jpg", pixels[:, :, ::-1], options)[1].tobytes()


def rewrite(path: Path, change: Mask | None = None, policy: Policy = "strip") -> Path:
    """Reads a picture and writes it, changed in the boolean mask `change`, to a new file."""
    picture = read_picture(path)
    pixels, changed = picture.pixels.copy(), np.zeros(picture.pixels.shape[:2], bool)
    if change is not None:
        changed = change
        pixels[changed] = ~pixels[changed]
    target = path.with_name("new" + path.suffix)
    target.write_bytes(encode_picture(picture, [Frame(pixels, picture.alpha)], [changed], policy).content)
    return target


def alpha_of(source: Picture | Frame) -> Alpha:
    """The transparency of a picture that has one."""
    assert source.alpha is not None
    return source.alpha


def png_file(pixels: Pixels, orientation: int = 1) -> bytes:
    """A PNG file of 8 or 16 bits, with an orientation."""
    header, *others = png.encode_still(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png.join_chunks([header, (b"eXIf", exif.tobytes()[6:]), *others])


def coefficients(path: Path) -> list[npt.NDArray[np.int16]]:
    """(rows of blocks, columns of blocks, 8, 8) per component."""
    file = jpeglib.read_dct(str(path))
    file.load()
    return [component for component in (file.Y, file.Cb, file.Cr) if component is not None]


def coefficients_in(content: bytes, folder: Path) -> list[npt.NDArray[np.int16]]:
    """Those of a file in memory."""
    path = folder / "coefficients.jpg"
    path.write_bytes(content)
    return coefficients(path)


def new_blocks(content: bytes, pixels: Pixels, changed: Mask) -> list[jpeg_blocks.NewBlocks]:
    """The blocks that take the place of those of a JPEG file."""
    return jpeg_blocks.encode_blocks(read_header(content), quantisation_tables(content), pixels, changed)


ANIMATIONS: dict[str, dict[str, Any]] = {
    "gif": {"loop": 3, "duration": [100, 200, 300, 40]},
    "png": {"loop": 3, "duration": [100, 200, 300, 40]},
    "webp": {"loop": 3, "duration": [100, 200, 300, 40], "lossless": True, "exact": True},
    "tif": {},
}
"""Options of Pillow for files with several pictures, by their extension."""


def moving(mode: str = "RGB", number: int = 4) -> list[Image.Image]:
    """Frames of few colours with a square that moves over them; in the last two nothing moves."""
    frames = []
    for index in range(number):
        image = Image.new("RGBA", (40, 30), (200, 100, 50, 255 if mode == "RGB" else 0))
        image.paste((10, 20 * index, 30, 255), (5 + min(index, 2) * 8, 5, 15 + min(index, 2) * 8, 15))
        image.paste((9, 9, 9, 255), (30, 20, 40, 30))
        frames.append(image.convert(mode))
    frames[-1] = frames[-2].copy()
    return frames


def save_frames(path: Path, frames: list[Image.Image], **options: Any) -> Path:
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


def rewrite_frames(path: Path, box: Any = None, policy: Policy = "strip") -> tuple[Path, list[Frame]]:
    """Reads a file and writes it with a box in each frame turned into its negative: the new file, and the frames."""
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


THUMBNAIL = jpeg_file(noise(16, 16))
PHOTOSHOP_THUMBNAIL = b"8BIM\x04\x0c\0\0" + len(THUMBNAIL).to_bytes(4, "big") + THUMBNAIL + b"\0" * (len(THUMBNAIL) % 2)
IPTC = b"\x1c\x02\x78\0\x0ca caption of"
CAPTION = b"8BIM\x04\x04\0\0" + len(IPTC).to_bytes(4, "big") + IPTC + b"\0" * (len(IPTC) % 2)
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def full_exif() -> bytes:
    """With the thumbnail in the second directory, as cameras write it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x013B], exif[0x0132] = 6, "somebody", "2001:02:03 04:05:06"
    exif.get_ifd(0x8769).update({0xA434: "a lens", 0xA431: "serial 1234", 0x927C: b"maker note" * 4})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 7.0)})
    content = exif.tobytes()
    end = len(content) - 6  # of the TIFF part
    entries = b"".join(
        tag.to_bytes(2, "big") + b"\0\4\0\0\0\1" + value.to_bytes(4, "big")
        for tag, value in ((0x0201, end + 30), (0x0202, len(THUMBNAIL)))
    )
    count = int.from_bytes(content[14:16], "big")
    link = 16 + 12 * count
    assert content[6:8] == b"MM"
    return content[:link] + end.to_bytes(4, "big") + content[link + 4 :] + b"\0\2" + entries + b"\0" * 4 + THUMBNAIL


def saved(
    file_format: str,
    mode: str = "RGB",
    frames: int = 1,
    size: tuple[int, int] = (24, 20),
    seed: int = 0,
    **options: Any,
) -> bytes:
    """A file of noise, made by Pillow. `size`: height and width."""
    buffer = io.BytesIO()
    images = [Image.fromarray(noise(*size, 4, seed + number)).convert(mode) for number in range(frames)]
    further = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(buffer, file_format, **further, **options)
    return buffer.getvalue()
