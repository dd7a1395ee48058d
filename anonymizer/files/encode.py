"""Encodes redacted frames as a picture file."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anonymizer.files.budget import excess
from anonymizer.files.codecs import codec_of
from anonymizer.files.global_state import pillow_buffer
from anonymizer.files.metadata import Policy, exact_profile
from anonymizer.files.orientation import turn_back
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image
from anonymizer.types import Pixels8


def encode_picture(
    picture: Picture, frames: Sequence[Frame], changed: Sequence[npt.NDArray[np.bool_]], policy: Policy
) -> Encoded:
    """The file of a redacted picture, stored the way that the source was.

    Safe to call from several threads; they wait for each other while Pillow or jpeglib need global state.

    Args:
        picture: as it was read.
        frames: the same frames, upright, redacted.
        changed: bool (H, W) per frame, upright: where its pixels may differ from the source.
        policy: which metadata to keep.

    Raises:
        PictureError: the file cannot be written in its format.
    """
    stored = [
        _to_stored(frame, source, mask, picture.encoding.orientation)
        for frame, source, mask in zip(frames, picture.frames, changed, strict=True)
    ]
    codec = codec_of(picture.encoding.format)
    found = codec.metadata(picture.content)
    too_much = excess(found) if policy == "keep" else 0
    encoded = codec.encode(picture, stored, "strip" if too_much else policy)
    left_out = (
        *picture.left_out,
        *_excess_note(too_much),
        *_profile_note(found.profiles),
        *encoded.left_out,
        *_credentials(picture.content),
        *codec.left_out(picture, stored),
    )
    return Encoded(encoded.content, encoded.fidelity, left_out)


def may_differ(source: Picture, frame: Frame, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where the encoded file may differ from its source if these pixels are replaced: bool (H, W), upright.

    It holds for files with the fidelity "lossless"; re-encoded ones may differ everywhere.

    Args:
        frame: of the source.
        changed: bool (H, W), upright: where it was replaced.
    """
    return codec_of(source.encoding.format).may_differ(source, frame, changed)


def encode_preview(pixels: Pixels8) -> bytes:
    """A JPEG file for a person to look at. `pixels`: uint8 (H, W, 3), RGB."""
    buffer = io.BytesIO()
    with pillow_buffer():
        to_image(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def encode_png(pixels: Pixels8) -> bytes:
    """A PNG file of a drawing. `pixels`: uint8 (H, W, 3), RGB."""
    buffer = io.BytesIO()
    with pillow_buffer():
        to_image(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _excess_note(characters: int) -> Sequence[str]:
    """A note if metadata beyond the budget are not kept."""
    if not characters:
        return ()
    return (
        f"metadata are left out but for those that the picture needs: {characters} characters of them are not plain "
        "language, and so may be a picture in pieces",
    )


def _profile_note(profiles: Sequence[bytes]) -> Sequence[str]:
    """A note if a colour profile is not kept as it is."""
    kept = [(exact_profile(profile), profile) for profile in profiles]
    if any(profile and not exact for exact, profile in kept):
        return ("a damaged colour profile is left out",)
    if any(exact != profile for exact, profile in kept):
        return ("parts of the colour profile that do not describe colours are left out",)
    return ()


def _credentials(content: bytes) -> Sequence[str]:
    """A note if the source has content credentials, a JUMBF box of the kind C2PA: no writer keeps them."""
    has_any = b"jumb" in content and b"c2pa" in content
    return ("content credentials (C2PA) are left out, since they no longer hold",) if has_any else ()


def _to_stored(frame: Frame, source: Frame, changed: npt.NDArray[np.bool_], orientation: int) -> StoredFrame:
    if frame.alpha is None or source.alpha is None:
        return StoredFrame(turn_back(frame.pixels, orientation), turn_back(changed, orientation))
    pixels = np.dstack([frame.pixels, frame.alpha])
    return StoredFrame(turn_back(pixels, orientation), turn_back(changed | (frame.alpha != source.alpha), orientation))
