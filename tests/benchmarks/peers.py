"""Runs in the environment of a peer: its detections in pictures, as JSON.

    PYTHON peers.py deface|mtcnn THRESHOLD < list of pictures, one to a line

Prints for each picture its name, its rows of x_min, y_min, x_max, y_max, score, and CPU seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeAlias

Detect: TypeAlias = Callable[[Any], list[list[float]]]


def load_deface(threshold: float) -> Detect:
    from deface.centerface import CenterFace

    network = CenterFace()
    return lambda picture: [[float(number) for number in row[:5]] for row in network(picture, threshold=threshold)[0]]


def load_mtcnn(threshold: float) -> Detect:
    from mtcnn import MTCNN

    network = MTCNN()

    def detect(picture: Any) -> list[list[float]]:
        rows = []
        for found in network.detect_faces(picture):
            x, y, width, height = found["box"]
            if found["confidence"] >= threshold:
                rows.append([float(x), float(y), float(x + width), float(y + height), float(found["confidence"])])
        return rows

    return detect


if __name__ == "__main__":
    import numpy as np
    from PIL import Image

    detect = {"deface": load_deface, "mtcnn": load_mtcnn}[sys.argv[1]](float(sys.argv[2]))
    for line in sys.stdin:
        name = line.rstrip("\n")
        picture = np.asarray(Image.open(name).convert("RGB"))
        start = time.process_time()
        rows = detect(picture)
        print(json.dumps([name, rows, time.process_time() - start]), flush=True)
