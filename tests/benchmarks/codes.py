"""How many drawn QR codes are hidden, by size and by how they lie, and how often codes are seen where there are none.

    python -m tests.benchmarks.codes [--pictures FOLDER]

Each picture has one code on a ground of coloured patches. A code counts as hidden if 99.5 % of it is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from detect.drawn_codes import DrawnCode, draw, hidden_share

from anonymizer.detect.frames import find_in_frame
from anonymizer.detect.load import load_detectors
from anonymizer.files.read import read_picture
from anonymizer.settings import PRESETS, DetectSettings

HIDDEN_FROM = 0.995
SIZE = (360, 480)
SAMPLES = 12
"""Pictures of each kind and size."""
MODULES_PX = (1.5, 2.0, 2.5, 3.0, 5.0)
TEXTS = ("A1", "https://example.org/r/7f3a9c1e", "BEGIN:VCARD N:Doe;Jane TEL:+1 555 0100 EMAIL:jane@example.org " * 2)
CASES = {
    "upright": (DrawnCode(), 0.0, 2.0),
    "turned": (DrawnCode(degrees=33), 0.0, 2.0),
    "perspective": (DrawnCode(degrees=10, tilt=0.15), 0.0, 2.0),
    "inverted": (DrawnCode(dark=235, light=25), 0.0, 2.0),
    "low contrast": (DrawnCode(dark=120, light=160), 0.0, 1.0),
    "logo": (DrawnCode(logo=0.25), 0.0, 2.0),
    "damaged": (DrawnCode(damage=0.4), 0.0, 2.0),
    "blurred": (DrawnCode(), 0.35, 2.0),
    "without a margin": (DrawnCode(quiet=1), 0.0, 2.0),
    "damaged, turned": (DrawnCode(damage=0.4, degrees=33), 0.0, 2.0),
    "damaged, perspective": (DrawnCode(damage=0.4, degrees=10, tilt=0.15), 0.0, 2.0),
    "damaged, low contrast": (DrawnCode(damage=0.4, dark=120, light=160), 0.0, 1.0),
    "damaged, blurred": (DrawnCode(damage=0.4), 0.35, 2.0),
    "damaged, blurred twice as much": (DrawnCode(damage=0.4), 0.7, 2.0),
    "logo of half its side": (DrawnCode(logo=0.5), 0.0, 2.0),
}
"""The code, its blur in modules, and the noise. What is damaged cannot be read."""


def samples(code: DrawnCode, module_px: float) -> Iterator[DrawnCode]:
    random = np.random.default_rng(round(10 * module_px))
    for number in range(SAMPLES):
        turn = code.degrees + float(random.uniform(-6, 6)) + 360 * number / SAMPLES * (code.degrees != 0)
        center = (240 + float(random.uniform(-9, 9)), 180 + float(random.uniform(-9, 9)))
        yield replace(code, module_px=module_px, center=center, degrees=turn, text=TEXTS[number % len(TEXTS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="a folder of pictures that show no codes")
    parser.add_argument("--presets", default="fast,balanced", help=f"of {', '.join(PRESETS)}")
    parser.add_argument("--cases", default=";".join(CASES), help="of the codes that are drawn, separated by semicolons")
    parser.add_argument("--limit", type=int, default=100, help="look at so many of them at most")
    options = parser.parse_args()
    for preset in options.presets.split(","):
        (detector,) = load_detectors(DetectSettings("code", preset=preset))
        print(f"\n{preset}: hidden of {SAMPLES} codes\n\n| | {' | '.join(f'{px:g} px' for px in MODULES_PX)} |")
        print("|---|" + "---|" * len(MODULES_PX))
        for name in options.cases.split(";"):
            code, blur, noise = CASES[name]
            row = []
            for px in MODULES_PX:
                shares = []
                for number, one in enumerate(samples(code, px)):
                    picture = draw([one], SIZE, blur * px, noise, seed=number)
                    shares.append(hidden_share(one.corners, detector.detect(picture), SIZE))
                row.append(sum(share >= HIDDEN_FROM for share in shares))
            print(f"| {name} | {' | '.join(map(str, row))} |", flush=True)
        if options.pictures:
            count_false_alarms(options.pictures, preset, options.limit)


def count_false_alarms(folder: Path, preset: str, limit: int) -> None:
    settings = DetectSettings("code", preset=preset)
    detectors = load_detectors(settings)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    found, seconds, pixels = 0, 0.0, 0
    for path in paths[:: max(1, len(paths) // limit)][:limit]:
        (frame,) = read_picture(path).frames
        start_s = time.process_time()
        seen = find_in_frame(frame, detectors, settings).detections
        seconds += time.process_time() - start_s
        pixels += frame.pixels.shape[0] * frame.pixels.shape[1]
        found += len(seen)
        for one in seen:
            print(f"{path.name}: {one.score:g} at {[round(side) for side in one.box.xyxy]}")
    count = min(limit, len(paths))
    print(
        f"{preset}: {found} codes in {count} pictures, {seconds / max(1, pixels) * 1e6:.3f} s of CPU time a megapixel"
    )


if __name__ == "__main__":
    main()
