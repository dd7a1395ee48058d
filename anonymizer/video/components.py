"""The samples of a decoded frame, component by component, as upright arrays that write into the frame itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from anonymizer.errors import PictureError
from anonymizer.files.orientation import view_upright

Role: TypeAlias = Literal["y", "u", "v", "r", "g", "b", "a"]
Samples: TypeAlias = npt.NDArray[Any]
"""uint8 or uint16 of either byte order, (H, W)."""

_FULL_RANGE = 2
_LIMITED_RANGE = 1
_TURNED = range(5, 9)
"""Orientations that exchange rows and columns."""
_PACKED: Mapping[str, str] = {
    **{name: name[:-2] for name in ("rgb24", "bgr24")},
    **{name: name for name in ("rgba", "bgra", "argb", "abgr", "rgb0", "bgr0", "0rgb", "0bgr")},
    **{f"{name}48{end}": name for name in ("rgb", "bgr") for end in ("le", "be")},
    **{f"{name}64{end}": name for name in ("rgba", "bgra") for end in ("le", "be")},
}
"""Pixel formats with one plane, and the order of the components of a pixel in it; 0 is nothing."""
_PACKED_PAIRS: Mapping[str, str] = {"yuyv422": "yuyv", "uyvy422": "uyvy", "yvyu422": "yvyu"}
"""The same, with two pixels next to each other that share u and v."""
_HIGH_BITS = ("p010", "p012", "p210", "p212", "p410", "p412")
"""Beginnings of the names of those whose values lie in the upper bits of 16."""
_PLANAR = ("yuv", "gbr", "gray", "ya8", "ya16", "nv12", "nv16", "nv21", "nv24", "nv42", "p016", "p216", "p416")
"""Beginnings of the names of those whose components lie in planes, alone or by turns."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component of all pixels: brightness, a difference of colour, a colour or opacity."""

    role: Role
    samples: Samples
    """Upright; what is written into it is written into the frame."""
    block: tuple[int, int]
    """Height and width in pixels of what a sample stands for."""
    group: tuple[int, int]
    """The same for the smallest block of samples that can be told apart: of two fields, whose rows of colour lie by
    turns, two rows of samples."""
    low: float
    """Value of black, or of the lowest difference."""
    high: float
    middle: float
    """Value of medium gray, or of no difference."""


def components_of(frame: VideoFrame, orientation: int = 1, has_fields: bool = False) -> list[Component]:
    """The components of a frame, the first of them with a sample for each pixel.

    Args:
        frame: call its make_writable() first where samples are to be changed.
        orientation: EXIF orientation that turns the frame upright.
        has_fields: whether the frame consists of two fields.

    Raises:
        PictureError: the pixel format is none that is known here.
    """
    name = frame.format.name
    found = _components_in_pairs(frame) if name in _PACKED_PAIRS else _components_in_planes(frame)
    if not found or found[0][0] not in "yr":
        raise PictureError(f"has the pixel format {name}, in which nothing can be hidden")
    return [_component(frame, role, stored, orientation, has_fields) for role, stored in found]


def can_paint(pixel_format: str) -> bool:
    """Whether `components_of` knows a pixel format, by FFmpeg's name."""
    if pixel_format in _PACKED or pixel_format in _PACKED_PAIRS:
        return True
    is_known = pixel_format.startswith((*_PLANAR, *_HIGH_BITS))
    return is_known and not pixel_format.endswith(("f16le", "f16be", "f32le", "f32be", "msble", "msbbe"))


def _components_in_planes(frame: VideoFrame) -> list[tuple[Role, Samples]]:
    name, parts = frame.format.name, frame.format.components
    if not can_paint(name):
        return []
    if name in _PACKED:
        order = _PACKED[name]
        plane = _plane(frame, 0)
        return [(role, plane[:, order.index(role) :: len(order)]) for role in _roles_in(order)]
    planes = [part.plane for part in parts]
    roles = _roles(name, len(parts))
    found: list[tuple[Role, Samples]] = []
    for index, (role, part) in enumerate(zip(roles, parts, strict=True)):
        together = [other for other, plane in enumerate(planes) if plane == part.plane]
        if name.startswith(("nv21", "nv42")):
            together.sort(reverse=True)
        samples = _plane(frame, part.plane)[:, together.index(index) :: len(together)]
        found.append((role, samples[: part.height, : part.width]))
    return found


def _components_in_pairs(frame: VideoFrame) -> list[tuple[Role, Samples]]:
    order, plane = _PACKED_PAIRS[frame.format.name], _plane(frame, 0)
    of_y, of_u, of_v = order.index("y"), order.index("u"), order.index("v")
    return [
        ("y", plane[:, of_y::2][:, : frame.width]),
        ("u", plane[:, of_u::4][:, : (frame.width + 1) // 2]),
        ("v", plane[:, of_v::4][:, : (frame.width + 1) // 2]),
    ]


def _roles_in(order: str) -> list[Role]:
    known: Sequence[Role] = ("r", "g", "b", "a")
    return [role for role in known if role in order]


def _roles(name: str, number: int) -> list[Role]:
    """Of the components of a pixel format with planes, in FFmpeg's order."""
    colours: list[Role] = ["r", "g", "b"] if name.startswith("gbr") else ["y", "u", "v"]
    if name.startswith(("gray", "ya")):
        colours = ["y"]
    rest: list[Role] = ["a"] * (number - len(colours))
    return [*colours, *rest]


def _plane(frame: VideoFrame, index: int) -> Samples:
    """All that lies in a plane, (rows, values in a row), without what fills up its lines behind them."""
    plane = frame.planes[index]
    if plane.line_size <= 0:
        raise PictureError("is stored upside down in memory, in which nothing can be hidden")
    bits = max(part.bits for part in frame.format.components)
    wide = ">u2" if frame.format.is_big_endian else "<u2"
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
    values = lines if bits <= 8 else lines[:, : plane.line_size // 2 * 2].view(wide)
    return values[:, : _values_in_row(frame, index)]


def _values_in_row(frame: VideoFrame, index: int) -> int:
    name, parts = frame.format.name, [part for part in frame.format.components if part.plane == index]
    if name in _PACKED:
        return frame.width * len(_PACKED[name])
    if name in _PACKED_PAIRS:
        return 4 * ((frame.width + 1) // 2)
    return max(part.width for part in parts) * len(parts)


def _component(frame: VideoFrame, role: Role, stored: Samples, orientation: int, has_fields: bool) -> Component:
    rows, columns = _samples_apart(frame) if role in "uv" else (1, 1)
    block = rows, columns
    group = (2 * rows, columns) if has_fields and rows > 1 else block
    if orientation in _TURNED:
        block, group = block[::-1], group[::-1]
    low, high, middle = _range(frame, role)
    return Component(role, view_upright(stored, orientation), block, group, low, high, middle)


def _samples_apart(frame: VideoFrame) -> tuple[int, int]:
    """Height and width in pixels of what a sample of colour stands for: 2, 2 for 4:2:0."""
    many = 64
    return many // frame.format.chroma_height(many), many // frame.format.chroma_width(many)


def _range(frame: VideoFrame, role: Role) -> tuple[float, float, float]:
    """Lowest, highest and middle value of a component."""
    name = frame.format.name
    bits = 16 if name.startswith(_HIGH_BITS) else max(part.bits for part in frame.format.components)
    unit = 2.0 ** (bits - 8)
    has_limits = role in "yuv" and not is_full_range(frame)
    low, high = (16 * unit, (235 if role == "y" else 240) * unit) if has_limits else (0.0, 2.0**bits - 1)
    return low, high, 128 * unit if role in "uv" else (low + high) / 2


def is_full_range(frame: VideoFrame) -> bool:
    """Whether values of brightness go from 0 to the highest one, and not from 16 to 235."""
    name = frame.format.name
    if name.startswith("gray"):
        return frame.color_range != _LIMITED_RANGE
    return frame.color_range == _FULL_RANGE or name.startswith("yuvj")
