"""Which encoder writes a film, and with which options: the same codec and pixel format where there is an encoder."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
from av.video.format import VideoFormat

from anonymizer.video.facts import FilmFacts

DEFAULT_QUALITY = 20.0
"""Constant rate factor of x264 that is hard to tell from the source."""
MOST_OF_SOURCE = 1.2
"""Bits for each bit of the source, at the default quality."""
THREADS = 1
"""Of an encoder: what it writes depends on their number, and must not depend on the machine. x264 with several threads
and a limit of its bit rate writes other bytes now and then."""

SOFTWARE: Mapping[str, tuple[str, ...]] = {
    "h264": ("libx264",),
    "hevc": ("libx265",),
    "vp8": ("libvpx",),
    "vp9": ("libvpx-vp9",),
    "av1": ("libsvtav1",),
    "mpeg4": ("mpeg4",),
    "mpeg2video": ("mpeg2video",),
    "mpeg1video": ("mpeg1video",),
    "prores": ("prores_ks",),
    "mjpeg": ("mjpeg",),
    "h263": ("h263", "h263p"),
    "wmv1": ("wmv1",),
    "wmv2": ("wmv2",),
    "msmpeg4v2": ("msmpeg4v2",),
    "msmpeg4v3": ("msmpeg4",),
    "flv1": ("flv",),
    "dvvideo": ("dvvideo",),
    "dnxhd": ("dnxhd",),
    "cfhd": ("cfhd",),
    "ffv1": ("ffv1",),
    "huffyuv": ("huffyuv",),
    "ffvhuff": ("ffvhuff",),
    "utvideo": ("utvideo",),
    "magicyuv": ("magicyuv",),
    "qtrle": ("qtrle",),
    "png": ("png",),
    "rawvideo": ("rawvideo",),
    "v210": ("v210",),
}
"""The encoders of each codec, the preferred one first."""
HARDWARE: Mapping[str, tuple[str, ...]] = {
    codec: tuple(f"{codec}_{maker}" for maker in ("nvenc", "qsv", "amf", "videotoolbox"))
    for codec in ("h264", "hevc", "av1")
}
"""Those that need a device, in the order in which they are tried."""
OF_CONTAINER: Mapping[str, tuple[str, ...]] = {
    "mp4": ("libx264",),
    "mov": ("libx264", "prores_ks"),
    "3gp": ("libx264", "mpeg4"),
    "matroska": ("libx264", "ffv1"),
    "webm": ("libvpx-vp9",),
    "avi": ("libx264", "mpeg4"),
    "mpegts": ("libx264", "mpeg2video"),
    "vob": ("mpeg2video",),
    "mpeg": ("mpeg1video", "mpeg2video"),
    "asf": ("wmv2", "libx264"),
}
"""What takes the place of a codec that nothing here encodes, by container."""
OF_CONTAINER_WITH_ALPHA: Mapping[str, tuple[str, ...]] = {"mov": ("prores_ks",), "matroska": ("ffv1",)}

_CONSTANT_STEP = ("mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "wmv1", "wmv2", "msmpeg4", "msmpeg4v2", "flv")
"""Encoders that count time in steps of a frame rate, or in units of at least 1/65535 s."""
_HAS_QUANTISER = (*_CONSTANT_STEP, "mjpeg")
_HAS_FIELDS = ("libx264", "mpeg2video", "mpeg4", "prores_ks", "dnxhd")
_NO_B_FRAMES_IN = ("avi",)
"""Containers that have no place for the times of frames, only their order."""
_WRITE_CAPTIONS = ("_nvenc", "_qsv", "h264_videotoolbox")
_LAMBDA = 118
"""FFmpeg's units of a quantiser (FF_QP2LAMBDA)."""
_VP8_UNLIMITED = 50_000_000
_PRORES_PROFILES = {"Proxy": "proxy", "LT": "lt", "Standard": "standard", "HQ": "hq", "4444": "4444", "XQ": "4444xq"}


@dataclass(frozen=True)
class Encoding:
    """How a film is written."""

    encoder: str
    """PyAV's name."""
    codec: str
    """FFmpeg's name of what it writes."""
    pixel_format: str
    options: Mapping[str, str]
    has_constant_step: bool = False
    """Whether the encoder's times must be counted in the smallest step between two frames."""


def candidates(
    facts: FilmFacts, wanted: str = "auto", quality: float | None = None, bit_rate: float | None = None
) -> Iterator[Encoding]:
    """Ways to write a film, the best one first. Whether one works on this machine only a trial can say.

    Args:
        wanted: "auto"; "hardware", those of a device first; or the name of an encoder, which comes first.
        quality: as a constant rate factor of x264, from 0 on; None: `DEFAULT_QUALITY`, but little larger than the
            source.
        bit_rate: of the source's stream, bits a second; None: not known.
    """
    named = () if wanted in ("auto", "hardware") else (wanted,)
    devices = HARDWARE.get(facts.codec, ()) if wanted == "hardware" else ()
    has_alpha = _format(facts.pixel_format).has_alpha
    others = (*(OF_CONTAINER_WITH_ALPHA.get(facts.container, ()) if has_alpha else ()), *OF_CONTAINER[facts.container])
    for name in dict.fromkeys((*named, *devices, *SOFTWARE.get(facts.codec, ()), *others)):
        try:
            codec = av.Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        supported = [each.name for each in codec.video_formats or ()] or [facts.pixel_format]
        yield Encoding(
            name,
            codec.canonical_name,
            nearest_format(facts.pixel_format, supported),
            options_of(name, facts, quality, bit_rate),
            name in _CONSTANT_STEP,
        )


def without_captions(encoding: Encoding) -> Encoding:
    """The same, but captions between the frames of the source do not go into those of the new film."""
    writes_them = encoding.encoder in ("libx264", "mpeg2video") or encoding.encoder.endswith(_WRITE_CAPTIONS)
    return replace(encoding, options={**encoding.options, "a53cc": "0"}) if writes_them else encoding


def matched(
    encoding: Encoding, profile: str, level: int, number: int, references: int, delay: int, has_order: bool
) -> Encoding:
    """An encoding by x264 whose parts go with parts of another stream.

    Args:
        profile: which it keeps to.
        level: ten times the level, which it says in any case.
        number: of its parameters.
        references: how many frames others may refer to, by its parameters.
        delay: how many frames may be stored before one that is shown earlier, 0 or 1.
        has_order: whether the stream tells the order of frames, even if none is reordered.
    """
    options = dict(encoding.options)
    parameters = [
        options.pop("x264-params", ""),
        f"sps-id={number}",
        f"dpb-size={references}",
        "b-pyramid=none",
        "open-gop=0",
    ]
    options |= {"x264-params": ":".join(filter(None, parameters)), "profile": profile, "level": str(level)}
    options["bf"] = "0" if not has_order else "2" if delay else "1"
    if not references:
        options["g"] = "1"
    return replace(encoding, options=options)


def nearest_format(wanted: str, supported: Sequence[str]) -> str:
    """The one that loses least of alpha, then colour, bit depth, resolution of the colours; then the smallest."""
    if wanted in supported:
        return wanted
    source = _format(wanted)

    def loss(name: str) -> tuple[bool, bool, int, int, bool, int]:
        other = _format(name)
        return (
            source.has_alpha and not other.has_alpha,
            source.has_colour and not other.has_colour,
            max(0, source.bits - other.bits),
            max(0, other.columns - source.columns) + max(0, other.rows - source.rows),
            source.is_rgb != other.is_rgb or source.is_full_range != other.is_full_range,
            other.bits_per_pixel,
        )

    return min((name for name in supported if _is_in_memory(name)), key=loss)


def is_as_good(wanted: str, other: str) -> bool:
    """Whether nothing of a frame of the one pixel format is lost in the other, but for roundings."""
    source, target = _format(wanted), _format(other)
    return (
        source.has_alpha <= target.has_alpha
        and source.has_colour <= target.has_colour
        and source.bits <= target.bits
        and source.columns >= target.columns
        and source.rows >= target.rows
    )


def options_of(
    name: str, facts: FilmFacts, quality: float | None = None, bit_rate: float | None = None
) -> dict[str, str]:
    """The options of an encoder."""
    crf = DEFAULT_QUALITY if quality is None else quality
    limit = round(bit_rate * MOST_OF_SOURCE) if quality is None and bit_rate else None
    limits = {} if limit is None else {"maxrate": str(limit), "bufsize": str(limit)}
    options = {"threads": str(THREADS), "flags": "+bitexact"}
    is_interlaced = facts.is_interlaced and name in _HAS_FIELDS
    if is_interlaced:
        options["flags"] += "+ilme+ildct"
    if not facts.has_b_frames or facts.container in _NO_B_FRAMES_IN:
        options["bf"] = "0"
    elif name in ("mpeg4", "mpeg2video", "mpeg1video"):
        options["bf"] = "2"
    if name in _HAS_QUANTISER:
        options |= _quantised(crf, limit, options["flags"])
    match name:
        case "libx264":
            parameters = ["bff=1" if facts.field_order in (3, 5) else "tff=1"] if is_interlaced else []
            options |= {"preset": "veryfast", "crf": f"{crf:g}", **limits}
            options["x264-params"] = ":".join([*_instructions(), *parameters, *_hdr_x264(facts)])
        case "libx265":
            options |= {"preset": "superfast", "crf": f"{crf + 2:g}", **limits}
            fixed = ["log-level=none", f"pools={THREADS}", "frame-threads=1", "info=0"]
            options["x265-params"] = ":".join(fixed + _hdr_x265(facts))
            del options["threads"]
        case "libvpx" | "libvpx-vp9":
            is_vp9 = name == "libvpx-vp9"
            unlimited = 0 if is_vp9 else _VP8_UNLIMITED
            options |= {"crf": f"{max(4, round(crf * (63 if is_vp9 else 31) / 51))}", "b": str(limit or unlimited)}
            options |= {"deadline": "realtime", "cpu-used": "6", "auto-alt-ref": "0", "row-mt": "1" if is_vp9 else ""}
        case "libsvtav1":
            options |= {"preset": "10", "crf": f"{max(1, round(crf * 63 / 51))}", **limits}
            options["svtav1-params"] = ":".join([f"lp={THREADS}", *_hdr_svt(facts)])
            del options["threads"]
        case "prores_ks":
            options["profile"] = _PRORES_PROFILES.get(facts.profile or "", "hq")
            options["vendor"] = "apl0"
        case "dnxhd":
            options["profile"] = "dnxhr_hq" if "10" not in facts.pixel_format else "dnxhr_hqx"
        case "ffv1":
            options |= {"level": "3", "slicecrc": "1"}
        case _ if name.endswith("_nvenc"):
            options |= {"preset": "p5", "rc": "vbr", "cq": f"{crf:g}", "b": "0"}
        case _ if name.endswith("_qsv"):
            options |= {"global_quality": f"{round(crf)}"}
        case _ if name.endswith("_amf"):
            options |= {"rc": "cqp", "qp_i": f"{round(crf)}", "qp_p": f"{round(crf)}"}
        case _ if name.endswith("_videotoolbox"):
            options |= {"q": f"{max(1, round(100 - 2 * crf))}"}
    return {key: value for key, value in options.items() if value}


@lru_cache(maxsize=1)
def _instructions() -> tuple[str, ...]:
    """The parameter that keeps x264 from AVX-512, with which it reads memory that nobody has written.

    What it writes then differs from time to time. Without, it is what its C code writes, at the same speed (x264 0.165;
    the same films with glibc's MALLOC_PERTURB_ at 1, 165 and 254).
    """
    try:
        has_avx512 = "avx512" in Path("/proc/cpuinfo").read_text()
    except OSError:  # not on Linux
        has_avx512 = False
    return ("asm=avx2",) if has_avx512 else ()


def _quantised(crf: float, limit: int | None, flags: str) -> dict[str, str]:
    """For encoders whose quality is a quantiser, 1 to 31: twice as coarse for each 6 of a rate factor.

    Under a limit it is the finest that is taken.
    """
    finest = min(31.0, max(1.0, 2 ** ((crf - 14) / 6)))
    if limit is not None:
        return {"b": str(limit), "qmin": str(round(finest)), "mbd": "rd"}
    return {"flags": f"{flags}+qscale", "global_quality": str(round(_LAMBDA * finest)), "qmin": "1"}


def _mastering_numbers(facts: FilmFacts) -> list[Fraction] | None:
    """Primaries of red, green, blue and white, x and y each; least and greatest luminance in cd/m2.

    As AVMasteringDisplayMetadata of libavutil holds them: ten rationals, and whether they are there.
    """
    if facts.mastering_display is None or len(facts.mastering_display) != 88:
        return None
    *numbers, has_primaries, has_luminance = struct.unpack("=20i2i", facts.mastering_display)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not (has_primaries and has_luminance) or not all(denominator for _, denominator in pairs):
        return None
    return [Fraction(*pair) for pair in pairs]


def _light_levels(facts: FilmFacts) -> tuple[int, int] | None:
    """Greatest and greatest average brightness of a frame, cd/m2: AVContentLightMetadata of libavutil."""
    if facts.content_light is None or len(facts.content_light) != 8:
        return None
    most, average = struct.unpack("=2I", facts.content_light)
    return most, average


def _hdr_x265(facts: FilmFacts) -> list[str]:
    """As the documentation of x265 asks: steps of 0.00002, and of 0.0001 cd/m2."""
    result = []
    numbers = _mastering_numbers(facts)
    if numbers is not None:
        rx, ry, gx, gy, bx, by, wx, wy = (round(number * 50000) for number in numbers[:8])
        low, high = (round(number * 10000) for number in numbers[8:])
        result.append(f"master-display=G({gx},{gy})B({bx},{by})R({rx},{ry})WP({wx},{wy})L({high},{low})")
    levels = _light_levels(facts)
    if levels is not None:
        result.append(f"max-cll={levels[0]},{levels[1]}")
    return ["hdr10=1", *result] if result else []


def _hdr_x264(facts: FilmFacts) -> list[str]:
    names = {"master-display": "mastering-display", "max-cll": "cll"}
    pairs = [each.partition("=") for each in _hdr_x265(facts)[1:]]
    return [f"{names[key]}={value}" for key, _, value in pairs]


def _hdr_svt(facts: FilmFacts) -> list[str]:
    result = []
    numbers = _mastering_numbers(facts)
    if numbers is not None:
        rx, ry, gx, gy, bx, by, wx, wy, low, high = (f"{float(number):.5f}" for number in numbers)
        result.append(f"mastering-display=G({gx},{gy})B({bx},{by})R({rx},{ry})WP({wx},{wy})L({high},{low})")
    levels = _light_levels(facts)
    if levels is not None:
        result.append(f"content-light={levels[0]},{levels[1]}")
    return result


@dataclass(frozen=True)
class _Format:
    bits: int
    """Of a sample."""
    has_colour: bool
    has_alpha: bool
    is_rgb: bool
    is_full_range: bool
    columns: int
    """In how many columns pixels share a colour."""
    rows: int
    bits_per_pixel: int


def _format(name: str) -> _Format:
    each = VideoFormat(name)
    components = each.components
    has_alpha = any(component.is_alpha for component in components) or name.startswith(("yuva", "gbrap", "rgba", "ya"))
    has_colour = len(components) - has_alpha >= 3
    return _Format(
        bits=max((component.bits for component in components), default=8),
        has_colour=has_colour,
        has_alpha=has_alpha,
        is_rgb=each.is_rgb,
        is_full_range=name.startswith("yuvj"),
        columns=64 // each.chroma_width(64) if has_colour else 1,
        rows=64 // each.chroma_height(64) if has_colour else 1,
        bits_per_pixel=each.bits_per_pixel,
    )


def _is_in_memory(name: str) -> bool:
    """Whether the frames lie in the memory of the machine, not of a device."""
    return bool(VideoFormat(name).components)
