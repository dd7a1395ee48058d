"""The second pass over a film: hides what the tracks say in the decoded frames, in their own planes.

    painter = Painter(tracks, facts, settings)
    for frame in film.frames():
        has_changed = painter.paint(frame.picture, frame.index)

Nothing is converted to RGB and back, which would change most samples of a frame: each component (brightness, both
differences of colour, or red, green and blue, and opacity) is a picture of its own, with a mask of its own size. A
sample of colour that stands for several pixels is hidden as far as any of them is. Where the mask is 0, samples stay
the same to the last bit.

What is painted depends on what is visible in the same frame, and on what `frozen` settled for the whole track: one of
three tones, or with `--cells` from 1 on the brightness of the cells, 6 possible values each. The colours of the
surroundings may follow the frame: they are means of samples that the output shows anyway, so that adding up frames
tells nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from anonymizer.errors import PictureError
from anonymizer.geometry import PixelBox
from anonymizer.kinds import Kind
from anonymizer.redact.blending import GradientPatch, blend
from anonymizer.redact.cells import LEVELS, TONES, Levels, cell_edges, grid_of, pad_cells, sum_around
from anonymizer.redact.colors import LUMA
from anonymizer.redact.gaussian import smooth
from anonymizer.redact.image import overlay_on
from anonymizer.redact.mask import draw_mask
from anonymizer.redact.mosaic import tiled
from anonymizer.redact.planes import Mask, Owners, Planes
from anonymizer.redact.scene import RedactionTarget, Scene, Seed
from anonymizer.redact.sums import Sums
from anonymizer.redact.targets import ranked, to_style, to_targets
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels
from anonymizer.video.components import Component, components_of, is_full_range
from anonymizer.video.facts import FilmFacts

_BT709, _BT2020 = (0.2126, 0.0722), (0.2627, 0.0593)
_BT601 = (LUMA[0], LUMA[2])
_RED_AND_BLUE: Mapping[int, tuple[float, float]] = {1: _BT709, 5: _BT601, 6: _BT601, 9: _BT2020, 10: _BT2020}
"""Share of red and of blue in the brightness, by the number of the matrix in ITU-T H.273."""
_HD_HEIGHT = 720
"""From this height on frames that do not name their matrix are taken for BT.709."""
_REFUSED: Mapping[str, str] = {
    "inpaint": "--method inpaint is not for films: what it makes up would change from frame to frame; choose gaussian, "
    "mosaic, solid or image",
    "kernel": "--obfuscation-kernel is not for films: adding up the frames would undo it; leave it out",
}


class Tracks(Protocol):
    """What is hidden in each frame; `tracks.FilmTracks` is one."""

    def in_frame(self, index: int) -> Sequence[Detection]: ...

    def levels_of(self, number: int) -> Levels | None: ...

    def seed_of(self, number: int) -> Seed: ...


def refusal(settings: RedactSettings, kinds: Sequence[Kind]) -> str | None:
    """Why nothing can be hidden in films as the settings ask; None if it can."""
    methods = [to_style(kind, settings).method for kind in kinds]
    return next((_REFUSED[method] for method in methods if method in _REFUSED), None)


@dataclass(frozen=True)
class Painter:
    """Hides what is in the tracks of a film, frame by frame in any order."""

    tracks: Tracks
    facts: FilmFacts
    settings: RedactSettings

    def hides(self, index: int) -> bool:
        """Whether anything is hidden in a frame."""
        return bool(self._found(index))

    def paint(self, frame: VideoFrame, index: int) -> bool:
        """Hides what is in a frame; the decoder's own copy of it stays as it is.

        Returns:
            Whether the frame has changed.

        Raises:
            PictureError: nothing can be painted in such frames, or not by the method.
        """
        found = self._found(index)
        if not found:
            return False
        reason = refusal(self.settings, [one.kind for one in found])
        if reason is not None:
            raise PictureError(reason)
        frame.make_writable()
        has_fields = self.facts.is_interlaced or frame.interlaced_frame
        components = components_of(frame, self.facts.orientation, has_fields)
        whole = components[0].samples
        targets = [
            target if one.track is None else replace(target, seed=self.tracks.seed_of(one.track))
            for one, target in zip(
                found, to_targets(found, (whole.shape[0], whole.shape[1]), self.settings), strict=True
            )
        ]
        planes = draw_mask(whole[:, :, np.newaxis], [target.region for target in targets])
        layers = [_layer(component, planes, targets) for component in components]
        levels = {target.number: self._levels(one) for one, target in zip(found, targets, strict=True)}
        colours = _Colours(frame, components)
        # Everything is computed before anything is painted.
        painted = [
            (layer, target, patch)
            for target in targets
            for layer, patch in zip(layers, _replacements(layers, target, levels, colours), strict=True)
        ]
        for layer, target, patch in painted:
            blend(layer.scene, layer.targets[target.number].region.bounds, target.number, patch)
        return True

    def _found(self, index: int) -> list[Detection]:
        return ranked(self.tracks.in_frame(index), self.settings)

    def _levels(self, found: Detection) -> Levels | None:
        return None if found.track is None else self.tracks.levels_of(found.track)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A component of a frame, with what is hidden in it."""

    component: Component
    scene: Scene
    """Its samples as a picture of one channel."""
    targets: Mapping[int, RedactionTarget]
    """By number, with regions in samples."""


def _layer(component: Component, planes: Planes, targets: Sequence[RedactionTarget]) -> _Layer:
    samples = component.samples[:, :, np.newaxis]
    if component.group == (1, 1):
        return _Layer(
            component,
            Scene(samples, planes.mask, planes.owners, targets, 0),
            {target.number: target for target in targets},
        )
    size = component.samples.shape[0], component.samples.shape[1]
    mask, owners = np.zeros(size, np.float32), np.zeros(size, np.int32)
    of_number = {}
    for target in targets:
        region = target.region
        bounds = _in_groups(region.bounds, component)
        _reduce(planes, component, bounds, mask, owners)
        core = _divided(region.core, component.block, component.block).inside(size)
        scaled = replace(region, core=core, bounds=bounds.inside(size))
        of_number[target.number] = replace(target, region=scaled)
    return _Layer(component, Scene(samples, mask, owners, list(of_number.values()), 0), of_number)


def _in_groups(bounds: PixelBox, component: Component) -> PixelBox:
    """The samples of all groups that an area of pixels touches; they may extend beyond the frame."""
    return _divided(bounds, component.group, component.block)


def _divided(area: PixelBox, group: tuple[int, int], block: tuple[int, int]) -> PixelBox:
    """The samples of an area of pixels, from whole groups, outward."""
    (height, width), (rows, columns) = group, (group[0] // block[0], group[1] // block[1])
    return PixelBox(
        area.top // height * rows,
        area.left // width * columns,
        -(-area.bottom // height) * rows,
        -(-area.right // width) * columns,
    )


def _reduce(planes: Planes, component: Component, bounds: PixelBox, mask: Mask, owners: Owners) -> None:
    """Fills in mask and owners of the samples in bounds, which begin and end with groups, from those of their pixels.

    Each sample belongs to the target of the pixel with the largest share in its group.
    """
    (height, width), (by_y, by_x) = component.group, component.block
    area = PixelBox(bounds.top * by_y, bounds.left * by_x, bounds.bottom * by_y, bounds.right * by_x)
    share, owner = (_blocks(plane, area, height, width) for plane in (planes.mask, planes.owners))
    largest = share.argmax(axis=2)[:, :, np.newaxis]
    repeats = height // by_y, width // by_x
    inside = bounds.inside((mask.shape[0], mask.shape[1]))
    part = slice(inside.top - bounds.top, inside.bottom - bounds.top), slice(0, inside.right - bounds.left)
    for values, target in ((share, mask), (owner, owners)):
        chosen = np.take_along_axis(values, largest, axis=2)[:, :, 0]
        target[inside.slices] = chosen.repeat(repeats[0], axis=0).repeat(repeats[1], axis=1)[part]


def _blocks(plane: npt.NDArray[Any], area: PixelBox, height: int, width: int) -> npt.NDArray[Any]:
    """Values of an area, which may extend beyond the plane, block by block: (rows, columns, values in a block)."""
    values: npt.NDArray[Any] = np.zeros((area.height, area.width), plane.dtype)
    inside = plane[area.slices]
    values[: inside.shape[0], : inside.shape[1]] = inside
    rows, columns = area.height // height, area.width // width
    return np.asarray(values.reshape(rows, height, columns, width).swapaxes(1, 2).reshape(rows, columns, -1))


def _replacements(
    layers: Sequence[_Layer], target: RedactionTarget, levels: Mapping[int, Levels | None], colours: _Colours
) -> Iterator[Pixels | GradientPatch]:
    """What replaces a target in each of the layers."""
    known, method = levels[target.number], target.style.method
    is_plain = method in ("gaussian", "mosaic") and not target.style.cells
    grids = [_grid(layer.targets[target.number], known, is_plain) for layer in layers]
    sums = [_sums_around(layer, target, grid) for layer, grid in zip(layers, grids, strict=True)]
    around = [_mean(of_layer, layer.component) for of_layer, layer in zip(sums, layers, strict=True)]
    if method in ("gaussian", "mosaic"):
        cells = colours.of_tone(known, grids) if is_plain else colours.of_levels(known, around)
        for layer, of_layer, values in zip(layers, sums, cells, strict=True):
            (padded,) = pad_cells(values[np.newaxis, :, :, np.newaxis], of_layer)
            yield (smooth if method == "gaussian" else tiled)(layer.targets[target.number], padded)
        return
    colour = around if target.style.color == "mean" else colours.of_rgb(_rgb(target.style.color))
    if method == "image":
        over, opacity = overlay_on(target)
        laid = colours.of_overlay(over, opacity, colour)
    for index, layer in enumerate(layers):
        own = layer.targets[target.number].region.bounds
        if method == "image":
            yield _at_samples(laid[index], layer, target, own)
        else:
            flat = np.full((1, 1, 1), round(colour[index]), layer.component.samples.dtype)
            yield np.broadcast_to(flat, (own.height, own.width, 1))


def _grid(own: RedactionTarget, known: Levels | None, is_plain: bool) -> tuple[int, int]:
    """How many rows and columns of cells a target has in a layer."""
    if is_plain:
        return grid_of(own)
    return (1, 1) if known is None else (known.shape[0], known.shape[1])


def _at_samples(values: npt.NDArray[np.float32], layer: _Layer, target: RedactionTarget, own: PixelBox) -> Pixels:
    """What is given for each pixel of a target's bounds, (height, width), for the samples of a layer: the nearest."""
    (by_y, by_x), bounds = layer.component.block, target.region.bounds
    y = (np.arange(own.top, own.bottom) * by_y - bounds.top).clip(0, bounds.height - 1)
    x = (np.arange(own.left, own.right) * by_x - bounds.left).clip(0, bounds.width - 1)
    sampled = np.rint(values[np.ix_(y, x)]).astype(layer.component.samples.dtype)
    return np.asarray(sampled[:, :, np.newaxis])


def _sums_around(layer: _Layer, target: RedactionTarget, grid: tuple[int, int]) -> Sums:
    """(1, rows + 2, columns + 2, 2): what is visible in the cells and around them."""
    own = [layer.targets[target.number]]
    return sum_around(layer.scene, own, *cell_edges(own, grid))


def _mean(sums: Sums, component: Component) -> float:
    """Of what is visible around; without it no colour, and medium brightness."""
    total, count = sums[0].sum(axis=(0, 1)).tolist()
    return float(total / count) if count else component.middle


def _rgb(color: str) -> npt.NDArray[np.float32]:
    """A colour #rrggbb, (3,) in [0, 1]."""
    return np.asarray(np.frombuffer(bytes.fromhex(color[1:]), np.uint8) / np.float32(255), np.float32)


class _Colours:
    """Colours in the components of a frame."""

    def __init__(self, frame: VideoFrame, components: Sequence[Component]) -> None:
        self._components = components
        otherwise = _BT709 if max(frame.height, 1) >= _HD_HEIGHT else _BT601
        self._red, self._blue = _RED_AND_BLUE.get(int(frame.colorspace), otherwise)
        self._is_full = is_full_range(frame)

    def of_rgb(self, color: npt.NDArray[np.float32]) -> list[float]:
        """The values of a colour, (3,) in [0, 1]."""
        return [float(self._of_rgb(part, color, np.ones((), np.float32))) for part in self._components]

    def of_overlay(
        self, over: npt.NDArray[np.float32], opacity: npt.NDArray[np.float32], colour: Sequence[float]
    ) -> list[npt.NDArray[np.float32]]:
        """An overlay on a colour, (height, width) in each component.

        Args:
            over: colours times opacity, (height, width, 3).
            opacity: (height, width).
            colour: behind it, a value for each component.
        """
        return [
            np.asarray(self._of_rgb(part, over, opacity) + (1 - opacity) * value, np.float32)
            for part, value in zip(self._components, colour, strict=True)
        ]

    def of_tone(self, known: Levels | None, grids: Sequence[tuple[int, int]]) -> list[npt.NDArray[np.float64]]:
        """The cells of an object of which nothing shows, in each component: so many rows and columns.

        Args:
            known: the number of its tone; None: the middle one.
        """
        tone = TONES[len(TONES) // 2 if known is None else int(known[0, 0])]
        return [np.full(grid, value) for grid, value in zip(grids, self.of_rgb(_rgb(tone)), strict=True)]

    def of_levels(self, levels: Levels | None, around: Sequence[float]) -> list[npt.NDArray[np.float64]]:
        """The cells of an object in each component, (rows, columns): their brightness, in the colour of what is around.

        Args:
            levels: None: the brightness of what is around.
            around: mean of what is visible around, a value for each component.
        """
        if levels is None:
            return [np.full((1, 1), value) for value in around]
        share = levels.astype(np.float64) / (LEVELS - 1)
        of_role = {part.role: value for part, value in zip(self._components, around, strict=True)}
        gray = LUMA[0] * of_role["r"] + LUMA[1] * of_role["g"] + LUMA[2] * of_role["b"] if "r" in of_role else 0.0
        cells = []
        for part, value in zip(self._components, around, strict=True):
            bright = part.low + share * (part.high - part.low)
            if part.role == "y":
                cells.append(bright)
            elif part.role in "rgb":
                cells.append((bright + value - gray).clip(part.low, part.high))
            else:
                cells.append(np.full(levels.shape, value))
        return cells

    def _of_rgb(
        self, part: Component, color: npt.NDArray[np.float32], opacity: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """The value of colours, (..., 3), that were multiplied by an opacity, (...), times that opacity."""
        red, green, blue = color[..., 0], color[..., 1], color[..., 2]
        bright = self._red * red + (1 - self._red - self._blue) * green + self._blue * blue
        span = part.high - part.low
        if part.role in "uv":
            other, share = (blue, self._blue) if part.role == "u" else (red, self._red)
            return np.asarray(part.middle * opacity + span * (other - bright) / (2 * (1 - share)), np.float32)
        of_role = {"y": bright, "r": red, "g": green, "b": blue, "a": opacity}
        return np.asarray(part.low * opacity + span * of_role[part.role], np.float32)
