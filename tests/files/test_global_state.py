"""Calls from several threads give what those from one give, and leave the host's global state alone."""

import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import jpeglib
import numpy as np
import pytest
from fakes import noise, noise16, smooth
from files.samples import full_exif, jpeg_file, png_file, saved
from PIL import Image, ImageFile

from anonymizer.errors import PictureError
from anonymizer.files import global_state as module_of_global_state
from anonymizer.files import heic
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.global_state import pillow_buffer, pillow_state, private_files
from anonymizer.files.inspect import inspect_file
from anonymizer.files.picture import Frame
from anonymizer.settings import ReadSettings

THREADS, FILES = 8, 64


@dataclass(frozen=True)
class Sample:
    content: bytes
    allow_truncated: bool = False


def samples(seed: int) -> Iterator[Sample]:
    """A file of each kind."""
    height = 150 + 8 * seed
    baseline = jpeg_file(noise(height, 180, seed=seed))
    progressive = jpeg_file(noise(height, 180, seed=seed), progressive=True)
    yield Sample(baseline)
    yield Sample(progressive)
    yield Sample(progressive, allow_truncated=True)
    yield Sample(baseline[: len(baseline) // 2])  # fails
    yield Sample(baseline[: len(baseline) // 2], allow_truncated=True)
    yield Sample(saved("JPEG", exif=full_exif(), quality=70 + seed))
    yield Sample(saved("JPEG", "CMYK", progressive=True, quality=70 + seed))  # is encoded anew, by a larger buffer
    yield Sample(saved("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"))  # of whose metadata Pillow warns
    png = saved("PNG", "RGBA", exif=full_exif())
    yield Sample(png)
    yield Sample(png[:-200], allow_truncated=True)
    buffer = io.BytesIO()
    Image.fromarray(noise(200, 200, seed=seed)).save(buffer, "PNG")  # of more than one chunk
    yield Sample(buffer.getvalue())
    yield Sample(png_file(noise16(30, 40, 3)))
    yield Sample(saved("PNG", "RGBA", 3, seed=seed, duration=100))
    yield Sample(saved("GIF", "P", 3, seed=seed, duration=100, comment=b"a comment"))
    yield Sample(saved("WEBP", "RGBA", quality=70 + seed))
    yield Sample(saved("WEBP", "RGBA", 3, seed=seed, duration=100, lossless=True))
    yield Sample(saved("TIFF", "RGB", 3, seed=seed, compression="tiff_lzw"))
    yield Sample(saved("BMP"))
    yield Sample(saved("AVIF", exif=full_exif(), quality=60 + seed))
    yield Sample(saved("JPEG2000", irreversible=False))
    if heic.can_read_heic():
        yield Sample(saved("HEIF", quality=60 + seed))


def outcome(sample: Sample) -> list[object]:
    """All that can be told of a file and of its outputs: one as it is, one with a changed box."""
    try:
        picture = decode_picture(sample.content, ReadSettings(allow_truncated=sample.allow_truncated), "a.jpg")
    except PictureError as error:
        return [str(error)]
    file_format = picture.encoding.format
    told: list[object] = [picture.left_out, picture.remarks, inspect_file(sample.content, file_format)]
    told += [frame.pixels.tobytes() for frame in picture.frames]
    for side in (0, 10):
        frames, changed = [], []
        for frame in picture.frames:
            pixels, mask = frame.pixels.copy(), np.zeros(frame.pixels.shape[:2], bool)
            mask[5 : 5 + side, 5 : 5 + side] = True
            pixels[mask] = ~pixels[mask]
            frames.append(Frame(pixels, frame.alpha))
            changed.append(mask)
        encoded = encode_picture(picture, frames, changed, "keep")
        told += [encoded.content, encoded.fidelity, encoded.left_out, inspect_file(encoded.content, file_format)]
    return told


def global_state() -> dict[str, object]:
    return {
        "limit of pixels": Image.MAX_IMAGE_PIXELS,
        "truncated pictures": ImageFile.LOAD_TRUNCATED_IMAGES,
        "buffer": ImageFile.MAXBLOCK,
        "temporary folder": tempfile.tempdir,
        "warnings": (warnings.showwarning, id(warnings.filters), list(warnings.filters)),
        "library of jpeglib": jpeglib.version.get(),
    }


@pytest.fixture(params=[False, True], ids=["usual host", "odd host"])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """The global state of a program that has its own settings, or none."""
    if request.param:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        monkeypatch.setattr(ImageFile, "MAXBLOCK", 1 << 17)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return global_state()


@pytest.fixture(scope="module")
def expected() -> list[tuple[Sample, list[object]]]:
    """Files, and what one thread makes of them."""
    of_all_kinds = [sample for seed in range(4) for sample in samples(seed)][:FILES]
    assert len(of_all_kinds) == FILES
    return [(sample, outcome(sample)) for sample in of_all_kinds]


def test_threads_give_what_one_thread_gives(
    host: dict[str, object], expected: list[tuple[Sample, list[object]]]
) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(lambda pair: outcome(pair[0]), expected))
    for number, (found, (_, wanted)) in enumerate(zip(told, expected, strict=True)):
        assert found == wanted, number
    assert global_state() == host


@pytest.mark.parametrize(
    "content",
    [b"no picture", jpeg_file(smooth(40, 40))[:500], png_file(noise(9, 9))[:90]],
    ids=["no picture", "jpeg", "png"],
)
def test_errors_leave_the_global_state_alone(host: dict[str, object], content: bytes) -> None:
    with pytest.raises(PictureError):
        decode_picture(content)
    assert global_state() == host


def test_errors_of_libraries_leave_the_global_state_alone(
    host: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    coefficients = decode_picture(jpeg_file(noise(40, 40), progressive=True))
    whole = decode_picture(saved("JPEG", "CMYK", progressive=True))

    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(jpeglib, "read_dct", fail)
    monkeypatch.setattr(Image.Image, "save", fail)
    for picture in (coefficients, whole):
        with pytest.raises(ZeroDivisionError):
            encode_picture(picture, picture.frames, [np.ones(picture.pixels.shape[:2], bool)], "strip")
    assert global_state() == host


def test_contexts_may_be_nested(host: dict[str, object]) -> None:
    with pillow_state(), pillow_state(allow_truncated=True):
        assert Image.MAX_IMAGE_PIXELS is None
        assert ImageFile.LOAD_TRUNCATED_IMAGES is True
        with pillow_state():
            assert ImageFile.LOAD_TRUNCATED_IMAGES is False
        assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert global_state() == host


def test_the_buffer_is_large_enough_and_never_the_one_of_the_host(host: dict[str, object]) -> None:
    with pillow_buffer(3 << 20):
        assert ImageFile.MAXBLOCK == 3 << 20
        with pillow_buffer(5):
            assert ImageFile.MAXBLOCK == 1 << 16
    assert global_state() == host


@pytest.fixture
def library() -> ModuleType:
    """A library that makes temporary files."""
    module = ModuleType("library")
    vars(module).update(tempfile=tempfile, os=os)
    return module


def use(library: ModuleType, new_file: Callable[[], str]) -> list[str]:
    """What such a library does: it writes one file of its own, reads it by its path, and removes it."""
    own = library.tempfile.NamedTemporaryFile(suffix=".jpeg", delete=False)
    own.write(b"secret")
    own.close()
    other = new_file()
    Path(other).write_bytes(Path(own.name).read_bytes())
    assert Path(other).read_bytes() == b"secret"
    places = [os.readlink(own.name) if Path(own.name).is_symlink() else own.name, other]
    library.os.remove(own.name)
    return places


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory")
def test_files_of_libraries_are_in_memory_and_in_no_folder(
    host: dict[str, object], library: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    before = os.listdir("/proc/self/fd")
    with private_files(library) as new_file:
        own, other = use(library, new_file)
        assert "memfd" in own
        assert "memfd" in os.readlink(other)
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert (library.tempfile, library.os) == (tempfile, os)
    assert global_state() == host


def test_without_files_in_memory_they_go_to_a_folder_that_is_gone_afterwards(
    host: dict[str, object], library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of_global_state, "has_memory_files", lambda: False)
    with private_files(library) as new_file:
        names = use(library, new_file)
        folder = Path(names[1]).parent
        assert Path(names[0]).parent == folder
    assert not folder.exists()
    assert global_state() == host
