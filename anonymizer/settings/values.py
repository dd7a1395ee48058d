"""The values that settings can have: their types, what a user may write for them, and how that is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from anonymizer.addresses import Address, Place, is_address, to_place
from anonymizer.geometry import SHAPES, Polygon, Shape, crosses_itself, polygon_area
from anonymizer.kinds import KINDS

Method: TypeAlias = Literal["gaussian", "mosaic", "solid", "image", "inpaint", "none"]
METHODS: tuple[Method, ...] = get_args(Method)
Drawing: TypeAlias = Literal["face", "heart", "fist"]
DRAWINGS: tuple[Drawing, ...] = get_args(Drawing)
"""What `image` shows without an overlay."""
Preset: TypeAlias = Literal["fast", "balanced", "thorough", "crowd"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
"""Each looks more closely than the one before, or for more kinds."""
ShapeChoice: TypeAlias = Shape | Literal["silhouette"]
SHAPE_CHOICES: tuple[ShapeChoice, ...] = (*SHAPES, "silhouette")
Projection: TypeAlias = Literal["flat", "equirectangular"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
MetadataPolicy: TypeAlias = Literal["strip", "safe", "keep"]
METADATA_POLICIES: tuple[MetadataPolicy, ...] = get_args(MetadataPolicy)
DetectionsFor: TypeAlias = Literal["same", "changed"]
"""For which pictures detections may be replayed."""
DETECTIONS_FOR: tuple[DetectionsFor, ...] = get_args(DetectionsFor)
Engine: TypeAlias = Literal["local", "ray"]
"""What carries the workers."""
ENGINES: tuple[Engine, ...] = get_args(Engine)
Choice: TypeAlias = Literal["keep", "drop"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
MAX_CELLS = 16
MAX_VERBOSITY = 2
LEAST_ZONE_PX = 16
"""Zones that are smaller are fractions gone wrong."""
THRESHOLD_RANGE = (0.001, 1.0)

Zone: TypeAlias = Polygon
"""Corners x, y in pixels of the upright picture, or in fractions of its size if none is above 1."""
ZonesLike: TypeAlias = str | Sequence[Sequence[Sequence[float]]]
"""Polygons as `Zone`, or as text: "0,0.8 1,0.8 1,1 0,1", further polygons behind a semicolon."""
NamedZones: TypeAlias = tuple[tuple[str, tuple[Zone, ...]], ...]
"""Patterns for the names of pictures, with the zones of those whose names match."""
NamedZonesLike: TypeAlias = ZonesLike | Mapping[str, ZonesLike]
"""Zones of all pictures, or by patterns for their names."""
EVERY_NAME = "*"


class Kernel(NamedTuple):
    """The classic triple of the understand.ai anonymizer, see `anonymizer.redact.kernel`."""

    kernel_size: int
    """Width and height of the blur kernel, pixels, odd."""
    sigma: float
    """Range of the normal distribution that the kernel spans, in standard deviations: higher is sharper."""
    box_kernel_size: int
    """Size of the mean kernel that softens the edge of the mask, pixels, odd."""


class Shard(NamedTuple):
    """One of several equal shares of a folder."""

    number: int
    """From 1 on."""
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse_items(value: object) -> list[str]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Iterable):
        raise ValueError(f"{value!r} is not a comma-separated list")
    return [str(item).strip() for item in items]


def parse_extensions(value: object) -> tuple[str, ...]:
    extensions = tuple(dict.fromkeys(item.lower().lstrip(".") for item in parse_items(value)))
    if not extensions or not all(extensions):
        raise ValueError(f"{value!r} has an empty file extension, or none")
    if "json" in extensions:
        raise ValueError("json is the extension of the detections, not of pictures")
    return extensions


def parse_film_extensions(value: object) -> tuple[str, ...]:
    """ "none" and an empty list stand for none."""
    items = [] if value is None else parse_items(value)
    return () if not items or items == ["none"] else parse_extensions(items)


def plain_film_extensions(extensions: tuple[str, ...]) -> str:
    return ",".join(extensions) or "none"


def parse_kinds(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    kinds = parse_items(value)
    if not kinds:
        raise ValueError(f"{value!r} does not name a kind")
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not one of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in kinds)


def parse_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a number")
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a number") from None


def parse_threshold(value: object) -> float | None:
    if value is None:
        return None
    threshold = parse_number(value)
    low, high = THRESHOLD_RANGE
    if not low <= threshold <= high:
        raise ValueError(f"{threshold:g} is not in the range {low}..{high}")
    return threshold


def plain_zones(zones: Sequence[Zone]) -> list[list[list[float]]]:
    return [[list(point) for point in zone] for zone in zones]


def parse_zones(value: object) -> tuple[Zone, ...]:
    if isinstance(value, str):
        value = [[point.split(",") for point in zone.split()] for zone in value.split(";")]
    try:
        zones = tuple(tuple((parse_number(x), parse_number(y)) for x, y in zone) for zone in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a polygon such as '0,0.8 1,0.8 1,1 0,1'") from None
    for zone in zones:
        if len(zone) < 3 or not all(0 <= number < float("inf") for point in zone for number in point):
            raise ValueError("a zone is a polygon of three or more corners, with numbers from 0 on")
        if 1 < max(number for point in zone for number in point) < LEAST_ZONE_PX:
            raise ValueError("corners are pixels, or fractions of the picture of which none is above 1")
        if not polygon_area(zone):
            raise ValueError("a zone has no area")
        if crosses_itself(zone):
            raise ValueError("a side of a zone crosses or touches another one")
    return zones


def plain_named_zones(zones: NamedZones) -> list[list[list[float]]] | dict[str, list[list[list[float]]]]:
    plain = {pattern: plain_zones(of_pattern) for pattern, of_pattern in zones}
    return plain.get(EVERY_NAME, []) if plain.keys() <= {EVERY_NAME} else plain


def parse_named_zones(value: object) -> NamedZones:
    if isinstance(value, tuple) and all(isinstance(each[0], str) for each in value):
        value = dict(value)  # they were checked before
    if not isinstance(value, Mapping):
        zones = parse_zones(value)
        return ((EVERY_NAME, zones),) if zones else ()
    named = []
    for pattern, of_pattern in value.items():
        if not isinstance(pattern, str) or not pattern:
            raise ValueError(f"{pattern!r} is not a pattern for names such as 'cam1/*'")
        try:
            zones = parse_zones(of_pattern)
        except ValueError as error:
            raise ValueError(f"{pattern}: {error}") from None
        if not zones:
            raise ValueError(f"{pattern}: there is no polygon")
        named.append((pattern, zones))
    return tuple(named)


def parse_kernel(value: object) -> Kernel | None:
    if value is None or value == "auto":
        return None
    items = parse_items(value)
    try:
        size, box_size = int(items[0]), int(items[2])
        sigma = int(items[1]) if items[1].isdigit() else float(items[1])
    except (ValueError, IndexError):
        items = []
    if len(items) != 3:
        raise ValueError(f"{value!r} is neither auto nor kernel_size,sigma,box_kernel_size such as 65,3,19")
    for number in (size, box_size):
        if number % 2 == 0 or not 1 <= number <= 9999:
            raise ValueError(f"kernel size {number} is not an odd number from 1 to 9999")
    if not 0 < sigma <= 8:
        raise ValueError(f"sigma {sigma:g} is not in the range 0..8")
    return Kernel(size, sigma, box_size)


def plain_kernel(kernel: Kernel | None) -> str:
    return "auto" if kernel is None else ",".join(map(str, kernel))


@dataclass(frozen=True, slots=True)
class OneOf:
    """The check of a setting that is one of some names, or None where that is allowed."""

    names: tuple[str, ...]
    optional: bool = False

    def __call__(self, value: object) -> str | None:
        if value is None and self.optional:
            return None
        if value not in self.names:
            raise ValueError(f"{value!r} is not one of {', '.join(self.names)}")
        return str(value)


def parse_cells(value: object) -> int:
    cells = parse_number(value)
    if not cells.is_integer() or not 0 <= cells <= MAX_CELLS:
        raise ValueError(f"{value} is not a whole number in the range 0..{MAX_CELLS}")
    return int(cells)


def parse_color(value: object) -> str:
    from PIL import ImageColor

    if value == "mean":
        return "mean"
    expected = "mean, the name of a colour such as 'gray', or '#rrggbb' (in quotes)"
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is neither {expected}")
    try:
        color = bytes(ImageColor.getrgb(value))
    except ValueError:
        color = b""
    if len(color) != 3:  # unknown, or with a fourth value for opacity
        raise ValueError(f"{value!r} is neither {expected}")
    return f"#{color.hex()}"


def parse_margin(value: object) -> float:
    margin = parse_number(value)
    if not 0 <= margin <= 5:
        raise ValueError(f"{margin:g} is not in the range 0..5")
    return margin


def parse_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def parse_verbosity(value: object) -> int:
    """From 0 on; true is 1, and more than MAX_VERBOSITY is as good as that."""
    if isinstance(value, bool):
        return int(value)
    number = parse_number(value)
    if not number.is_integer() or number < 0:
        raise ValueError(f"{value!r} is not true, false or a whole number from 0 on")
    return min(int(number), MAX_VERBOSITY)


def parse_limit(value: object) -> int | None:
    return None if value is None else parse_count(value)


def parse_count(value: object) -> int:
    number = parse_number(value)
    if not number.is_integer() or number < 1:
        raise ValueError(f"{value!r} is not a whole number from 1 on")
    return int(number)


def parse_price(value: object) -> float | None:
    if value is None:
        return None
    price = parse_number(value)
    if not 0 <= price < float("inf"):
        raise ValueError(f"{price:g} is not a price")
    return price


def parse_quality(value: object) -> float | None:
    if value is None or value == "auto":
        return None
    quality = parse_number(value)
    if not 0 <= quality <= 51:
        raise ValueError(f"{quality:g} is neither auto nor in the range 0..51")
    return quality


def plain_quality(quality: float | None) -> float | str:
    return "auto" if quality is None else quality


def parse_encoder(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\w[\w-]*", value):
        raise ValueError(f"{value!r} is neither auto, hardware nor the name of an encoder such as libx264")
    return value


def parse_share(value: object) -> float:
    share = parse_number(value)
    if not 0.01 <= share <= 1:
        raise ValueError(f"{share:g} is not in the range 0.01..1")
    return share


def parse_workers(value: object) -> int | None:
    if value is None or value == "auto":
        return None
    number = parse_number(value)
    if not number.is_integer() or not 0 <= number <= 1024:
        raise ValueError(f"{value!r} is neither auto nor a whole number from 0 to 1024")
    return int(number)


def plain_workers(workers: int | None) -> int | str:
    return "auto" if workers is None else workers


def parse_amount(value: object) -> float:
    """Of something that can be shared, such as processors."""
    amount = parse_number(value)
    if not 0 <= amount <= 1024:
        raise ValueError(f"{amount:g} is not in the range 0..1024")
    return amount


def parse_cluster(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not (
        value == "auto" or re.fullmatch(r"[\w.-]+:\d{1,5}|\[[\da-fA-F:]+\]:\d{1,5}", value)
    ):
        raise ValueError(f"{value!r} is neither auto nor the address of a cluster such as 10.0.0.1:6379")
    return value


def parse_seconds(value: object) -> float:
    seconds = parse_number(value)
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{seconds:g} is not a time in seconds")
    return seconds


def parse_short_time(value: object) -> float:
    seconds = parse_number(value)
    if not 0 <= seconds <= 60:
        raise ValueError(f"{seconds:g} is not in the range 0..60 seconds")
    return seconds


def parse_moment(value: object) -> float:
    """Seconds, or "minutes:seconds", or "hours:minutes:seconds"."""
    parts = value.split(":") if isinstance(value, str) else [value]
    numbers = [parse_number(part) for part in parts]
    if len(numbers) > 3 or not all(0 <= number < inf for number in numbers) or any(n >= 60 for n in numbers[1:]):
        raise ValueError(f"{value!r} is not a time such as 3.5, 1:30 or 1:02:30")
    return float(sum(number * 60.0**power for power, number in enumerate(reversed(numbers))))


def parse_end(value: object) -> float | None:
    return None if value in (None, "end") else parse_moment(value)


def plain_end(value: float | None) -> float | str:
    return "end" if value is None else value


def parse_shard(value: object) -> Shard | None:
    if value is None or isinstance(value, Shard):
        return value
    number, slash, count = str(value).partition("/")
    if not slash or not number.isdecimal() or not count.isdecimal() or not 1 <= int(number) <= int(count):
        raise ValueError(f"{value!r} is not a share such as 2/8, the second of eight")
    return Shard(int(number), int(count))


def plain_shard(shard: Shard | None) -> str | None:
    return None if shard is None else str(shard)


def parse_host(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\w.:%-]+", value):
        raise ValueError(f"{value!r} is neither an address nor a name of this machine")
    return value.lower()


def parse_host_names(value: object) -> tuple[str, ...]:
    return tuple(parse_host(item) for item in parse_items(value))


def parse_port(value: object) -> int:
    number = parse_number(value)
    if not number.is_integer() or not 0 <= number <= 65535:
        raise ValueError(f"{value!r} is not a port from 0 to 65535")
    return int(number)


def parse_reason(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ValueError(f"{value!r} is not a text")
    return value


def parse_token(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{16,}", value):
        raise ValueError("a token has 16 or more characters of ASCII, and no space")
    return value


def parse_path(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str | Path) or str(value) == "" or "\0" in str(value):
        raise ValueError(f"{value!r} is not a path")
    if is_address(str(value)):
        raise ValueError("takes a path of this machine, no address")
    return Path(value)


def parse_place(value: object) -> Place | None:
    """A path, or the address of a store."""
    if isinstance(value, Address):
        return value
    return to_place(value) if isinstance(value, str) and is_address(value) else parse_path(value)
