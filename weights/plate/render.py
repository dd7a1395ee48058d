"""Drawing number plates, and things with text that are not number plates.

Everything is drawn by code from fonts: no photograph is needed. All pictures are uint8 RGB (H, W, 3).
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import click
import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
ARABIC = "ابجدرسصطعفقلمنهوى"
THAI = "กขคจฉชฎฐฒตถทธนบพภมรลวศสหอ"
HIRAGANA = "あいうえかきくけこさすせそたちつてとなにぬねのはひふほまみむめもやゆよらりるれろ"
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SCRIPTS = {
    "latin": LATIN + DIGITS,
    "arabic": ARABIC + ARABIC_DIGITS,
    "thai": THAI,
    "cjk": "あ京" + PROVINCES,
    "devanagari": "कखगघच",
    "bengali": "কখগঘচ",
}
STATES = (
    "ALABAMA ALASKA ARIZONA ARKANSAS CALIFORNIA COLORADO CONNECTICUT DELAWARE FLORIDA GEORGIA HAWAII IDAHO "
    "ILLINOIS INDIANA IOWA KANSAS KENTUCKY LOUISIANA MAINE MARYLAND MASSACHUSETTS MICHIGAN MINNESOTA "
    "MISSISSIPPI MISSOURI MONTANA NEBRASKA NEVADA OHIO OKLAHOMA OREGON PENNSYLVANIA TENNESSEE TEXAS UTAH "
    "VERMONT VIRGINIA WASHINGTON WISCONSIN WYOMING ONTARIO QUEBEC ALBERTA"
).split()
WORDS = (
    "open closed sale exit stop market bank hotel pizza coffee bar school street police museum station press "
    "team nike sport club win final news live world cup city park music dance love summer radio festival "
    "conference award university welcome free call now new best photo travel airport gate taxi bus tours "
    "pharmacy dental fashion studio express delivery repair tickets please do not enter no parking speed "
    "limit north south avenue road bakery fresh fruit books kids family happy birthday thank you vote"
).split()
THAI_WORDS = ("กรุงเทพมหานคร", "เชียงใหม่", "ชลบุรี", "ขอนแก่น", "ภูเก็ต")
ARABIC_WORDS = ("مصر", "السعودية", "الجيزة", "القاهرة", "تونس", "المغرب", "العراق")

Colour = tuple[int, int, int]
T = TypeVar("T")


class Fonts:
    """The fonts under some folders, by the scripts they cover; Pillow's own font when there are none."""

    def __init__(self, folders: tuple[pathlib.Path, ...] = (), limit: int = 60) -> None:
        self.by_script: dict[str, list[str]] = {script: [] for script in SCRIPTS}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.suffix.lower() in {".ttf", ".otf", ".ttc", ".woff"}:
                    self._add(str(path))
        for script, paths in self.by_script.items():
            step = max(1, len(paths) // limit)
            self.by_script[script] = paths[::step]
        if not self.by_script["latin"]:
            self.by_script["latin"].append("")

    def _add(self, path: str) -> None:
        try:
            font = ImageFont.truetype(path, 24)
            missing = bytes(font.getmask("\uffff"))
            for script, sample in SCRIPTS.items():
                if all(bytes(font.getmask(letter)) not in (missing, b"") for letter in sample):
                    self.by_script[script].append(path)
        except OSError:
            return

    def has(self, script: str) -> bool:
        return bool(self.by_script[script])

    def pick(self, rng: Generator, script: str = "latin") -> str:
        paths = self.by_script[script] or self.by_script["latin"]
        return paths[rng.integers(len(paths))]


@functools.lru_cache(maxsize=256)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


def glyphs(text: str, path: str) -> np.ndarray:
    """Draw text as a tight mask, uint8 (h, w), 0..255, about 64 pixels high."""
    font = _font(path, 64)
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))))
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font)
    return np.asarray(mask)


def write(
    canvas: np.ndarray,
    box: tuple[float, float, float, float],
    text: str,
    path: str,
    colour: Colour,
    stretch: float = 10.0,
) -> None:
    """Draw text into a box (x_min, y_min, x_max, y_max as shares of the canvas), centred.

    The text fills the box; ``stretch`` is the most its aspect ratio may be changed by.
    """
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(box, (width, height) * 2, strict=True))
    mask = glyphs(text, path)
    w, h = max(2, x1 - x0), max(2, y1 - y0)
    natural = mask.shape[1] / mask.shape[0]
    if w / h > natural * stretch:
        w = max(2, round(h * natural * stretch))
    if w / h < natural / stretch:
        h = max(2, round(w / natural * stretch))
    x0, y0 = x0 + (x1 - x0 - w) // 2, y0 + (y1 - y0 - h) // 2
    x0, y0 = max(0, min(x0, width - 2)), max(0, min(y0, height - 2))
    w, h = min(w, width - x0), min(h, height - y0)
    alpha = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA)[..., None].astype(np.uint16)
    patch = canvas[y0 : y0 + h, x0 : x0 + w]
    patch[:] = (patch * (255 - alpha) + np.asarray(colour, np.uint16) * alpha) // 255


def _letters(rng: Generator, alphabet: str, count: int) -> str:
    return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=count))


def _colour(values: Iterable[float]) -> Colour:
    red, green, blue = (int(value) for value in values)
    return red, green, blue


def _jitter(rng: Generator, colour: Colour, amount: int = 18) -> Colour:
    return _colour(np.clip(v + rng.integers(-amount, amount + 1), 0, 255) for v in colour)


def _any_colour(rng: Generator) -> Colour:
    return _colour(rng.integers(0, 256, 3))


def _choice(rng: Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _contrast(rng: Generator, colour: Colour) -> Colour:
    dark = sum(colour) < 330
    return _colour(rng.integers(190, 256, 3) if dark else rng.integers(0, 70, 3))


def _blank(rng: Generator, aspect: float, colour: Colour, height: int = 96) -> np.ndarray:
    """A panel with a slight gradient; some get a border."""
    width = max(24, round(height * aspect))
    shade = np.linspace(rng.uniform(-18, 18), rng.uniform(-18, 18), height)[:, None, None]
    return np.clip(np.full((height, width, 3), colour, np.float32) + shade, 0, 255).astype(np.uint8)


def _border(rng: Generator, canvas: np.ndarray, colour: Colour, inset: float = 0.0) -> None:
    height, width = canvas.shape[:2]
    margin = round(height * inset)
    cv2.rectangle(
        canvas,
        (margin, margin),
        (width - 1 - margin, height - 1 - margin),
        colour,
        max(1, round(height * rng.uniform(0.015, 0.05))),
    )


def _serial(rng: Generator) -> str:
    """A Latin number of one of the usual forms."""
    form = _choice(rng, ("LL00LLL", "LL 000 LL", "000 LLL", "LLL 000", "LLL0000", "0LLL000", "L 0000 LL"))
    form = _choice(rng, (form, "LL00 LLL", "LL-000-LL", "00-LLL-0", "LL00LL0000", "LLL-0000", "00 L 0000"))
    return "".join(_letters(rng, LATIN, 1) if c == "L" else _letters(rng, DIGITS, 1) if c == "0" else c for c in form)


def european(rng: Generator, fonts: Fonts) -> np.ndarray:
    """One line on white or yellow, often with a blue band."""
    colour = _jitter(rng, _choice(rng, ((240, 240, 240), (240, 240, 240), (245, 205, 40), (30, 30, 30))))
    canvas = _blank(rng, rng.uniform(3.4, 5.0), colour)
    ink = _contrast(rng, colour)
    start = 0.04
    if rng.random() < 0.6:
        start = 0.11
        canvas[:, : round(canvas.shape[1] * 0.09)] = _jitter(rng, (20, 60, 170))
        write(canvas, (0.02, 0.65, 0.07, 0.88), _letters(rng, LATIN, 2), fonts.pick(rng), (240, 240, 240))
    if rng.random() < 0.6:
        _border(rng, canvas, ink)
    write(canvas, (start, 0.14, 0.97, 0.86), _serial(rng), fonts.pick(rng), ink)
    return canvas


def american(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Two by one: a state's name above, the number, a slogan below, on white, a tint or a gradient."""
    colour = _jitter(rng, _choice(rng, ((238, 238, 238), (190, 215, 240), (245, 215, 120), (40, 60, 120))), 25)
    canvas = _blank(rng, rng.uniform(1.7, 2.2), colour)
    if rng.random() < 0.5:
        tint = np.asarray(_any_colour(rng), np.float32)
        amount = np.abs(np.linspace(-1, 1, canvas.shape[0]))[:, None, None] * rng.uniform(0.2, 0.7)
        canvas[:] = (canvas * (1 - amount) + tint * amount).astype(np.uint8)
    for _ in range(rng.integers(0, 4)):
        middle = int(rng.uniform(0, canvas.shape[1])), int(rng.uniform(0.3, 0.8) * canvas.shape[0])
        cv2.ellipse(
            canvas,
            middle,
            (int(rng.integers(5, 40)), int(rng.integers(5, 25))),
            0,
            0,
            360,
            _any_colour(rng),
            -1,
        )
    ink = _contrast(rng, colour)
    write(
        canvas,
        (0.2, 0.05, 0.8, 0.19),
        _choice(rng, STATES),
        fonts.pick(rng),
        _choice(rng, (ink, (190, 30, 40))),
    )
    if rng.random() < 0.7:
        slogan = " ".join(_choice(rng, WORDS) for _ in range(2)).upper()
        write(canvas, (0.2, 0.84, 0.8, 0.95), slogan, fonts.pick(rng), ink)
    write(canvas, (0.06, 0.26, 0.94, 0.78), _serial(rng)[:8].strip(), fonts.pick(rng), ink)
    if rng.random() < 0.5:
        _border(rng, canvas, _any_colour(rng))
    for x in (0.2, 0.8):
        cv2.circle(canvas, (int(x * canvas.shape[1]), 7), 3, (90, 90, 90), -1)
    if rng.random() < 0.4:
        cv2.rectangle(canvas, (4, 4), (18, 16), _choice(rng, ((220, 60, 50), (240, 200, 40), (60, 90, 200))), -1)
    return canvas


def two_lines(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Two lines of Latin letters and digits, as on motorcycles and in South and South-East Asia."""
    colours = ((240, 240, 240), (245, 205, 40), (25, 25, 25), (200, 30, 30), (30, 110, 50))
    colour = _jitter(rng, _choice(rng, colours))
    canvas = _blank(rng, rng.uniform(0.95, 2.1), colour, 128)
    ink = _contrast(rng, colour)
    upper = _letters(rng, LATIN, 2) + _choice(rng, ("", " ", "-")) + _letters(rng, DIGITS, 2)
    upper += _choice(rng, ("", _letters(rng, LATIN, 1)))
    lower = _letters(rng, DIGITS, int(rng.integers(3, 6)))
    if rng.random() < 0.3:  # the short line above, the long one below, or letters in both
        upper, lower = _choice(rng, ((lower, upper), (_letters(rng, LATIN, 3), lower), (upper[:2], upper[2:] + lower)))
    top = 0.08
    if rng.random() < 0.25:  # the place in small letters above
        place, top = _choice(rng, (*STATES, *(word.upper() for word in WORDS[:20]))), 0.24
        write(canvas, (0.2, 0.06, 0.8, 0.19), place, fonts.pick(rng), ink)
    split = top + (1 - top) * rng.uniform(0.4, 0.52)
    path = fonts.pick(rng)
    write(canvas, (0.1, top, 0.9, split - 0.03), upper, path, ink)
    write(canvas, (0.07, split + 0.03, 0.93, 0.93), lower, path if rng.random() < 0.7 else fonts.pick(rng), ink)
    if rng.random() < 0.6:
        _border(rng, canvas, ink)
    return canvas


def arabic(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Arabic letters and digits: upright in two lines under a coloured band, or wide with a divided field."""
    path = fonts.pick(rng, "arabic")
    known = fonts.has("arabic")
    letters = " ".join(_letters(rng, ARABIC if known else LATIN, int(rng.integers(2, 4))))
    digits = " ".join(_letters(rng, ARABIC_DIGITS if known else DIGITS, int(rng.integers(3, 5))))
    word = _choice(rng, ARABIC_WORDS if known else STATES)
    white = _jitter(rng, (236, 236, 232))
    band = _jitter(
        rng, _choice(rng, ((40, 140, 215), (40, 140, 215), (215, 90, 40), (190, 40, 45), (150, 150, 150))), 30
    )
    ink = (20, 20, 25)
    if rng.random() < 0.65:
        canvas = _blank(rng, rng.uniform(0.72, 1.15), white, 128)
        edge = rng.uniform(0.22, 0.36)
        canvas[: round(128 * edge)] = band
        if rng.random() < 0.6:
            write(canvas, (0.08, 0.07, 0.4, edge - 0.07), "EGYPT", fonts.pick(rng), ink)
        write(canvas, (0.6, 0.05, 0.92, edge - 0.05), word, path, ink)
        middle = edge + (1 - edge) * rng.uniform(0.44, 0.55)
        upper, lower = (letters, digits) if rng.random() < 0.8 else (digits, letters)
        write(canvas, (0.1, edge + 0.05, 0.9, middle - 0.02), upper, path, ink, 2.0)
        write(canvas, (0.08, middle + 0.03, 0.92, 0.94), lower, path, ink, 2.0)
    else:
        canvas = _blank(rng, rng.uniform(1.6, 4.2), white, 112)
        edge = rng.uniform(0.2, 0.3)
        canvas[: round(112 * edge)] = band
        write(canvas, (0.3, 0.05, 0.7, edge - 0.03), word, path, ink)
        write(canvas, (0.05, edge + 0.1, 0.47, 0.9), digits, path, ink, 2.0)
        write(canvas, (0.53, edge + 0.1, 0.95, 0.9), letters, path, ink, 2.0)
        x = canvas.shape[1] // 2
        cv2.line(canvas, (x, round(112 * edge)), (x, 111), ink, 2)
    if rng.random() < 0.7:
        _border(rng, canvas, _choice(rng, (ink, (190, 190, 190))))
    return canvas


def egyptian(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A coloured band with EGYPT and its Arabic name above two fields: digits and letters, set apart from each other.

    On cars the fields stand side by side with a line between them; on motorcycles often one above the other. The
    band is blue on private vehicles, orange on taxis, red on lorries, grey on buses, green or yellow on others.
    """
    path, known = fonts.pick(rng, "arabic"), fonts.has("arabic")
    latin = known and rng.random() < 0.15  # digits and letters of both scripts
    digit_path = fonts.pick(rng) if latin else path
    gap = _choice(rng, (" ", " ", "  "))
    digits = gap.join(_letters(rng, ARABIC_DIGITS[1:] if known and not latin else DIGITS[1:], int(rng.integers(3, 5))))
    letters = gap.join(_letters(rng, ARABIC if known else LATIN, int(rng.integers(2, 4))))
    bands = ((40, 135, 210), (40, 135, 210), (25, 90, 190), (230, 120, 30), (200, 40, 45), (160, 160, 165))
    band = _jitter(rng, _choice(rng, (*bands, (40, 150, 70), (235, 200, 50))), 25)
    ink = _jitter(rng, (28, 28, 30))
    wide = rng.random() < 0.5
    canvas = _blank(rng, rng.uniform(1.8, 2.6) if wide else rng.uniform(0.9, 1.5), _jitter(rng, (234, 234, 230)), 128)
    edge = rng.uniform(0.24, 0.36)
    canvas[: round(128 * edge)] = band
    writing = ink if rng.random() < 0.8 else (240, 240, 240)
    write(canvas, (0.06, 0.06, 0.44, edge - 0.05), "EGYPT", fonts.pick(rng), writing, 2.0)
    write(canvas, (0.58, 0.03, 0.94, edge - 0.03), "مصر" if known else "MISR", path, writing, 2.0)
    if wide or rng.random() < 0.3:
        split = rng.uniform(0.46, 0.58)
        write(canvas, (0.05, edge + 0.1, split - 0.03, 0.9), digits, digit_path, ink, 2.0)
        write(canvas, (split + 0.03, edge + 0.1, 0.95, 0.9), letters, path, ink, 2.0)
        if rng.random() < 0.8:
            x = round(split * canvas.shape[1])
            cv2.line(canvas, (x, round(128 * edge)), (x, 127), _choice(rng, (ink, (150, 150, 150))), 2)
    else:
        middle = edge + (1 - edge) * rng.uniform(0.45, 0.55)
        fields = [(digits, digit_path), (letters, path)][:: 1 if rng.random() < 0.6 else -1]
        write(canvas, (0.1, edge + 0.05, 0.9, middle - 0.02), *fields[0], ink, 2.0)
        write(canvas, (0.1, middle + 0.03, 0.9, 0.94), *fields[1], ink, 2.0)
    if rng.random() < 0.7:
        _border(rng, canvas, _choice(rng, (ink, (190, 190, 190))))
    return canvas


def thai(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Letters and digits above, the province below."""
    known = fonts.has("thai")
    canvas = _blank(rng, _choice(rng, (rng.uniform(2.0, 2.4), rng.uniform(1.1, 1.35))), _jitter(rng, (238, 238, 238)))
    ink = _choice(rng, ((20, 20, 25), (20, 20, 25), (20, 40, 160), (20, 110, 50)))
    path = fonts.pick(rng, "thai")
    upper = _letters(rng, DIGITS, 1) + _letters(rng, THAI if known else LATIN, 2)
    if canvas.shape[1] > 1.7 * canvas.shape[0]:
        write(canvas, (0.06, 0.1, 0.42, 0.62), upper, path, ink)
        write(canvas, (0.48, 0.1, 0.94, 0.62), _letters(rng, DIGITS, 4), fonts.pick(rng), ink)
        write(canvas, (0.2, 0.7, 0.8, 0.92), _choice(rng, THAI_WORDS if known else STATES), path, ink)
    else:
        write(canvas, (0.25, 0.06, 0.75, 0.33), upper, path, ink)
        write(canvas, (0.12, 0.37, 0.88, 0.52), _choice(rng, THAI_WORDS if known else STATES), path, ink)
        write(canvas, (0.1, 0.58, 0.9, 0.94), _letters(rng, DIGITS, 4), fonts.pick(rng), ink)
    _border(rng, canvas, ink)
    return canvas


def japanese(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A small line of place and class above, a big number with a small sign to its left below."""
    colour = _jitter(rng, _choice(rng, ((238, 238, 238), (245, 205, 40), (20, 100, 60), (20, 20, 25))))
    canvas = _blank(rng, _choice(rng, (2.0, 1.84, 1.5)), colour)
    ink = (20, 110, 60) if colour[0] > 225 and colour[2] > 200 else _contrast(rng, colour)
    path = fonts.pick(rng, "cjk")
    known = fonts.has("cjk")
    place = _letters(rng, PROVINCES if known else LATIN, 2) + " " + _letters(rng, DIGITS, 3)
    write(canvas, (0.27, 0.07, 0.73, 0.31), place, path, ink)
    write(canvas, (0.05, 0.5, 0.15, 0.75), _letters(rng, HIRAGANA if known else LATIN, 1), path, ink)
    number = _letters(rng, DIGITS, 2) + "-" + _letters(rng, DIGITS, 2)
    write(canvas, (0.19, 0.38, 0.96, 0.92), number, fonts.pick(rng), ink)
    return canvas


def chinese(rng: Generator, fonts: Fonts) -> np.ndarray:
    """White on blue, black on yellow, or black on a green gradient."""
    colour = _jitter(rng, _choice(rng, ((20, 60, 180), (20, 60, 180), (240, 190, 30), (140, 220, 150))))
    canvas = _blank(rng, rng.uniform(2.9, 3.5), colour)
    ink = _contrast(rng, colour)
    known = fonts.has("cjk")
    write(
        canvas,
        (0.04, 0.14, 0.16, 0.86),
        _letters(rng, PROVINCES if known else LATIN, 1),
        fonts.pick(rng, "cjk"),
        ink,
    )
    write(canvas, (0.18, 0.14, 0.28, 0.86), _letters(rng, LATIN, 1), fonts.pick(rng), ink)
    write(canvas, (0.36, 0.14, 0.96, 0.86), _letters(rng, LATIN + DIGITS * 3, 5), fonts.pick(rng), ink)
    _border(rng, canvas, ink, 0.03)
    return canvas


def bengali(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Two lines in Bengali or Devanagari letters."""
    script = _choice(rng, ("bengali", "devanagari"))
    known = fonts.has(script)
    first = {"bengali": "ঢাকা মেট্রো", "devanagari": "बागमती"}[script] if known else _choice(rng, STATES)
    numerals = {"bengali": "০১২৩৪৫৬৭৮৯", "devanagari": "०१२३४५६७८९"}[script] if known else DIGITS
    colour = _jitter(rng, _choice(rng, ((238, 238, 238), (200, 30, 40), (20, 110, 60))))
    canvas = _blank(rng, rng.uniform(1.2, 2.2), colour)
    ink = _contrast(rng, colour)
    path = fonts.pick(rng, script)
    write(canvas, (0.08, 0.1, 0.92, 0.43), first, path, ink)
    write(
        canvas,
        (0.08, 0.53, 0.92, 0.9),
        _letters(rng, numerals, 2) + "-" + _letters(rng, numerals, 4),
        path,
        ink,
    )
    _border(rng, canvas, ink)
    return canvas


Draw = Callable[[Generator, Fonts], np.ndarray]

PLATES: tuple[tuple[float, Draw], ...] = (
    (0.10, european),
    (0.20, american),
    (0.20, two_lines),
    (0.16, arabic),
    (0.24, egyptian),
    (0.08, thai),
    (0.05, japanese),
    (0.04, chinese),
    (0.05, bengali),
)


def plate(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Draw one plate, uint8 RGB, about 100 pixels high, with dirt, a glare or a shadow now and then."""
    weights = np.array([weight for weight, _ in PLATES])
    canvas = PLATES[rng.choice(len(PLATES), p=weights / weights.sum())][1](rng, fonts)
    return _frame(rng, _wear(rng, canvas)) if rng.random() < 0.3 else _wear(rng, canvas)


def _frame(rng: Generator, canvas: np.ndarray) -> np.ndarray:
    """Put a holder around a plate; people who label plates mostly take it for a part of them."""
    colour = _jitter(rng, _choice(rng, ((25, 25, 28), (25, 25, 28), (150, 150, 155), (90, 90, 95))))
    margin = max(1, round(canvas.shape[0] * rng.uniform(0.02, 0.07)))
    below = margin + round(canvas.shape[0] * rng.uniform(0.0, 0.1))
    return cv2.copyMakeBorder(canvas, margin, below, margin, margin, cv2.BORDER_CONSTANT, value=colour)


def _wear(rng: Generator, canvas: np.ndarray) -> np.ndarray:
    height, width = canvas.shape[:2]
    work = canvas[..., :3].astype(np.float32)
    if rng.random() < 0.3:
        dirt = cv2.resize(rng.random((4, 8), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        amount = (np.clip(dirt - 0.5, 0, 1) * rng.uniform(0.3, 1.3))[..., None]
        work = work * (1 - amount) + np.array((95, 80, 60), np.float32) * amount
    if rng.random() < 0.25:
        x = np.linspace(0, 1, width, dtype=np.float32) - rng.uniform(0, 1)
        y = np.linspace(0, 1, height, dtype=np.float32)[:, None] - rng.uniform(0, 1)
        work += (np.exp(-(x**2 + y**2) / rng.uniform(0.01, 0.2)) * rng.uniform(60, 200))[..., None]
    if rng.random() < 0.2:
        edge = round(height * rng.uniform(0.2, 0.8))
        work[:edge] *= rng.uniform(0.3, 0.8)
    worn = np.clip(work, 0, 255).astype(np.uint8)
    return np.concatenate([worn, canvas[..., 3:]], axis=2)


# Things that are not plates -------------------------------------------------------------------------------


def _panel_colour(rng: Generator) -> Colour:
    usual = (
        (240, 240, 240),
        (240, 240, 240),
        (20, 20, 25),
        (25, 50, 120),
        (200, 30, 35),
        (20, 110, 60),
        (245, 205, 40),
    )
    return _jitter(rng, _choice(rng, usual)) if rng.random() < 0.55 else _any_colour(rng)


def _phrase(rng: Generator, count: int) -> str:
    text = " ".join(_choice(rng, WORDS) for _ in range(count))
    return _choice(rng, (text.upper(), text.title(), text))


def board(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A sign or shop front: words, a street name, a sale, a telephone number."""
    colour = _panel_colour(rng)
    canvas = _blank(rng, float(np.exp(rng.uniform(-0.3, 1.9))), colour, 110)
    ink = _contrast(rng, colour)
    lines = int(rng.integers(1, 4))
    for line in range(lines):
        text = _phrase(rng, int(rng.integers(1, 4)))
        if rng.random() < 0.15:
            text = f"{_letters(rng, DIGITS, 3)} {_letters(rng, DIGITS, 3)} {_letters(rng, DIGITS, 4)}"
        top = 0.08 + 0.84 * line / lines
        margin = rng.uniform(0.03, 0.15)
        write(
            canvas,
            (margin, top + 0.03, 1 - margin, top + 0.84 / lines - 0.03),
            text,
            fonts.pick(rng),
            ink,
            1.6,
        )
    if rng.random() < 0.4:
        _border(rng, canvas, ink, 0.03)
    return canvas


def number_tile(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A house number, a runner's bib, a price, a clock: one to four digits, large in their panel."""
    colour = _panel_colour(rng)
    canvas = _blank(rng, rng.uniform(0.7, 1.5), colour, 100)
    ink = _contrast(rng, colour)
    text = _letters(rng, DIGITS, int(rng.integers(1, 4)))
    if rng.random() < 0.3:
        text = _choice(rng, ("$", "€", "")) + _letters(rng, DIGITS, 1) + _choice(rng, (".99", ":30", ",50"))
    write(canvas, (0.15, 0.15, 0.85, 0.85), text, fonts.pick(rng), ink, 1.4)
    if rng.random() < 0.3:
        write(canvas, (0.2, 0.02, 0.8, 0.13), _phrase(rng, 2), fonts.pick(rng), ink, 1.6)
    return canvas


def foreign_board(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A sign in another script."""
    script = _choice(rng, [name for name in SCRIPTS if fonts.has(name) and name != "latin"] or ["latin"])
    colour = _panel_colour(rng)
    canvas = _blank(rng, float(np.exp(rng.uniform(0, 1.7))), colour, 100)
    words = {"arabic": ARABIC_WORDS, "thai": THAI_WORDS}.get(script)
    text = _choice(rng, words) if words else _letters(rng, SCRIPTS[script], int(rng.integers(2, 6)))
    write(canvas, (0.05, 0.15, 0.95, 0.85), text, fonts.pick(rng, script), _contrast(rng, colour), 1.8)
    return canvas


def grille(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Parallel bars or a mesh, like a radiator, a vent or a blind."""
    colour = _panel_colour(rng)
    canvas = _blank(rng, float(np.exp(rng.uniform(-0.3, 1.6))), colour, 100)
    step = int(rng.integers(5, 22))
    other = _jitter(rng, _contrast(rng, colour), 60)
    thickness = max(1, int(step * rng.uniform(0.2, 0.6)))
    kind = rng.integers(3)
    for x in range(0, canvas.shape[1], step):
        if kind != 0:
            cv2.line(canvas, (x, 0), (x, 99), other, thickness)
    for y in range(0, 100, step):
        if kind != 1:
            cv2.line(canvas, (0, y), (canvas.shape[1], y), other, thickness)
    return canvas


def keyboard(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Rows of keys with one letter each."""
    canvas = _blank(rng, rng.uniform(2.0, 3.2), _any_colour(rng), 128)
    key = _any_colour(rng)
    rows, columns = int(rng.integers(3, 6)), int(rng.integers(8, 14))
    height, width = canvas.shape[0] / rows, canvas.shape[1] / columns
    path = fonts.pick(rng)
    for row in range(rows):
        for column in range(columns):
            x, y = int(column * width), int(row * height)
            cv2.rectangle(canvas, (x + 1, y + 1), (int(x + width - 2), int(y + height - 2)), key, -1)
            box = (column + 0.3) / columns, (row + 0.25) / rows, (column + 0.7) / columns, (row + 0.75) / rows
            write(canvas, box, _letters(rng, LATIN + DIGITS, 1), path, _contrast(rng, key), 1.3)
    return canvas


def houses(rng: Generator, fonts: Fonts) -> np.ndarray:
    """One to five fronts of houses before a sky, with rows of windows, which may be out of focus."""
    widths = [rng.uniform(0.5, 1.6) for _ in range(int(rng.integers(1, 6)))]
    height = 160
    canvas = _blank(rng, sum(widths), _any_colour(rng), height)
    window = _any_colour(rng)
    left = 0.0
    for share in np.array(widths) / sum(widths):
        right = left + share * canvas.shape[1]
        top = int(height * rng.uniform(0, 0.6))
        front = _panel_colour(rng)
        cv2.rectangle(canvas, (int(left), top), (int(right), height), front, -1)
        step = rng.uniform(14, 36)
        wide, high = step * rng.uniform(0.3, 0.7), step * rng.uniform(0.4, 0.8)
        for y in np.arange(top + step / 2, height - high, step * rng.uniform(1.0, 1.5)):
            for x in np.arange(left + step / 2, right - wide, step):
                cv2.rectangle(canvas, (int(x), int(y)), (int(x + wide), int(y + high)), _jitter(rng, window, 8), -1)
        left = right
    if rng.random() < 0.6:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.7, 5.0))
    return canvas


def document(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A page or screen full of lines of words."""
    dark = rng.random() < 0.25
    colour = _jitter(rng, (30, 30, 35) if dark else (240, 240, 235), 14)
    canvas = _blank(rng, rng.uniform(0.7, 1.6), colour, 256)
    path = fonts.pick(rng)
    lines = int(rng.integers(5, 16))
    for line in range(lines):
        top = 0.05 + 0.9 * line / lines
        end = rng.uniform(0.5, 0.95)
        count = max(1, int(end * lines / 2.5))
        write(
            canvas,
            (0.05, top, end, top + 0.62 / lines),
            _phrase(rng, count),
            path,
            _contrast(rng, colour),
            1.8,
        )
    return canvas


def stripes_of_text(rng: Generator, fonts: Fonts) -> np.ndarray:
    """A banner with the same words again and again, as behind speakers at a press conference."""
    colour = _panel_colour(rng)
    canvas = _blank(rng, rng.uniform(1.0, 2.0), colour, 224)
    texts = [_phrase(rng, int(rng.integers(1, 3))) for _ in range(2)]
    paths = [fonts.pick(rng), fonts.pick(rng)]
    inks = [_contrast(rng, colour), _any_colour(rng)]
    rows, columns = int(rng.integers(3, 7)), int(rng.integers(2, 5))
    for row in range(rows):
        for column in range(columns):
            i = (row + column) % 2
            box = (column + 0.1) / columns, (row + 0.2) / rows, (column + 0.9) / columns, (row + 0.8) / rows
            write(canvas, box, texts[i], paths[i], inks[i], 1.5)
    return canvas


def imprint(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Words, a player's number or a badge as on shirts, caps and banners: RGBA, ink without a panel behind it."""
    height = 128
    mask = np.zeros((height, round(height * np.exp(rng.uniform(-0.4, 1.3))), 3), np.uint8)
    white, path = (255, 255, 255), fonts.pick(rng)
    ink = _choice(rng, ((245, 245, 245), (15, 15, 18), _any_colour(rng), _any_colour(rng)))
    kind = rng.random()
    if kind < 0.6:
        lines = int(rng.integers(1, 4))
        for line in range(lines):
            box = 0.02, (line + 0.08) / lines, 0.98, (line + 0.92) / lines
            write(mask, box, _phrase(rng, int(rng.integers(1, 4))), path, white, 1.6)
    elif kind < 0.8:
        write(mask, (0.1, 0.02, 0.9, 0.2), _phrase(rng, 1), path, white, 1.6)
        write(mask, (0.05, 0.28, 0.95, 1.0), _letters(rng, DIGITS, int(rng.integers(1, 3))), path, white, 1.3)
    else:
        middle = mask.shape[1] // 2, height // 2
        cv2.ellipse(mask, middle, (middle[0] - 2, middle[1] - 2), 0, 0, 360, white, -1)
        badge = np.full_like(mask, ink)
        other = _contrast(rng, ink)
        for inset in rng.integers(3, 40, int(rng.integers(0, 3))):
            axes = max(2, middle[0] - int(inset)), max(2, middle[1] - int(inset))
            cv2.ellipse(badge, middle, axes, 0, 0, 360, other, int(rng.integers(1, 6)))
        write(badge, (0.2, 0.35, 0.8, 0.65), _phrase(rng, int(rng.integers(1, 3))), path, other, 1.6)
        return np.concatenate([badge, mask[..., :1]], axis=2)
    return np.concatenate([np.full_like(mask, ink), mask[..., :1]], axis=2)


SIGNS: tuple[tuple[float, Draw], ...] = (
    (0.24, board),
    (0.12, number_tile),
    (0.09, foreign_board),
    (0.07, grille),
    (0.04, keyboard),
    (0.08, houses),
    (0.07, document),
    (0.07, stripes_of_text),
    (0.30, imprint),
)


def sign(rng: Generator, fonts: Fonts) -> np.ndarray:
    """Draw one thing that looks a little like a plate and is none, RGB or RGBA."""
    weights = np.array([weight for weight, _ in SIGNS])
    return _wear(rng, SIGNS[rng.choice(len(SIGNS), p=weights / weights.sum())][1](rng, fonts))


def lettering(rng: Generator, fonts: Fonts, pixels: np.ndarray) -> None:
    """Write a subtitle, a watermark or a date straight onto a picture."""
    text = _phrase(rng, int(rng.integers(1, 6)))
    if rng.random() < 0.3:
        year, month, day, minute = (_letters(rng, DIGITS, count) for count in (2, 1, 1, 2))
        text = f"20{year}-0{month}-1{day} 12:{minute}"
    height = rng.uniform(0.03, 0.16)
    x, y = rng.uniform(0, 0.5), rng.uniform(0, 1 - height)
    ink = _choice(rng, ((255, 255, 255), (255, 255, 255), (250, 230, 40), (10, 10, 10), _any_colour(rng)))
    write(pixels, (x, y, min(1.0, x + rng.uniform(0.2, 0.9)), y + height), text, fonts.pick(rng), ink, 1.2)


@dataclasses.dataclass
class Bank:
    """Pictures drawn once and used many times."""

    plates: list[np.ndarray]
    signs: list[np.ndarray]
    fonts: Fonts


def bank(seed: int, fonts: Fonts, plates: int = 3000, signs: int = 2500) -> Bank:
    """Draw a stock of plates and of signs; the same seed and fonts give the same stock."""
    rng = np.random.default_rng([seed, 77])
    return Bank([plate(rng, fonts) for _ in range(plates)], [sign(rng, fonts) for _ in range(signs)], fonts)


@click.command()
@click.argument("target", type=click.Path(path_type=pathlib.Path))
@click.option("--fonts", "folders", multiple=True, type=click.Path(exists=True, path_type=pathlib.Path))
@click.option("--seed", default=0, show_default=True)
def main(target: pathlib.Path, folders: tuple[pathlib.Path, ...], seed: int) -> None:
    """Draw a sheet of plates (upper half) and signs (lower half) to look at."""
    stock = bank(seed, Fonts(folders), 60, 60)
    sheet = np.zeros((12 * 110, 10 * 210, 3), np.uint8)
    for i, picture in enumerate(stock.plates + stock.signs):
        scale = min(200 / picture.shape[1], 100 / picture.shape[0])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        y, x = i // 10 * 110, i % 10 * 210
        alpha = small[..., 3:] / 255.0 if small.shape[2] == 4 else 1.0
        place = sheet[y : y + small.shape[0], x : x + small.shape[1]]
        place[:] = small[..., :3] * alpha + 128 * (1 - alpha)
    Image.fromarray(sheet).save(target)


if __name__ == "__main__":
    main()
