"""Making one training example: a random view of a picture, with plates and signs pasted, and worn.

Coordinates are pixels of the view, x_min, y_min, x_max, y_max.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.random import Generator

from . import render
from .data import Sample
from .model import STRIDES

SIZE_RANGES = ((0.0, 80.0), (56.0, 208.0), (144.0, 1e9))
"""Which plates a level learns, by their extent in pixels (see ``extent``); neighbouring ranges overlap."""

SMALLEST_HEIGHT = 5.0
"""Plates lower than this in the view are neither learnt as plates nor as background. Pixels."""

_NOISE = np.random.default_rng(5).normal(0, 1, (768, 768)).astype(np.float32)


@dataclasses.dataclass
class View:
    """A square view: ``pixels`` uint8 RGB (S, S, 3); ``boxes`` float32 (n, 4); ``ignore`` bool (n,)."""

    pixels: np.ndarray
    boxes: np.ndarray
    ignore: np.ndarray


def extent(boxes: np.ndarray) -> np.ndarray:
    """Size by which plates go to levels: the longer of the width and 1.5 heights, pixels (n,)."""
    return np.asarray(np.maximum(boxes[:, 2] - boxes[:, 0], 1.5 * (boxes[:, 3] - boxes[:, 1])))


def _view_matrix(rng: Generator, sample: Sample, size: int, anchor: np.ndarray | None) -> np.ndarray:
    """Map level-0 pixels to the view: scale, squeeze, rotation, shear, flip, shift. float64 (2, 3)."""
    height, width = sample.levels[0].shape[:2]
    if anchor is not None:
        wanted = np.exp(rng.uniform(np.log(0.05), np.log(0.85)))
        if rng.random() < 0.5:
            wanted = np.exp(rng.uniform(np.log(0.06), np.log(0.36)))
        scale = wanted * size / extent(anchor[None])[0]
        middle = (anchor[:2] + anchor[2:]) / 2
    else:
        scale = size / max(height, width) * np.exp(rng.uniform(np.log(0.9), np.log(3.5)))
        middle = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    least = size / min(height, width) if rng.random() < 0.5 else 0.85 * size / max(height, width)
    scale = float(np.clip(scale, least, max(least, 4.0)))
    squeeze = np.exp(rng.uniform(-0.3, 0.3)) if rng.random() < 0.5 else np.exp(rng.normal(0, 0.05))
    angle = rng.normal(0, 0.09) if rng.random() < 0.35 else 0.0
    if rng.random() < 0.1:
        angle = rng.uniform(-0.7, 0.7)
    shear = rng.uniform(-0.15, 0.15) if rng.random() < 0.2 else 0.0
    flip = -1.0 if rng.random() < 0.3 else 1.0
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = linear @ np.array([[flip, shear], [0.0, 1.0]]) @ np.diag([scale * squeeze, scale / squeeze])
    shift = np.zeros(2)
    for axis in range(2):
        half = 0.0 if anchor is None else min(size / 2 - 1, 0.6 * scale * (anchor[2:] - anchor[:2])[axis])
        target = rng.uniform(half, size - half)
        shift[axis] = target - (linear @ middle)[axis]
        if rng.random() < 0.85:
            ends = linear @ np.array([[0, width, 0, width], [0, 0, height, height]])
            low, high = sorted((size - ends[axis].max(), -ends[axis].min()))
            shift[axis] = np.clip(shift[axis], low, high)
    return np.column_stack([linear, shift])


def _warp_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1).astype(np.float32)


def look(rng: Generator, sample: Sample, size: int, at_plate: bool) -> View:
    """Take a random view of a picture, around one of its plates where asked for and possible."""
    known = np.flatnonzero(~sample.ignore)
    anchor = sample.boxes[rng.choice(known)] if at_plate and len(known) else None
    matrix = _view_matrix(rng, sample, size, anchor)
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    level = int(np.clip(np.floor(np.log2(1 / max(scale, 1e-6)) + 0.3), 0, len(sample.levels) - 1))
    stored = sample.levels[level]
    factor = np.array(sample.levels[0].shape[1::-1]) / np.array(stored.shape[1::-1])
    fill = (0, 0, 0) if rng.random() < 0.6 else tuple(int(v) for v in rng.integers(0, 256, 3))
    pixels = cv2.warpAffine(
        stored,
        np.column_stack([matrix[:, :2] * factor, matrix[:, 2]]),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
    return _clip(View(pixels, _warp_boxes(sample.boxes, matrix), sample.ignore.copy()), size)


def mosaic(views: list[View]) -> View:
    """Put four views of one size together, two by two."""
    size = views[0].pixels.shape[0]
    rows = [np.concatenate([left.pixels, right.pixels], axis=1) for left, right in (views[:2], views[2:])]
    offsets = np.array([(0, 0), (size, 0), (0, size), (size, size)], np.float32)
    boxes = [view.boxes + np.tile(offset, 2) for view, offset in zip(views, offsets, strict=True)]
    ignore = np.concatenate([view.ignore for view in views])
    return View(np.concatenate(rows), np.concatenate(boxes).astype(np.float32), ignore)


def _clip(view: View, size: int) -> View:
    """Clip boxes to the view; plates cut by more than half, or very low, become ignored."""
    clipped = np.clip(view.boxes, 0, size)
    area = np.prod(view.boxes[:, 2:] - view.boxes[:, :2], axis=1)
    sides = np.maximum(clipped[:, 2:] - clipped[:, :2], 0)
    visible = np.prod(sides, axis=1)
    ignore = view.ignore | (visible < 0.5 * area) | (sides[:, 1] < SMALLEST_HEIGHT)
    kept = visible > 1
    return View(view.pixels, clipped[kept], ignore[kept])


def _paste(pixels: np.ndarray, patch: np.ndarray, quad: np.ndarray, light: float) -> None:
    """Warp a patch (RGB or RGBA) onto a quadrilateral, float (4, 2), clockwise from the upper left; soft edges."""
    size = pixels.shape[0]
    width = max(4, int(np.linalg.norm(quad[1] - quad[0])))
    height = max(4, int(np.linalg.norm(quad[3] - quad[0])))
    patch = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA)
    alpha = patch[..., 3] if patch.shape[2] == 4 else np.full((height, width), 255, np.uint8)
    patch = np.clip(patch[..., :3].astype(np.float32) * light, 0, 255).astype(np.uint8)
    right, bottom = width - 0.5, height - 0.5
    corners = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]], np.float32)
    x0, y0 = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 2, 0)
    x1, y1 = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 2, size)
    if x1 <= x0 or y1 <= y0:
        return
    transform = cv2.getPerspectiveTransform(corners, np.float32(quad - (x0, y0)))
    extent_xy = int(x1 - x0), int(y1 - y0)
    warped = cv2.warpPerspective(patch, transform, extent_xy, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(alpha, transform, extent_xy, flags=cv2.INTER_LINEAR)[..., None].astype(np.uint16)
    target = pixels[y0:y1, x0:x1]
    target[:] = (target * (255 - mask) + warped * mask) // 255


def _quad(rng: Generator, middle: np.ndarray, width: float, height: float) -> np.ndarray:
    """A jittered quadrilateral around a point, as a plate is seen by a camera that is not square to it.

    Plates that are nearly as high as wide sit on motorcycles: they lean, and are seen from the side.
    """
    leaning = width < 1.6 * height and rng.random() < 0.6
    if leaning:
        width *= rng.uniform(0.5, 1.0)
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    narrow = rng.normal(0, 0.05)
    corners[[0, 3], 1] *= 1 + narrow
    corners[[1, 2], 1] *= 1 - narrow
    corners[:, 1] += corners[:, 0] * rng.normal(0, 0.12) * width / max(width, 4 * height)
    corners[:, 0] += corners[:, 1] * rng.normal(0, 0.2 if leaning else 0.08)
    angle = rng.normal(0, 0.25 if leaning else 0.06)
    if rng.random() < (0.3 if leaning else 0.08):
        angle = rng.uniform(-0.9, 0.9) if leaning else rng.uniform(-0.5, 0.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((corners * (width, height)) @ turn.T + middle)


def _around(quad: np.ndarray) -> np.ndarray:
    return np.concatenate([quad.min(axis=0), quad.max(axis=0)]).astype(np.float32)


def _light(rng: Generator, pixels: np.ndarray, box: np.ndarray) -> float:
    """How bright a pasted patch shall be, from what was there before."""
    x0, y0, x1, y1 = np.clip(box, 0, pixels.shape[0] - 1).astype(int)
    there = float(pixels[y0 : y1 + 1, x0 : x1 + 1].mean()) if x1 >= x0 and y1 >= y0 else 110.0
    return float(np.clip((0.35 + there / 170) * np.exp(rng.normal(0, 0.2)), 0.15, 1.3))


def _erase(pixels: np.ndarray, box: np.ndarray) -> None:
    """Cover a plate with what lies just above and below it."""
    size = pixels.shape[0]
    grow = 0.12 * (box[2:] - box[:2]) + 1
    x0, y0 = np.maximum((box[:2] - grow).astype(int), 0)
    x1, y1 = np.minimum((box[2:] + grow).astype(int) + 1, size)
    above = pixels[max(0, y0 - 1) : y0 or 1, x0:x1].mean(axis=0)
    below = pixels[min(size - 1, y1) : min(size - 1, y1) + 1, x0:x1].mean(axis=0)
    mix = np.linspace(0, 1, y1 - y0)[:, None, None]
    pixels[y0:y1, x0:x1] = (above[None] * (1 - mix) + below[None] * mix).astype(np.uint8)


def swap_plates(rng: Generator, view: View, bank: render.Bank) -> View:
    """Replace the plates of a view by drawn ones of other shapes, in about the same place and size."""
    boxes = view.boxes.copy()
    for i, box in enumerate(view.boxes):
        if view.ignore[i]:
            continue
        patch = bank.plates[rng.integers(len(bank.plates))]
        width, height = box[2:] - box[:2]
        aspect = patch.shape[1] / patch.shape[0]
        area = width * height * np.exp(rng.uniform(0.0, 0.7)) * (1.0 if aspect > 2.5 else 1.4)
        light = _light(rng, view.pixels, box)
        _erase(view.pixels, box)
        new_width = np.sqrt(area * aspect)
        quad = _quad(rng, (box[:2] + box[2:]) / 2, new_width, new_width / aspect)
        _paste(view.pixels, patch, quad, light)
        boxes[i] = _around(quad)
    return _clip(View(view.pixels, boxes, view.ignore), view.pixels.shape[0])


def _free(rng: Generator, view: View, width: float, height: float) -> np.ndarray | None:
    """Find a middle for a patch that touches no plate; None after a few tries."""
    size = view.pixels.shape[0]
    for _ in range(6):
        middle = rng.uniform(0.04 * size, 0.96 * size, 2)
        low, high = middle - (0.6 * width, 0.75 * height), middle + (0.6 * width, 0.75 * height)
        apart = (view.boxes[:, :2] > high).any(axis=1) | (view.boxes[:, 2:] < low).any(axis=1)
        if apart.all():
            return middle
    return None


def add_signs(rng: Generator, view: View, bank: render.Bank, most: int) -> None:
    """Paste up to ``most`` things that are not plates, away from the plates."""
    for _ in range(rng.integers(1, most + 1)):
        patch = bank.signs[rng.integers(len(bank.signs))]
        aspect = patch.shape[1] / patch.shape[0]
        width = view.pixels.shape[0] * float(np.exp(rng.uniform(np.log(0.04), np.log(0.7))))
        middle = _free(rng, view, width, width / aspect)
        if middle is not None:
            quad = _quad(rng, middle, width, width / aspect)
            _paste(view.pixels, patch, quad, _light(rng, view.pixels, _around(quad)))


def add_plate(rng: Generator, view: View, bank: render.Bank) -> View:
    """Paste a drawn plate anywhere."""
    patch = bank.plates[rng.integers(len(bank.plates))]
    aspect = patch.shape[1] / patch.shape[0]
    width = view.pixels.shape[0] * float(np.exp(rng.uniform(np.log(0.04), np.log(0.75)))) * min(1.0, 0.4 + 0.3 * aspect)
    middle = _free(rng, view, width, width / aspect)
    if middle is None:
        return view
    quad = _quad(rng, middle, width, width / aspect)
    _paste(view.pixels, patch, quad, _light(rng, view.pixels, _around(quad)))
    boxes = np.concatenate([view.boxes, _around(quad)[None]])
    return _clip(View(view.pixels, boxes, np.append(view.ignore, False)), view.pixels.shape[0])


def _tone(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """Brightness, contrast, gamma, colour cast, saturation; night now and then. One table per channel."""
    ramp = np.linspace(0, 1, 256)
    gamma = np.exp(rng.normal(0, 0.25))
    gain, offset = np.exp(rng.normal(0, 0.18)), rng.normal(0, 0.05)
    cast = np.exp(rng.normal(0, 0.07, 3))
    if rng.random() < 0.12:
        gamma *= rng.uniform(1.3, 2.6)
        gain *= rng.uniform(0.5, 1.0)
        cast *= np.exp(rng.normal(0, 0.3, 3))
    table = np.clip(gain * ramp[:, None] ** gamma * cast + offset, 0, 1) * 255
    pixels = cv2.LUT(pixels, table.astype(np.uint8)[None])
    choice = rng.random()
    if choice < 0.4:
        amount = 0.0 if choice < 0.06 else rng.uniform(0.3, 1.5)
        grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        pixels = cv2.addWeighted(pixels, amount, grey, 1 - amount, 0)
    return pixels


def _blur(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """Defocus, motion blur or a coarser sensor."""
    choice = rng.random()
    if choice < 0.12:
        return cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 2.2))
    if choice < 0.22:
        length = int(rng.integers(3, 12))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        offset = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
        start, stop = (length - 1) / 2 - offset, (length - 1) / 2 + offset
        cv2.line(kernel, tuple(start.round().astype(int).tolist()), tuple(stop.round().astype(int).tolist()), 1.0)
        return cv2.filter2D(pixels, -1, kernel / kernel.sum())
    if choice < 0.32:
        small = int(pixels.shape[0] * rng.uniform(0.4, 0.9))
        lower = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(lower, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return pixels


def wear(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """Change tones, blur, add noise, compress."""
    pixels = _blur(rng, _tone(rng, pixels))
    if rng.random() < 0.2:
        size = pixels.shape[0]
        y, x = rng.integers(0, _NOISE.shape[0] - size + 1, 2)
        noise = _NOISE[y : y + size, x : x + size, None] * np.float32(rng.uniform(2, 14))
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = int(rng.integers(15, 90))
        _, code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return pixels


def targets(boxes: np.ndarray, ignore: np.ndarray, size: int) -> list[np.ndarray]:
    """What the network shall answer: one float32 (S/s, S/s, 7) per level.

    Channels: the heat in [0, 1], 1 at the cell that holds a plate's middle and falling off from the middle
    itself, so that a middle between two cells costs neither; the weight of the background loss, 0 in ignored
    places and for plates just outside the level's range; the weight of the box loss; then left, top, right,
    bottom in strides.
    """
    result = []
    widths, heights = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    extents = extent(boxes)
    for stride, (low, high) in zip(STRIDES, SIZE_RANGES, strict=True):
        cells = size // stride
        target = np.zeros((cells, cells, 7), np.float32)
        target[..., 1] = 1
        centres = (np.arange(cells, dtype=np.float32) + 0.5) * stride
        for i in np.argsort(-widths * heights):
            x0, y0, x1, y1 = boxes[i]
            column, row = (min(cells - 1, int(v / 2 / stride)) for v in (x0 + x1, y0 + y1))
            if ignore[i]:
                grow = 0.5 * stride
                inside = ((centres > x0 - grow) & (centres < x1 + grow))[None, :]
                target[inside & ((centres > y0 - grow) & (centres < y1 + grow))[:, None], 1] = 0
                continue
            if not low / 1.25 <= extents[i] < high * 1.25:
                continue
            sigma_x, sigma_y = max(0.09 * widths[i], 0.5 * stride), max(0.09 * heights[i], 0.5 * stride)
            dx, dy = centres - (x0 + x1) / 2, centres - (y0 + y1) / 2
            heat = np.exp(-0.5 * (dx / sigma_x) ** 2)[None, :] * np.exp(-0.5 * (dy / sigma_y) ** 2)[:, None]
            heat[row, column] = 1
            if not low <= extents[i] < high:
                target[heat > 0.1, 1] = 0
                continue
            target[..., 0] = np.maximum(target[..., 0], heat)
            inside = ((centres > x0) & (centres < x1))[None, :] & ((centres > y0) & (centres < y1))[:, None]
            box_cells = (heat > 0.3) & inside
            box_cells[row, column] = True
            rows, columns = np.nonzero(box_cells)
            weight = heat[rows, columns]
            sides = np.stack(
                [centres[columns] - x0, centres[rows] - y0, x1 - centres[columns], y1 - centres[rows]], axis=1
            )
            target[rows, columns, 2] = weight / weight.sum()
            target[rows, columns, 3:] = np.maximum(sides / stride, 0.02)
        result.append(target)
    return result
