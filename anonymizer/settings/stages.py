"""Every choice that a user can make, with its default, its help text and its check: one frozen dataclass per stage."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from anonymizer.addresses import Place
from anonymizer.errors import SettingsError
from anonymizer.formats import EXTENSIONS, FILM_EXTENSIONS
from anonymizer.geometry import SHAPES, Shape
from anonymizer.kinds import DEFAULT_KINDS, KINDS, TRAITS, ZONE_KIND, Kind
from anonymizer.settings.fields import PerKind, SettingsPart, setting
from anonymizer.settings.text_patterns import parse_text_patterns, plain_text_patterns
from anonymizer.settings.values import (
    CHOICES,
    DETECTIONS_FOR,
    DRAWINGS,
    ENGINES,
    MAX_CELLS,
    METADATA_POLICIES,
    METHODS,
    PRESETS,
    PROJECTIONS,
    SHAPE_CHOICES,
    Choice,
    DetectionsFor,
    Drawing,
    Engine,
    Kernel,
    MetadataPolicy,
    Method,
    NamedZones,
    NamedZonesLike,
    OneOf,
    Preset,
    Projection,
    ShapeChoice,
    Shard,
    Zone,
    ZonesLike,
    parse_amount,
    parse_cells,
    parse_cluster,
    parse_color,
    parse_count,
    parse_encoder,
    parse_end,
    parse_extensions,
    parse_film_extensions,
    parse_flag,
    parse_host,
    parse_host_names,
    parse_kernel,
    parse_kinds,
    parse_limit,
    parse_margin,
    parse_moment,
    parse_named_zones,
    parse_path,
    parse_place,
    parse_port,
    parse_price,
    parse_quality,
    parse_reason,
    parse_seconds,
    parse_shard,
    parse_share,
    parse_short_time,
    parse_threshold,
    parse_token,
    parse_verbosity,
    parse_workers,
    parse_zones,
    plain_end,
    plain_film_extensions,
    plain_kernel,
    plain_named_zones,
    plain_quality,
    plain_shard,
    plain_workers,
    plain_zones,
)


def _one_of(has_cells: bool) -> str:
    """The kinds to which `cells` applies, or to which it does not, in a sentence: a face or a head."""
    return " or ".join(traits.one for traits in TRAITS.values() if traits.has_cells == has_cells)


def _default_shapes() -> str:
    """In a sentence: ellipse for faces and heads, box for plates."""
    plurals = {shape: [each.plural for each in TRAITS.values() if each.shape == shape] for shape in SHAPES}
    return ", ".join(f"{shape} for {' and '.join(of_shape)}" for shape, of_shape in plurals.items() if of_shape)


def _with_silhouettes() -> str:
    """In a sentence: faces and heads."""
    return " and ".join(each.plural for each in TRAITS.values() if each.silhouettes != "never")


@dataclass(frozen=True)
class FindSettings(SettingsPart, group="Files"):
    """Which files are pictures."""

    image_extensions: tuple[str, ...] = setting(
        EXTENSIONS, parse_extensions, "File extensions of pictures, matched without case.", "LIST"
    )


@dataclass(frozen=True)
class ReadSettings(SettingsPart, group="Files"):
    """Which pictures are refused."""

    max_pixels: int = setting(
        512_000_000, parse_count, "Refuse pictures with more pixels, before memory is taken for them.", "N"
    )
    allow_truncated: bool = setting(
        False, parse_flag, "Process files that end too early as far as they go; the rest is gray or black."
    )


@dataclass(frozen=True)
class DetectSettings(SettingsPart, group="What to find"):
    """What is looked for, with which models, and how sure they must be."""

    if TYPE_CHECKING:

        def __init__(
            self,
            kinds: Sequence[Kind] | str | None = None,
            *,
            include_zone: ZonesLike = (),
            exclude_zone: ZonesLike = (),
            redact_zone: NamedZonesLike = (),
            hide_all_but: bool = False,
            weights: Path | str | None = None,
            preset: str = "balanced",
            projection: str = "flat",
            **of_kinds: float | None,
        ) -> None: ...

    kinds: tuple[Kind, ...] | None = setting(
        None,
        parse_kinds,
        f"What to make unrecognisable, separated by commas, of {', '.join(KINDS)}. "
        f"By default {','.join(DEFAULT_KINDS)}, as far as there are models for them.",
        "LIST",
        common=True,
    )
    thresholds: ClassVar[PerKind[float | None]] = PerKind(
        "threshold",
        lambda kind: None,
        parse_threshold,
        "Score from which on {one} counts, 0.001..1. By default the model's own.",
        "FLOAT",
        common=True,
        only_models=True,
    )
    include_zone: tuple[Zone, ...] = setting(
        (),
        parse_zones,
        "Polygons outside of which nothing counts. Corners in pixels, or fractions of the picture if none is above 1: "
        "'0,0.5 1,0.5 1,1 0,1', further polygons behind a semicolon.",
        "POLYGONS",
        plain_zones,
    )
    exclude_zone: tuple[Zone, ...] = setting(
        (),
        parse_zones,
        "Polygons in which nothing counts that lies wholly inside, such as the bonnet.",
        "POLYGONS",
        plain_zones,
    )
    redact_zone: NamedZones = setting(
        (),
        parse_named_zones,
        "Polygons that are hidden in every picture, whatever is found there. In the configuration file also by "
        "patterns for names, such as 'cam1/*': a picture gets the zones of all that match.",
        "POLYGONS",
        plain_named_zones,
    )
    hide_all_but: bool = setting(
        False,
        parse_flag,
        "Hide every picture as a whole, but for the places that edits keep. What is missed then stays hidden.",
        group="How to hide",
    )
    weights: Path | None = setting(
        None, parse_path, "Folder with models of your own, used in place of the bundled ones.", "DIR"
    )
    preset: Preset = setting(
        "balanced",
        OneOf(PRESETS),
        "How closely to look for faces. fast: at 1.2 megapixels, those from about 1/80 of the picture's height on. "
        "balanced: at its own size, and enlarged up to twice as far as 4 megapixels go, those from about 10 pixels on, "
        "at three times the cost of fast; where the picture lies on its side or upside down, also turned. "
        "thorough: also mirrored, twice and three times as large up to 8 megapixels, and turned by 90, 180 and 270 "
        "degrees, at five times the cost of balanced. crowd: as balanced, and also for heads seen from any side.",
        "PRESET",
        common=True,
    )
    projection: Projection = setting(
        "flat",
        OneOf(PROJECTIONS),
        "flat, or equirectangular for panoramas of 360 degrees, whose left and right edges belong together: what lies "
        "on that seam is hidden on both sides.",
        "PROJECTION",
    )

    @property
    def given_kinds(self) -> frozenset[Kind]:
        """The kinds of what is hidden without being looked for."""
        return frozenset([ZONE_KIND] if self.redact_zone or self.hide_all_but else [])

    def threshold_of(self, kind: Kind) -> float | None:
        """None for the model's own, and for kinds that no model looks for."""
        return self.thresholds.get(kind)

    def with_thresholds(self, thresholds: Mapping[Kind, float | None]) -> DetectSettings:
        """The same settings with these thresholds; the models' own for the kinds that are left out."""
        return replace(self, **DetectSettings.thresholds.values(thresholds))


@dataclass(frozen=True)
class ChooseSettings(SettingsPart, group="What to find"):
    """What stays visible of what is found: whose faces, which texts."""

    keep_visible: Path | None = setting(
        None,
        parse_path,
        "Gallery: one folder for each person, with clear pictures of that face alone. A face that is surely one of "
        "them stays visible; whatever is in doubt is hidden.",
        "DIR",
    )
    hide_only: Path | None = setting(
        None,
        parse_path,
        "Gallery: hide only the faces that may be of these people, and those that are too small, blurred or turned "
        "away to say. All other faces stay visible.",
        "DIR",
    )
    text_match: tuple[str, ...] | None = setting(
        None,
        parse_text_patterns,
        "With --kinds text: hide only text in which this regular expression is found, or one of those in the lines of "
        "a file, and text that cannot be read for sure. Names of some: email, phone, number, iban, url.",
        "REGEX|FILE",
        plain_text_patterns,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.keep_visible is not None and self.hide_only is not None:
            raise SettingsError("--keep-visible and --hide-only exclude each other: give one of them")

    @property
    def gallery(self) -> Path | None:
        """Of one kind or the other."""
        return self.keep_visible or self.hide_only


@dataclass(frozen=True)
class RedactSettings(SettingsPart, group="How to hide"):
    """How what was found is made unrecognisable."""

    if TYPE_CHECKING:

        def __init__(
            self,
            method: str = "gaussian",
            *,
            cells: int = 0,
            color: str = "black",
            overlay: Path | str | None = None,
            drawing: str = "face",
            obfuscation_kernel: Kernel | Sequence[float] | str | None = None,
            shape: str | None = None,
            feather: float = 0.1,
            **of_kinds: Any,
        ) -> None: ...

    method: Method = setting(
        "gaussian",
        OneOf(METHODS),
        f"What takes the place of an object: {', '.join(METHODS)}. none only detects: with it no pictures are written.",
        "METHOD",
        common=True,
    )
    methods: ClassVar[PerKind[Method | None]] = PerKind(
        "method",
        lambda kind: None,
        OneOf(METHODS, optional=True),
        "The same for {plural} alone. By default as --method.",
        "METHOD",
    )
    cells: int = setting(
        0,
        parse_cells,
        f"gaussian, mosaic: cells along the longer side of {_one_of(has_cells=True)} whose brightness shows, "
        f"0..{MAX_CELLS}; many leave it recognisable. {_one_of(has_cells=False).capitalize()} has one at most.",
        "N",
    )
    color: str = setting(
        "black",
        parse_color,
        "solid, image: colour, by name or as #rrggbb; or mean, that of the object's surroundings.",
        "COLOR",
    )
    overlay: Path | None = setting(
        None, parse_path, "image: PNG file that is laid over each object. By default a --drawing.", "FILE"
    )
    drawing: Drawing = setting(
        "face", OneOf(DRAWINGS), f"image: what is drawn without an overlay: {', '.join(DRAWINGS)}.", "NAME"
    )
    obfuscation_kernel: Kernel | None = setting(
        None,
        parse_kernel,
        "kernel_size,sigma,box_kernel_size in pixels as in the understand.ai anonymizer, in place of gaussian. "
        "Cosmetic: such a fixed kernel does not hide large faces.",
        "KERNEL",
        plain_kernel,
    )
    shape: ShapeChoice | None = setting(
        None,
        OneOf(SHAPE_CHOICES, optional=True),
        "What is hidden: the box, the ellipse through its corners, or the silhouette, with hair and ears, that a "
        f"network draws of {_with_silhouettes()}. By default {_default_shapes()}.",
        "SHAPE",
    )
    shapes: ClassVar[PerKind[ShapeChoice | None]] = PerKind(
        "shape",
        lambda kind: None,
        OneOf(SHAPE_CHOICES, optional=True),
        "The same for {plural} alone. By default as --shape.",
        "SHAPE",
    )
    margins: ClassVar[PerKind[float]] = PerKind(
        "margin",
        lambda kind: kind.margin,
        parse_margin,
        "Widens what is hidden of {one} on every side by this share of the box's size, or of the shorter side of a "
        "shape that was drawn.",
        "FLOAT",
    )
    feather: float = setting(
        0.1,
        parse_margin,
        "Width of the soft edge outside of what is hidden, as a share of the box's longer side, or of the shorter side "
        "of a shape that was drawn (not with a fixed kernel, which brings its own).",
        "FLOAT",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for kind, chosen in self.methods.items():
            only = TRAITS[kind].only_method
            if only is not None and chosen not in (None, "none", only):
                raise SettingsError(
                    f"--{kind}-method {chosen}: {TRAITS[kind].plural} are always hidden with {only}, since what other "
                    "methods leave of them could be read"
                )
        methods = [self.method_of(kind) for kind in KINDS]
        for key, value, user in (
            ("obfuscation-kernel", self.obfuscation_kernel, "gaussian"),
            ("overlay", self.overlay, "image"),
        ):
            if value is not None and user not in methods:
                raise SettingsError(f"--{key} is only used with --method {user}")
        for kind in KINDS:
            if self.shapes[kind] == "silhouette" and TRAITS[kind].silhouettes == "never":
                raise SettingsError(f"--{kind}-shape silhouette: a network draws those of {_with_silhouettes()} alone")

    def method_of(self, kind: Kind) -> Method:
        """The method chosen for a kind; of one with a single method that one, unless the kind is only detected."""
        chosen = self.methods[kind] or self.method
        only = TRAITS[kind].only_method
        return chosen if only is None or chosen == "none" else cast(Method, only)

    def shape_of(self, kind: Kind) -> Shape:
        """What is hidden without a silhouette."""
        chosen = self.shapes[kind] or self.shape
        return TRAITS[kind].shape if chosen is None or chosen == "silhouette" else chosen

    def has_silhouettes(self, kind: Kind) -> bool:
        """Whether silhouettes of this kind are hidden."""
        chosen, silhouettes = self.shapes[kind] or self.shape, TRAITS[kind].silhouettes
        return silhouettes == "by default" if chosen is None else chosen == "silhouette" and silhouettes != "never"

    @property
    def draws_silhouettes(self) -> bool:
        """Whether a network draws silhouettes of any kind that is hidden."""
        return any(self.has_silhouettes(kind) and self.method_of(kind) != "none" for kind in KINDS)

    def margin_of(self, kind: Kind) -> float:
        return self.margins[kind]

    def cells_of(self, kind: Kind) -> int:
        """Cells along the longer side of an object whose brightness shows, 0..MAX_CELLS."""
        return self.cells if TRAITS[kind].has_cells else min(self.cells, 1)

    def in_alpha(self) -> RedactSettings:
        """The same for alpha channels, where a tone would be half transparent, and a dark colour or picture a hole: as
        opaque as what is around.
        """
        in_cells = ("mosaic",) if self.obfuscation_kernel else ("gaussian", "mosaic")
        no_cells = [kind for kind in KINDS if self.method_of(kind) in in_cells and not self.cells_of(kind)]
        plain = [*no_cells, *(kind for kind in KINDS if self.method_of(kind) in ("solid", "image"))]
        methods = {kind: "solid" if kind in plain else self.method_of(kind) for kind in KINDS}
        return replace(self, color="mean", **RedactSettings.methods.values(methods))

    def in_any_case(self) -> RedactSettings:
        """The same shapes, margins and edges with a method that hides, for kinds that have none."""
        solid = RedactSettings.methods.values(dict.fromkeys(KINDS, "solid"))
        return replace(self, method="solid", overlay=None, obfuscation_kernel=None, **solid)

    def detecting_only(self) -> RedactSettings:
        """The same, with no kind to be hidden."""
        none = RedactSettings.methods.values(dict.fromkeys(KINDS, "none"))
        return replace(self, method="none", overlay=None, obfuscation_kernel=None, **none)

    def only_detects(self, kinds: Iterable[Kind]) -> bool:
        """Whether nothing of these kinds is to be hidden. No picture is written then: it would be the original."""
        return all(self.method_of(kind) == "none" for kind in kinds)


@dataclass(frozen=True)
class WriteSettings(SettingsPart, group="Files"):
    """How the pictures are written."""

    metadata: MetadataPolicy = setting(
        "strip",
        OneOf(METADATA_POLICIES),
        "strip: keep what is needed to show the picture right. safe: also exposure, lens and time. keep: also the "
        "rest, such as GPS position and names; never thumbnails, previews, maker notes and further pictures.",
        "POLICY",
        common=True,
    )
    lossless_only: bool = setting(
        False, parse_flag, "Refuse pictures that cannot be kept bit for bit outside the blurred areas."
    )


@dataclass(frozen=True)
class VideoSettings(SettingsPart, group="Films"):
    """How films are found, followed and written. Nothing of it applies to pictures."""

    video_extensions: tuple[str, ...] = setting(
        FILM_EXTENSIONS,
        parse_film_extensions,
        "File extensions of films, matched without case; none for none.",
        "LIST",
        plain_film_extensions,
    )
    video_gap: float = setting(
        1.0,
        parse_short_time,
        "Seconds for which an object that is lost and found again is hidden in between, and for which it is followed "
        "before and after it was seen.",
        "SECONDS",
    )
    video_grace: float = setting(
        0.2, parse_short_time, "Seconds for which it is hidden before and after that in any case.", "SECONDS"
    )
    video_from: float = setting(
        0.0,
        parse_moment,
        "Films begin so many seconds after their first frame, or hours:minutes:seconds: what comes before is left out.",
        "TIME",
    )
    video_to: float | None = setting(
        None, parse_end, "Films end so many seconds after their first frame.", "TIME", plain_end
    )
    video_quality: float | None = setting(
        None,
        parse_quality,
        "Quality of films, as a constant rate factor of x264, 0..51: lower is better and larger. auto: hard to tell "
        "from the source, and little larger.",
        "FLOAT",
        plain_quality,
    )
    video_encoder: str = setting(
        "auto",
        parse_encoder,
        "What encodes films. auto: the encoder of the film's own codec. hardware: that of a graphics card or processor "
        "first, as far as one works. Or the name of an encoder such as libx264, where it fits the file.",
        "NAME",
    )
    video_copy: bool = setting(
        True,
        parse_flag,
        "Copy groups of pictures of H.264 films in which nothing is hidden, bit for bit, where that can be proved to "
        "fit; encode the others anew.",
    )
    audio: Choice = setting(
        "keep", OneOf(CHOICES), "keep: all sound tracks, bit for bit. drop: films without sound.", "CHOICE"
    )
    subtitles: Choice = setting(
        "keep",
        OneOf(CHOICES),
        "keep: subtitles that are text, unless they hold coordinates. drop: none.",
        "CHOICE",
    )


@dataclass(frozen=True)
class RecordSettings(SettingsPart, group="Files"):
    """What is written down beside the pictures."""

    write_detections: bool = setting(True, parse_flag, "Write a detection JSON beside each output picture.")


@dataclass(frozen=True)
class Settings:
    """Everything that decides what the output looks like."""

    find: FindSettings = field(default_factory=FindSettings)
    read: ReadSettings = field(default_factory=ReadSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    choose: ChooseSettings = field(default_factory=ChooseSettings)
    redact: RedactSettings = field(default_factory=RedactSettings)
    write: WriteSettings = field(default_factory=WriteSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    record: RecordSettings = field(default_factory=RecordSettings)

    def __post_init__(self) -> None:
        if self.video.video_to is not None and self.video.video_from >= self.video.video_to:
            raise SettingsError("--video-to: films end before they begin, see --video-from")
        if self.detect.hide_all_but and self.choose.hide_only is not None:
            raise SettingsError("--hide-all-but and --hide-only exclude each other: give one of them")

    def as_dict(self, checksums: Mapping[str, str] = {}) -> dict[str, object]:
        """Flat and JSON-ready, without the folder of the models, whose checksums say more.

        Args:
            checksums: stand for the files and folders that the settings name, whose paths say nothing, by the keys of
                `named_paths`.

        Raises:
            ValueError: one is missing.
        """
        parts = (getattr(self, stage) for stage in STAGES)
        values = {key: value for part in parts for key, value in part.as_options().items()}
        del values["weights"]
        if self.choose.text_match is not None:  # they may be names
            values["text-match"] = hashlib.sha256(json.dumps(self.choose.text_match).encode()).hexdigest()
        for key in self.named_paths():
            if key not in checksums:
                raise ValueError(f"the checksum of {key} is missing")
            values[key] = checksums[key]
        return values

    def named_paths(self) -> dict[str, Path]:
        """The files and folders whose content decides what the output looks like, by the key of their option."""
        named = {
            "overlay": self.redact.overlay,
            "keep-visible": self.choose.keep_visible,
            "hide-only": self.choose.hide_only,
        }
        return {key: path for key, path in named.items() if path is not None}

    def digest(self, checksums: Mapping[str, str] = {}) -> str:
        """SHA-256 of `as_dict`: equal digests and equal models give equal outputs."""
        text = json.dumps(self.as_dict(checksums), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _workers() -> Any:
    return setting(
        None,
        parse_workers,
        "auto: one process for each core, as far as memory goes. Or their number; 0 does the work in this process.",
        "N",
        plain_workers,
        group="Run",
    )


def _timeout() -> Any:
    text = "Seconds after which a picture has failed; not with --workers 0."
    return setting(600.0, parse_seconds, text, "SECONDS", group="Run")


@dataclass(frozen=True)
class RunSettings(SettingsPart, group="Run"):
    """What to run on, and what to do about what is already there."""

    input: Place | None = setting(
        None,
        parse_place,
        "Folder with the pictures; subfolders too. Also an address such as s3://bucket/folder.",
        "DIR",
        group="Input and output",
        common=True,
    )
    image_output: Place | None = setting(
        None,
        parse_place,
        "Folder or address for the anonymized pictures; mirrors the input folder.",
        "DIR",
        group="Input and output",
        common=True,
    )
    detections: Place | None = setting(
        None,
        parse_place,
        "Output folder or address of an earlier run: redact from its detection JSON and its report, without any model.",
        "DIR",
        group="Input and output",
    )
    detections_for: DetectionsFor = setting(
        "same",
        OneOf(DETECTIONS_FOR),
        "same: refuse pictures that are not, byte for byte, those of the earlier run. changed: take them if their "
        "sizes are the same.",
        "WHICH",
        group="Input and output",
    )
    edits: Path | None = setting(
        None,
        parse_path,
        "YAML or JSON file of changes to what is found. By default edits.yaml in the --detections folder, if it is "
        "there.",
        "FILE",
        group="Input and output",
    )
    require_reason: bool = setting(False, parse_flag, "Refuse edits that do not say why.", group="Input and output")
    mask_output: Path | None = setting(
        None,
        parse_path,
        "Folder for the masks: for each picture an upright PNG file of 8 bits, 0 where it stays visible to 255 where "
        "it is hidden, or with --method none would be.",
        "DIR",
        group="Input and output",
    )
    report: Place | None = setting(
        None,
        parse_place,
        "File or address for the report. By default anonymize-report.json in the output folder.",
        "FILE",
        group="Input and output",
    )
    overwrite: bool = setting(
        False,
        parse_flag,
        "Write into an output folder that is not empty, and do everything in it again.",
        group="Input and output",
        common=True,
    )
    allow_empty: bool = setting(
        False, parse_flag, "Accept an input folder without a single picture.", group="Input and output"
    )
    workers: int | None = _workers()
    timeout: float = _timeout()
    executor: Engine = setting(
        "local",
        OneOf(ENGINES),
        "What carries the worker processes. local: this machine. ray: a cluster of Ray.",
        "NAME",
    )
    ray_address: str | None = setting(
        None,
        parse_cluster,
        "Of a running Ray cluster that this machine is part of, such as 10.0.0.1:6379; auto finds it. By default one "
        "is started on this machine, and ended with the run.",
        "ADDRESS",
    )
    ray_cpus_per_worker: float = setting(1.0, parse_amount, "Processors of the cluster that each worker takes.", "N")
    ray_gpus_per_worker: float = setting(
        0.0, parse_amount, "Graphics cards, or the share of one, that each worker takes.", "N"
    )
    shard: Shard | None = setting(
        None,
        parse_shard,
        "Process one share of the folder, such as 2/8 on the second of eight machines. Each share has its own report.",
        "I/N",
        plain_shard,
    )
    profile: Path | None = setting(
        None, parse_path, "File for a trace of where the time went, for a browser's trace viewer.", "FILE"
    )
    limit: int | None = setting(None, parse_limit, "Process the first N pictures only.", "N")
    dry_run: bool = setting(False, parse_flag, "Say what would be done, write nothing.", common=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.executor == "ray" and self.workers == 0:
            raise SettingsError("--workers 0 and --executor ray exclude each other: give one of them")
        if self.executor != "ray" and self.ray_address is not None:
            raise SettingsError("--ray-address is only used with --executor ray")


@dataclass(frozen=True)
class VerbositySettings(SettingsPart, group="Run"):
    """How much the command says."""

    verbose: int = setting(
        0,
        parse_verbosity,
        "Name every picture. Twice, as -vv: also say what the program does, with the traceback of each failed picture.",
    )
    quiet: bool = setting(False, parse_flag, "Say nothing but warnings and errors.")
    log: Path | None = setting(
        None, parse_path, "File for a log of what the program does, with the traceback of each failed picture.", "FILE"
    )


@dataclass(frozen=True)
class CheckSettings(SettingsPart, group="Input and output"):
    """What `anonymize check` compares with, what it accepts, and where it writes what it found."""

    against: Place | None = setting(
        None,
        parse_place,
        "Folder or address with the originals: proves file by file that the checked folder is its output.",
        "DIR",
        common=True,
    )
    report: Place | None = setting(
        None,
        parse_place,
        "Report of the anonymizing run. By default anonymize-report.json in the checked folder, if it is there.",
        "FILE",
    )
    threshold_share: float = setting(
        0.5,
        parse_share,
        "Detections are reported from this share of the anonymizing run's thresholds.",
        "FLOAT",
        group="What to find",
    )
    second_opinion: bool = setting(
        True,
        parse_flag,
        "Also look for heads, people and fainter faces, to say where a face may have been missed.",
        group="What to find",
    )
    video_every: int = setting(
        1,
        parse_count,
        "The models look at every how many-th frame of films; all are compared with --against.",
        "N",
        group="What to find",
    )
    baseline: Path | None = setting(
        None, parse_path, "File of findings that are known and accepted.", "FILE", common=True
    )
    write_baseline: bool = setting(False, parse_flag, "Accept what is found now: write it to --baseline.")
    json: Path | None = setting(None, parse_path, "File for the findings as JSON.", "FILE", common=True)
    html: Path | None = setting(
        None, parse_path, "File for a page with thumbnails of the pictures that need a look.", "FILE", common=True
    )
    annotate: Path | None = setting(
        None, parse_path, "Folder for copies of these pictures with boxes and scores drawn in.", "DIR"
    )
    overwrite: bool = setting(False, parse_flag, "Write into an --annotate folder that is not empty.")
    workers: int | None = _workers()
    timeout: float = _timeout()


@dataclass(frozen=True)
class ServeSettings(SettingsPart, group="Server"):
    """Where `anonymize serve` listens, and how much it takes on."""

    host: str = setting(
        "127.0.0.1",
        parse_host,
        "Address to listen on. Any but those of this machine alone, such as 0.0.0.0 for all, demands a --token.",
        "HOST",
        common=True,
    )
    port: int = setting(8000, parse_port, "Port to listen on; 0 takes a free one.", "PORT", common=True)
    token: str | None = setting(
        None,
        parse_token,
        "What clients must know, 16 characters or more. Others of this machine see it in the command line, but not in "
        "the environment variable ANONYMIZE_TOKEN.",
        "TOKEN",
        common=True,
    )
    server_name: tuple[str, ...] = setting(
        (),
        parse_host_names,
        "Names by which clients reach the server, beside localhost and addresses in numbers.",
        "LIST",
    )
    trusted_proxy: tuple[str, ...] = setting(
        (), parse_host_names, "Addresses of reverse proxies, which say by X-Forwarded-For who asks.", "LIST"
    )
    workers: int | None = setting(
        None,
        parse_workers,
        "auto: one process for each core, as far as memory goes. Or their number, from 1 on.",
        "N",
        plain_workers,
    )
    timeout: float = setting(120.0, parse_seconds, "Seconds after which a picture has failed.", "SECONDS")
    keep: float = setting(300.0, parse_seconds, "Seconds after which results are gone that nobody fetches.", "SECONDS")
    max_bytes: int = setting(64_000_000, parse_count, "Bytes of an upload.", "N")
    max_pixels: int = setting(
        50_000_000, parse_count, "Refuse pictures with more pixels, before memory is taken for them.", "N"
    )
    max_jobs: int = setting(32, parse_count, "Pictures of one address that are on hand, results included.", "N")
    max_waiting: int = setting(64, parse_count, "Pictures that wait for a worker.", "N")
    max_memory: int = setting(1_000_000_000, parse_count, "Bytes of all uploads and results in memory.", "N")
    film_workers: int | None = setting(
        None,
        parse_workers,
        "Processes that work on films, beside those for pictures, which go first. auto: one, where PyAV is installed. "
        "0 refuses films.",
        "N",
        plain_workers,
    )
    film_timeout: float = setting(3600.0, parse_seconds, "Seconds after which a film has failed.", "SECONDS")
    max_film_bytes: int = setting(200_000_000, parse_count, "Bytes of an upload that is a film.", "N")
    max_film_pixels: int = setting(9_000_000, parse_count, "Refuse films whose frames have more pixels.", "N")
    max_film_frames: int = setting(20_000, parse_count, "Refuse films with more frames.", "N")
    max_film_seconds: float = setting(600.0, parse_seconds, "Refuse films that last longer.", "SECONDS")
    max_films: int = setting(2, parse_count, "Films of one address that are on hand, results included.", "N")
    max_waiting_films: int = setting(8, parse_count, "Films that wait for a worker.", "N")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.is_private and self.token is None:
            raise SettingsError(f"--host {self.host} lets other machines in: add a --token that clients must know")
        if self.workers == 0:
            raise SettingsError("--workers 0: the server needs 1 or more, so that no picture can take it down")

    @property
    def is_private(self) -> bool:
        """Whether only this machine reaches the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True)
class ReviewSettings(SettingsPart, group="Input and output"):
    """What `anonymize review` compares with, and where it writes."""

    against: Path | None = setting(None, parse_path, "Folder with the originals.", "DIR", common=True)
    image_output: Path | None = setting(
        None,
        parse_path,
        "Folder for what is redacted again. By default beside the reviewed one, with -reviewed behind its name.",
        "DIR",
        common=True,
    )
    reason: str | None = setting(None, parse_reason, "What new edits give as their reason.", "TEXT")
    overlay: Path | None = setting(
        None,
        parse_path,
        "The picture that the run drew over objects, where it had an --overlay: the report knows its checksum only.",
        "FILE",
    )
    port: int = setting(0, parse_port, "Port to listen on; 0 takes a free one.", "PORT", group="Server")
    workers: int | None = _workers()


@dataclass(frozen=True)
class PlanSettings(SettingsPart, group="Run"):
    """What `anonymize plan` measures, and for what it says what a run would take."""

    sample: int = setting(30, parse_count, "Pictures to measure, drawn from the whole folder.", "N", common=True)
    cores: int | None = setting(
        None,
        parse_limit,
        "Cores that would do the work. By default those of this machine.",
        "N",
        common=True,
    )
    price: float | None = setting(
        None, parse_price, "Of a core for an hour, in whatever currency.", "FLOAT", common=True
    )


STAGES: Mapping[str, type[SettingsPart]] = {
    "find": FindSettings,
    "read": ReadSettings,
    "detect": DetectSettings,
    "choose": ChooseSettings,
    "redact": RedactSettings,
    "write": WriteSettings,
    "video": VideoSettings,
    "record": RecordSettings,
}
"""The parts of `Settings`."""

ALL_SETTINGS: tuple[type[SettingsPart], ...] = (RunSettings, *STAGES.values(), VerbositySettings)


CHECK_SETTINGS: tuple[type[SettingsPart], ...] = (
    CheckSettings,
    FindSettings,
    ReadSettings,
    DetectSettings,
    VerbositySettings,
)
"""Those of `anonymize check`; a configuration file may hold them beside those of the main job."""

PLAN_SETTINGS: tuple[type[SettingsPart], ...] = (PlanSettings, *STAGES.values())
"""Those of `anonymize plan`: the rest as in the run."""

SERVE_SETTINGS: tuple[type[SettingsPart], ...] = (ServeSettings, DetectSettings, RedactSettings, WriteSettings)
"""Those of `anonymize serve`: what clients do not say is as here."""
