"""Draws images/codes.jpg, a scene with codes and the same without them, and images/heads.jpg, people hidden by their
faces and by their heads.

python -m tests.benchmarks.kinds_pictures
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

sys.path.insert(0, str(Path(__file__).parents[1]))

from detect.drawn_codes import DrawnCode, draw_over

from anonymizer import Settings, anonymize_bytes
from anonymizer.settings import DetectSettings
from anonymizer.types import Pixels8

IMAGES = Path(__file__).parents[2] / "images"
CODES = (
    DrawnCode(center=(600, 430), module_px=4, degrees=2, text="https://example.org/parcel/7f3a9c1e"),
    DrawnCode(center=(1010, 690), module_px=5, degrees=-24, tilt=0.2, text="BEGIN:VCARD N:Doe;Jane"),
)
BARS, BARS_AT = "4006381333931", (90, 690)
"""An EAN-13, and where its left upper corner lies."""
WIDTH_PX, QUALITY = 780, 86
"""Of each of two parts, and of both."""


def draw_codes(picture: Pixels8) -> Pixels8:
    """The picture, RGB, with two QR codes and a bar code."""
    drawn = draw_over(picture, CODES)
    image = zxingcpp.create_barcode(BARS, zxingcpp.BarcodeFormat.EAN13).to_image(scale=2)
    bars = cv2.resize(np.asarray(image, np.uint8), (220, 90), interpolation=cv2.INTER_NEAREST)
    x, y = BARS_AT
    drawn[y - 10 : y + 100, x - 20 : x + 240] = 240
    drawn[y : y + 90, x : x + 220] = np.where(bars < 128, 25, 240)[:, :, np.newaxis]
    return drawn


def read(name: str) -> Pixels8:
    picture = cv2.imread(str(IMAGES / "originals" / name))
    assert picture is not None
    return np.asarray(picture[:, :, ::-1], np.uint8)


def save(name: str, pictures: Sequence[bytes], width_px: int, quality: int) -> None:
    """Beside each other, in images/.

    Args:
        pictures: files of any format.
        width_px: of each.
        quality: of the JPEG file.
    """
    parts = []
    for content in pictures:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        scale = width_px / picture.shape[1]
        parts.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(IMAGES / name), np.hstack(parts), [cv2.IMWRITE_JPEG_QUALITY, quality])


def hidden(content: bytes, kinds: str) -> bytes:
    return anonymize_bytes(content, Settings(detect=DetectSettings(kinds))).data


def main() -> None:
    scene = cv2.imencode(".png", draw_codes(read("drawn_car.jpg"))[:, :, ::-1])[1].tobytes()
    save("codes.jpg", [scene, hidden(scene, "code")], WIDTH_PX, QUALITY)
    people = (IMAGES / "originals" / "swearing_in_group.jpg").read_bytes()
    save("heads.jpg", [hidden(people, "face"), hidden(people, "head")], WIDTH_PX, QUALITY)


if __name__ == "__main__":
    main()
