"""Draws images/text.jpg: a drawn scene with signs, all its text hidden, and only what matches.

python -m tests.benchmarks.text_picture
"""

import cv2
import numpy as np

from anonymizer import Settings, anonymize_bytes
from anonymizer.settings import ChooseSettings, DetectSettings
from anonymizer.types import Pixels8

from .kinds_pictures import read, save

SIGNS = (
    ("BAKERY", (60, 80), 2.0, -4.0),
    ("Open daily 8-18", (80, 150), 1.0, -4.0),
    ("info@bakery.example", (640, 720), 1.2, 12.0),
    ("12", (820, 330), 2.2, 0.0),
)
"""Text, where its left lower corner lies, how large it is and by how many degrees it is turned anticlockwise."""
WIDTH_PX, QUALITY = 520, 88
"""Of each of the three parts, and of all."""


def draw_signs(picture: Pixels8) -> Pixels8:
    """The picture, RGB, with white letters on dark boards."""
    drawn = picture.copy()
    for text, (x, y), size, degrees in SIGNS:
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, 2)
        board = np.zeros((height + 40, width + 40, 3), np.uint8) + np.array([30, 50, 80], np.uint8)
        cv2.putText(board, text, (20, height + 20), cv2.FONT_HERSHEY_DUPLEX, size, (240, 240, 230), 2, cv2.LINE_AA)
        turn = cv2.getRotationMatrix2D((0.0, float(height)), degrees, 1)
        turn[:, 2] += (x, y - height)
        size_px = picture.shape[1], picture.shape[0]
        inside = cv2.warpAffine(np.full(board.shape[:2], 255, np.uint8), turn, size_px)
        drawn = np.where(inside[:, :, np.newaxis] > 127, cv2.warpAffine(board, turn, size_px), drawn).astype(np.uint8)
    return np.asarray(drawn, np.uint8)


def main() -> None:
    content = cv2.imencode(".png", draw_signs(read("drawn_car.jpg"))[:, :, ::-1])[1].tobytes()
    files = [content]
    for patterns in (None, ("email", "number")):
        settings = Settings(detect=DetectSettings(kinds="text"), choose=ChooseSettings(text_match=patterns))
        files.append(anonymize_bytes(content, settings).data)
    save("text.jpg", files, WIDTH_PX, QUALITY)


if __name__ == "__main__":
    main()
