"""Decoded frames for tests, made without a film."""

from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from anonymizer.video.components import components_of
from anonymizer.video.facts import Colour, DisplayMatrix, FilmFacts

FORMATS = (
    *("yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv410p", "yuv411p", "yuvj420p", "yuva420p", "yuva444p10le"),
    *("yuv420p10le", "yuv422p10le", "yuv420p12le", "yuv420p10be", "yuv444p16le", "nv12", "nv21", "nv16", "p010le"),
    *("gray", "gray10le", "gray16le", "ya8", "gbrp", "gbrap", "gbrp10le", "rgb24", "bgr24", "rgba", "argb", "bgr0"),
    *("rgb48le", "rgba64le", "yuyv422", "uyvy422"),
)


def facts_of(width: int, height: int, matrix: DisplayMatrix | None = None, interlaced: bool = False) -> FilmFacts:
    return FilmFacts(
        container="mp4",
        streams=(),
        index=0,
        codec="h264",
        profile=None,
        width=width,
        height=height,
        pixel_format="yuv420p",
        display_matrix=matrix,
        sample_aspect_ratio=None,
        colour=Colour(2, 2, 2, 0),
        field_order=0,
        is_interlaced=interlaced,
        time_base=Fraction(1, 25),
        end=None,
        rate=Fraction(25),
        bit_rate=None,
        announced_frames=None,
    )


MATRICES: dict[int, DisplayMatrix | None] = {
    1: None,
    2: (-1, 0, 0, 0, 1, 0, 0, 0, 1),
    3: (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    4: (1, 0, 0, 0, -1, 0, 0, 0, 1),
    5: (0, 1, 0, 1, 0, 0, 0, 0, 1),
    6: (0, 1, 0, -1, 0, 0, 0, 0, 1),
    7: (0, -1, 0, -1, 0, 0, 0, 0, 1),
    8: (0, -1, 0, 1, 0, 0, 0, 0, 1),
}
"""Display matrices by the EXIF orientation that does the same."""


def random_frame(width: int, height: int, pixel_format: str, seed: int = 0) -> VideoFrame:
    """A frame of random samples."""
    frame = VideoFrame(width, height, pixel_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    random = np.random.default_rng(seed)
    for component in components_of(frame):
        highest = 2 * component.middle if component.role in "uv" else component.high
        component.samples[:] = random.integers(0, int(highest), component.samples.shape)
    return frame


def frame_of(pixels: npt.NDArray[np.uint8], pixel_format: str = "yuv420p") -> VideoFrame:
    """A frame that shows uint8 (H, W, 3), RGB."""
    return av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=pixel_format, threads=1)
