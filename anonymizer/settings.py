"""Every choice that a user can make, with its default, its help text and its check.

One frozen dataclass per stage. A field's name is the key of the configuration file and, with dashes, the
option of the command line. Defaults < configuration file < command line.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeAlias, TypeVar, get_args, overload

from anonymizer.errors import SettingsError
from anonymizer.formats import EXTENSIONS
from anonymizer.geometry import SHAPES, Shape
from anonymizer.kinds import DEFAULT_KINDS, KINDS, TRAITS, Kind, KindTraits

PRESETS = ("fast", "balanced", "thorough")
Projection: TypeAlias = Literal["flat", "equirectangular"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
METADATA_POLICIES = ("strip", "safe", "keep")
METHODS = ("gaussian", "mosaic", "solid", "image", "inpaint", "none")
MAX_CELLS = 16
LEAST_ZONE_PX = 16
"""Zones that are smaller are fractions gone wrong."""
THRESHOLD_RANGE = (0.001, 1.0)

_Settings = TypeVar("_Settings", bound="_Checked")
_Value = TypeVar("_Value")
_Parse: TypeAlias = Callable[[object], Any]


Zone: TypeAlias = tuple[tuple[float, float], ...]
"""A polygon: corners x, y in pixels of the upright picture, or in fractions of its size if none is above 1."""


ZonesLike: TypeAlias = str | Sequence[Sequence[Sequence[float]]]
"""Polygons as `Zone`, or as text: "0,0.8 1,0.8 1,1 0,1", further polygons behind a semicolon."""


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

    def holds(self, name: str) -> bool:
        """Whether a picture, by its path relative to the input root, is in the share: the same on all machines."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def _parse_items(value: object) -> list[str]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Iterable):
        raise ValueError(f"{value!r} is not a comma-separated list")
    return [str(item).strip() for item in items]


def _parse_extensions(value: object) -> tuple[str, ...]:
    extensions = tuple(dict.fromkeys(item.lower().lstrip(".") for item in _parse_items(value)))
    if not extensions or not all(extensions):
        raise ValueError(f"{value!r} holds no file extension, or an empty one")
    if "json" in extensions:
        raise ValueError("json is the extension of the detections, not of pictures")
    return extensions


def _parse_kinds(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    kinds = _parse_items(value)
    if not kinds:
        raise ValueError(f"{value!r} names no kind")
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in kinds)


def _parse_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a number")
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a number") from None


def _parse_threshold(value: object) -> float | None:
    if value is None:
        return None
    threshold = _parse_number(value)
    low, high = THRESHOLD_RANGE
    if not low <= threshold <= high:
        raise ValueError(f"{threshold:g} is not in the range {low}..{high}")
    return threshold


def _parse_zones(value: object) -> tuple[Zone, ...]:
    if isinstance(value, str):
        value = [[point.split(",") for point in zone.split()] for zone in value.split(";")]
    try:
        zones = tuple(tuple((_parse_number(x), _parse_number(y)) for x, y in zone) for zone in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no polygon such as '0,0.8 1,0.8 1,1 0,1'") from None
    for zone in zones:
        if len(zone) < 3 or not all(0 <= number < float("inf") for point in zone for number in point):
            raise ValueError("a zone is a polygon of three or more corners, with numbers from 0 on")
        if 1 < max(number for point in zone for number in point) < LEAST_ZONE_PX:
            raise ValueError("corners are pixels, or fractions of the picture of which none is above 1")
        if not _area(zone):
            raise ValueError("a zone has no area")
        if _crosses_itself(zone):
            raise ValueError("a side of a zone crosses or touches another one")
    return zones


def _area(zone: Zone) -> float:
    sides = zip(zone, (*zone[1:], zone[0]), strict=True)
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in sides)) / 2


def _crosses_itself(zone: Zone) -> bool:
    sides = list(zip(zone, (*zone[1:], zone[0]), strict=True))
    return any(
        _meet(sides[one], sides[other])
        for one in range(len(sides))
        for other in range(one + 2, len(sides))
        if (one, other) != (0, len(sides) - 1)  # neighbours meet in their corner
    )


def _meet(one: Zone, other: Zone) -> bool:
    """Whether two line segments have a point in common."""

    def side_of(line: Zone, point: tuple[float, float]) -> float:
        (x, y), (to_x, to_y) = line
        return (to_x - x) * (point[1] - y) - (to_y - y) * (point[0] - x)

    def is_between(line: Zone, point: tuple[float, float]) -> bool:
        return all(min(ends) <= value <= max(ends) for value, *ends in zip(point, *line, strict=True))

    sides = [(side_of(one, point), one, point) for point in other] + [(side_of(other, p), other, p) for p in one]
    if any(side == 0 and is_between(line, point) for side, line, point in sides):
        return True
    return sides[0][0] * sides[1][0] < 0 and sides[2][0] * sides[3][0] < 0


def _parse_kernel(value: object) -> Kernel | None:
    if value is None or value == "auto":
        return None
    items = _parse_items(value)
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


def _choice(names: tuple[str, ...], optional: bool = False) -> Callable[[object], str | None]:
    """The check of a setting that is one of some names, or None where that is allowed."""

    def parse(value: object) -> str | None:
        if value is None and optional:
            return None
        if value not in names:
            raise ValueError(f"{value!r} is none of {', '.join(names)}")
        return str(value)

    return parse


def _one_of(has_cells: bool) -> str:
    """The kinds to which `cells` applies, or to which it does not, in a sentence: a face or a head."""
    return " or ".join(traits.one for traits in TRAITS.values() if traits.has_cells == has_cells)


def _default_shapes() -> str:
    """In a sentence: ellipse for faces and heads, box for plates."""
    plurals = {shape: [each.plural for each in TRAITS.values() if each.shape == shape] for shape in SHAPES}
    return ", ".join(f"{shape} for {' and '.join(of_shape)}" for shape, of_shape in plurals.items() if of_shape)


def _parse_cells(value: object) -> int:
    cells = _parse_count(value)
    if cells > MAX_CELLS:
        raise ValueError(f"{cells} is not in the range 1..{MAX_CELLS}")
    return cells


def _parse_color(value: object) -> str:
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


def _parse_overlay(value: object) -> Path | None:
    path = _parse_path(value)
    if path is not None and not path.is_file():
        raise ValueError(f"{path} is no file")
    return path


def _parse_margin(value: object) -> float:
    margin = _parse_number(value)
    if not 0 <= margin <= 5:
        raise ValueError(f"{margin:g} is not in the range 0..5")
    return margin


def _parse_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _parse_limit(value: object) -> int | None:
    return None if value is None else _parse_count(value)


def _parse_count(value: object) -> int:
    number = _parse_number(value)
    if not number.is_integer() or number < 1:
        raise ValueError(f"{value!r} is not a whole number from 1 on")
    return int(number)


def _parse_share(value: object) -> float:
    share = _parse_number(value)
    if not 0.01 <= share <= 1:
        raise ValueError(f"{share:g} is not in the range 0.01..1")
    return share


def _parse_workers(value: object) -> int | None:
    if value is None or value == "auto":
        return None
    number = _parse_number(value)
    if not number.is_integer() or not 0 <= number <= 1024:
        raise ValueError(f"{value!r} is neither auto nor a whole number from 0 to 1024")
    return int(number)


def _parse_seconds(value: object) -> float:
    seconds = _parse_number(value)
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{seconds:g} is no time in seconds")
    return seconds


def _parse_shard(value: object) -> Shard | None:
    if value is None or isinstance(value, Shard):
        return value
    number, slash, count = str(value).partition("/")
    if not slash or not number.isdecimal() or not count.isdecimal() or not 1 <= int(number) <= int(count):
        raise ValueError(f"{value!r} is no share such as 2/8, the second of eight")
    return Shard(int(number), int(count))


def _parse_path(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str | Path) or str(value) == "" or "\0" in str(value):
        raise ValueError(f"{value!r} is not a path")
    return Path(value)


def _setting(default: Any, parse: _Parse, text: str, metavar: str = "") -> Any:
    """A dataclass field. `parse` takes what a user wrote (text, YAML or Python) and raises ValueError."""
    return field(default=default, metadata={"parse": parse, "help": text, "metavar": metavar})


class PerKind(Generic[_Value]):
    """A setting of each kind by itself, such as `face_threshold` and `plate_threshold`.

    A class that holds it gets a dataclass field for each kind in its place. As an attribute of a settings object it
    maps each kind to its value.
    """

    def __init__(
        self, name: str, default: Callable[[KindTraits], _Value], parse: _Parse, text: str, metavar: str
    ) -> None:
        """
        Args:
            name: of the fields, behind the kind.
            text: help; it may speak of {one} or of the {plural}, see `KindTraits`.
        """
        self._name = name
        self._default = default
        self._parse = parse
        self._text = text
        self._metavar = metavar

    @overload
    def __get__(self, instance: None, owner: type) -> PerKind[_Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Mapping[Kind, _Value]: ...
    def __get__(self, instance: object | None, owner: type) -> PerKind[_Value] | Mapping[Kind, _Value]:
        return self if instance is None else {kind: getattr(instance, self._name_of(kind)) for kind in KINDS}

    def fields(self) -> dict[str, Any]:
        """The dataclass field of each kind, by its name."""
        return {self._name_of(kind): self._field(traits) for kind, traits in TRAITS.items()}

    def values(self, of_kinds: Mapping[Kind, _Value]) -> dict[str, Any]:
        """The same values under the names of the fields; None for the kinds that are left out."""
        return {self._name_of(kind): of_kinds.get(kind) for kind in KINDS}

    def _name_of(self, kind: Kind) -> str:
        return f"{kind}_{self._name}"

    def _field(self, traits: KindTraits) -> Any:
        text = self._text.format(one=traits.one, plural=traits.plural)
        return _setting(self._default(traits), self._parse, text, self._metavar)


@dataclass(frozen=True)
class _Checked:
    def __init_subclass__(cls) -> None:
        """Before `dataclass` looks at the class: a field for each kind where the class holds a `PerKind`."""
        annotations: dict[str, Any] = {}
        for name, annotation in inspect.get_annotations(cls).items():
            value = cls.__dict__.get(name)
            of_kinds = value.fields() if isinstance(value, PerKind) else None
            for key, part in (of_kinds or {}).items():
                setattr(cls, key, part)
            annotations |= {name: annotation} if of_kinds is None else dict.fromkeys(of_kinds, "object")
        cls.__annotations__ = annotations

    def __post_init__(self) -> None:
        for setting in fields(self):
            try:
                value = setting.metadata["parse"](getattr(self, setting.name))
            except ValueError as error:
                raise SettingsError(f"--{key_of(setting)}: {error}") from None
            object.__setattr__(self, setting.name, value)


@dataclass(frozen=True)
class FindSettings(_Checked):
    """Which files are pictures."""

    image_extensions: tuple[str, ...] = _setting(
        EXTENSIONS, _parse_extensions, "File extensions of pictures, matched without case.", "LIST"
    )


@dataclass(frozen=True)
class ReadSettings(_Checked):
    """Which pictures are refused."""

    max_pixels: int = _setting(
        512_000_000, _parse_count, "Refuse pictures with more pixels, before memory is taken for them.", "N"
    )
    allow_truncated: bool = _setting(
        False, _parse_flag, "Process files that end too early as far as they go; the rest is gray or black."
    )


@dataclass(frozen=True)
class DetectSettings(_Checked):
    """What is looked for, with which models, and how sure they must be."""

    if TYPE_CHECKING:

        def __init__(
            self,
            kinds: Sequence[Kind] | str | None = None,
            *,
            include_zone: ZonesLike = (),
            exclude_zone: ZonesLike = (),
            weights: Path | str | None = None,
            preset: str = "balanced",
            projection: str = "flat",
            **of_kinds: float | None,
        ) -> None: ...

    kinds: tuple[str, ...] | None = _setting(
        None,
        _parse_kinds,
        f"What to make unrecognisable, separated by commas, of {', '.join(KINDS)}. "
        f"By default {','.join(DEFAULT_KINDS)}, as far as there are models for them.",
        "LIST",
    )
    thresholds: ClassVar[PerKind[float | None]] = PerKind(
        "threshold",
        lambda kind: None,
        _parse_threshold,
        "Score from which on {one} counts, 0.001..1. By default the model's own.",
        "FLOAT",
    )
    include_zone: tuple[Zone, ...] = _setting(
        (),
        _parse_zones,
        "Polygons outside of which nothing counts. Corners in pixels, or fractions of the picture if none is above 1: "
        "'0,0.5 1,0.5 1,1 0,1', further polygons behind a semicolon.",
        "POLYGONS",
    )
    exclude_zone: tuple[Zone, ...] = _setting(
        (), _parse_zones, "Polygons in which nothing counts that lies wholly inside, such as the bonnet.", "POLYGONS"
    )
    weights: Path | None = _setting(
        None, _parse_path, "Folder with models of your own, used in place of the bundled ones.", "DIR"
    )
    preset: Literal["fast", "balanced", "thorough"] = _setting(
        "balanced",
        _choice(PRESETS),
        "How closely to look for faces. fast: at 1.2 megapixels, those from about 1/80 of the picture's height on. "
        "balanced: at its own size, and enlarged up to twice as far as 4 megapixels go, those from about 10 pixels on, "
        "at three times the cost of fast. thorough: also mirrored, twice and three times as large up to 8 megapixels, "
        "and turned by 90, 180 and 270 degrees, at five times the cost of balanced.",
        "PRESET",
    )
    projection: Projection = _setting(
        "flat",
        _choice(PROJECTIONS),
        "flat, or equirectangular for panoramas of 360 degrees, whose left and right edges belong together: what lies "
        "on that seam is hidden on both sides.",
        "PROJECTION",
    )

    def threshold_of(self, kind: Kind) -> float | None:
        """None for the model's own."""
        return self.thresholds[kind]

    def with_thresholds(self, thresholds: Mapping[Kind, float | None]) -> DetectSettings:
        """The same settings with these thresholds; the models' own for the kinds that are left out."""
        return replace(self, **DetectSettings.thresholds.values(thresholds))


@dataclass(frozen=True)
class RedactSettings(_Checked):
    """How what was found is made unrecognisable."""

    if TYPE_CHECKING:

        def __init__(
            self,
            method: str = "gaussian",
            *,
            cells: int = 1,
            color: str = "black",
            overlay: Path | str | None = None,
            obfuscation_kernel: Kernel | Sequence[float] | str | None = None,
            shape: str | None = None,
            feather: float = 0.1,
            **of_kinds: Any,
        ) -> None: ...

    method: str = _setting(
        "gaussian",
        _choice(METHODS),
        f"What takes the place of an object: {', '.join(METHODS)}. none only detects: with it no pictures are written.",
        "METHOD",
    )
    methods: ClassVar[PerKind[str | None]] = PerKind(
        "method",
        lambda kind: None,
        _choice(METHODS, optional=True),
        "The same for {plural} alone. By default as --method.",
        "METHOD",
    )
    cells: int = _setting(
        1,
        _parse_cells,
        f"gaussian, mosaic: cells along the longer side of {_one_of(has_cells=True)} whose brightness shows, "
        f"1..{MAX_CELLS}; many leave it recognisable. {_one_of(has_cells=False).capitalize()} is always one.",
        "N",
    )
    color: str = _setting(
        "black",
        _parse_color,
        "solid, image: colour, by name or as #rrggbb; or mean, that of the object's surroundings.",
        "COLOR",
    )
    overlay: Path | None = _setting(
        None, _parse_overlay, "image: PNG file that is laid over each object. By default a simple drawn face.", "FILE"
    )
    obfuscation_kernel: Kernel | None = _setting(
        None,
        _parse_kernel,
        "kernel_size,sigma,box_kernel_size in pixels as in the understand.ai anonymizer, in place of gaussian. "
        "Cosmetic: such a fixed kernel does not hide large faces.",
        "KERNEL",
    )
    shape: Shape | None = _setting(
        None,
        _choice(SHAPES, optional=True),
        f"What is hidden: the box, or the ellipse through its corners. By default {_default_shapes()}.",
        "SHAPE",
    )
    shapes: ClassVar[PerKind[Shape | None]] = PerKind(
        "shape",
        lambda kind: None,
        _choice(SHAPES, optional=True),
        "The same for {plural} alone. By default as --shape.",
        "SHAPE",
    )
    margins: ClassVar[PerKind[float]] = PerKind(
        "margin",
        lambda kind: kind.margin,
        _parse_margin,
        "Widens what is hidden of {one} on every side by this share of the box's size.",
        "FLOAT",
    )
    feather: float = _setting(
        0.1,
        _parse_margin,
        "Width of the soft edge outside of what is hidden, as a share of the box's longer side (not with a fixed "
        "kernel, which brings its own).",
        "FLOAT",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        methods = [self.method_of(kind) for kind in KINDS]
        for key, value, users in (
            ("obfuscation-kernel", self.obfuscation_kernel, ("gaussian",)),
            ("overlay", self.overlay, ("image",)),
        ):
            if value is not None and not set(users).intersection(methods):
                raise SettingsError(f"--{key}: has a say with --method {users[0]} only")

    def method_of(self, kind: Kind) -> str:
        """One of METHODS."""
        return self.methods[kind] or self.method

    def shape_of(self, kind: Kind) -> Shape:
        return self.shapes[kind] or self.shape or TRAITS[kind].shape

    def margin_of(self, kind: Kind) -> float:
        return self.margins[kind]

    def cells_of(self, kind: Kind) -> int:
        """Cells along the longer side of an object whose brightness shows, 1..MAX_CELLS."""
        return self.cells if TRAITS[kind].has_cells else 1

    def only_detects(self, kinds: Iterable[Kind]) -> bool:
        """Whether nothing of these kinds is to be hidden. No picture is written then: it would be the original."""
        return all(self.method_of(kind) == "none" for kind in kinds)


@dataclass(frozen=True)
class WriteSettings(_Checked):
    """How the pictures are written."""

    metadata: Literal["strip", "safe", "keep"] = _setting(
        "strip",
        _choice(METADATA_POLICIES),
        "strip: keep what is needed to show the picture right. safe: also exposure, lens and time. keep: also the "
        "rest, such as GPS position and names; never thumbnails, previews, maker notes and further pictures.",
        "POLICY",
    )
    lossless_only: bool = _setting(
        False, _parse_flag, "Refuse pictures that cannot be kept bit for bit outside the blurred areas."
    )


@dataclass(frozen=True)
class RecordSettings(_Checked):
    """What is written down beside the pictures."""

    write_detections: bool = _setting(True, _parse_flag, "Write a detection JSON beside each output picture.")


@lru_cache(maxsize=4)
def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Settings:
    """Everything that decides what the output looks like."""

    find: FindSettings = field(default_factory=FindSettings)
    read: ReadSettings = field(default_factory=ReadSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    redact: RedactSettings = field(default_factory=RedactSettings)
    write: WriteSettings = field(default_factory=WriteSettings)
    record: RecordSettings = field(default_factory=RecordSettings)

    def as_dict(self) -> dict[str, object]:
        """Flat, JSON-ready, without the path of the models (their checksums say more); the overlay as its SHA-256."""
        values = to_options(self.find, self.read, self.detect, self.redact, self.write, self.record)
        del values["weights"]
        if self.redact.overlay is not None:
            values["overlay"] = _checksum(self.redact.overlay)
        return values

    def digest(self) -> str:
        """SHA-256 of `as_dict`: equal digests and equal models give equal outputs."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class RunSettings(_Checked):
    """What to run on, and what to do about what is already there."""

    input: Path | None = _setting(None, _parse_path, "Folder with the pictures; subfolders too.", "DIR")
    image_output: Path | None = _setting(
        None, _parse_path, "Folder for the anonymized pictures; mirrors the input folder.", "DIR"
    )
    report: Path | None = _setting(
        None, _parse_path, "File for the report. By default anonymize-report.json in the output folder.", "FILE"
    )
    overwrite: bool = _setting(
        False, _parse_flag, "Write into an output folder that is not empty, and do everything in it again."
    )
    allow_empty: bool = _setting(False, _parse_flag, "Accept an input folder without a single picture.")
    workers: int | None = _setting(
        None,
        _parse_workers,
        "auto: one process for each core, as far as memory goes. Or their number; 0 does the work in this process.",
        "N",
    )
    timeout: float = _setting(
        600.0, _parse_seconds, "Seconds after which a picture has failed; not with --workers 0.", "SECONDS"
    )
    shard: Shard | None = _setting(
        None,
        _parse_shard,
        "Process one share of the folder, such as 2/8 on the second of eight machines. Each share has its own report.",
        "I/N",
    )
    profile: Path | None = _setting(
        None, _parse_path, "File for a trace of where the time went, for a browser's trace viewer.", "FILE"
    )
    limit: int | None = _setting(None, _parse_limit, "Process the first N pictures only.", "N")
    dry_run: bool = _setting(False, _parse_flag, "Say what would be done, write nothing.")


@dataclass(frozen=True)
class TalkSettings(_Checked):
    """How much the command says."""

    verbose: bool = _setting(False, _parse_flag, "Name every picture.")
    quiet: bool = _setting(False, _parse_flag, "Say nothing but warnings and errors.")


@dataclass(frozen=True)
class CheckSettings(_Checked):
    """What `anonymize check` compares with, what it accepts, and where it writes what it found."""

    against: Path | None = _setting(
        None,
        _parse_path,
        "Folder with the originals: proves file by file that the checked folder is its output.",
        "DIR",
    )
    report: Path | None = _setting(
        None,
        _parse_path,
        "Report of the anonymizing run. By default anonymize-report.json in the checked folder, if it is there.",
        "FILE",
    )
    threshold_share: float = _setting(
        0.5, _parse_share, "Detections are told from this share of the anonymizing run's thresholds.", "FLOAT"
    )
    baseline: Path | None = _setting(None, _parse_path, "File of findings that are known and accepted.", "FILE")
    write_baseline: bool = _setting(False, _parse_flag, "Accept what is found now: write it to --baseline.")
    json: Path | None = _setting(None, _parse_path, "File for the findings as JSON.", "FILE")
    html: Path | None = _setting(
        None, _parse_path, "File for a page with thumbnails of the pictures that need a look.", "FILE"
    )
    annotate: Path | None = _setting(
        None, _parse_path, "Folder for copies of these pictures with boxes and scores drawn in.", "DIR"
    )
    overwrite: bool = _setting(False, _parse_flag, "Write into an --annotate folder that is not empty.")


STAGES: Mapping[str, type[_Checked]] = {
    "find": FindSettings,
    "read": ReadSettings,
    "detect": DetectSettings,
    "redact": RedactSettings,
    "write": WriteSettings,
    "record": RecordSettings,
}
"""The parts of `Settings`."""

ALL_SETTINGS: tuple[type[_Checked], ...] = (RunSettings, *STAGES.values(), TalkSettings)


CHECK_SETTINGS: tuple[type[_Checked], ...] = (CheckSettings, FindSettings, ReadSettings, DetectSettings, TalkSettings)
"""Those of `anonymize check`; a configuration file may hold them beside those of the main job."""


def key_of(setting: Field[Any]) -> str:
    """The key of a field in the configuration file and, behind two dashes, on the command line."""
    return setting.name.replace("_", "-")


def from_options(settings: type[_Settings], options: Mapping[str, object]) -> _Settings:
    """The part of `options` (keys as in the configuration file) that belongs to `settings`.

    Raises:
        SettingsError: a value is wrong.
    """
    keys = {key_of(setting): setting.name for setting in fields(settings)}
    return settings(**{keys[key]: value for key, value in options.items() if key in keys})


def settings_from_options(options: Mapping[str, object]) -> Settings:
    """The `Settings` in `options`; other keys are left alone.

    Raises:
        SettingsError: a value is wrong.
    """
    return Settings(**{stage: from_options(settings, options) for stage, settings in STAGES.items()})  # type: ignore[arg-type]


def to_options(*settings: _Checked) -> dict[str, object]:
    """All values, flat, in plain types that YAML and JSON know: the inverse of `from_options`."""
    return {key.replace("_", "-"): _plain(key, value) for part in settings for key, value in asdict(part).items()}


def _plain(key: str, value: object) -> object:
    if key == "obfuscation_kernel":
        return "auto" if value is None else ",".join(map(str, value))  # type: ignore[call-overload]
    if key == "workers":
        return "auto" if value is None else value
    if isinstance(value, Shard):
        return str(value)
    if key in ("include_zone", "exclude_zone"):
        return [[list(point) for point in zone] for zone in value]  # type: ignore[attr-defined]
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value) if isinstance(value, Path) else value


def read_config(path: Path) -> dict[str, object]:
    """The options in a YAML file, unchecked values under checked keys.

    Raises:
        SettingsError: the file cannot be read, is no mapping or has an unknown key.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        content, node = yaml.safe_load(text), yaml.compose(text)
    except OSError as error:
        raise SettingsError(f"configuration file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"configuration file {path} is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"configuration file {path} must hold lines such as 'face-threshold: 0.2'")
    known = [key_of(setting) for settings in (*ALL_SETTINGS, CheckSettings) for setting in fields(settings)]
    assert isinstance(node, yaml.MappingNode)
    written_keys = [str(key.value).replace("_", "-") for key, _ in node.value]
    for key in written_keys:
        if written_keys.count(key) > 1:
            raise SettingsError(f"configuration file {path}: key {key!r} stands there more than once")
    options: dict[str, object] = {}
    for written, value in content.items():
        key = str(written).replace("_", "-")
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            hint = f"did you mean {nearest[0]!r}?" if nearest else "see 'anonymize config'"
            raise SettingsError(f"configuration file {path}: unknown key {written!r}; {hint}")
        options[key] = value
    return options
