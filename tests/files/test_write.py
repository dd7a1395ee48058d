import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import load, noise, save, smooth
from PIL import Image

from anonymizer.errors import OutputError, PictureError
from anonymizer.files.read import read_picture
from anonymizer.files.write import encode_picture, remove_files, write_files


def rewrite(path: Path) -> Path:
    """Reads a picture and writes it, unchanged, to a new file."""
    picture = read_picture(path)
    target = path.with_name("new" + path.suffix)
    target.write_bytes(encode_picture(picture.pixels, picture.alpha, picture.encoding))
    return target


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_pixels_and_alpha_are_written_exactly(tmp_path, channels):
    pixels = noise(9, 11, channels)
    assert (load(rewrite(save(tmp_path / "a.png", pixels))) == pixels.squeeze()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_stored_layout_and_orientation_are_kept(tmp_path, orientation, extension):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"a.{extension}", smooth(16, 32), exif=exif)
    new = rewrite(path)
    assert np.abs(load(new).astype(int) - load(path)).max() <= 6
    with Image.open(new) as image:
        assert image.getexif().get(0x0112, 1) == orientation


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [40, 95])
def test_jpeg_tables_sampling_density_and_profile_are_kept(tmp_path, subsampling, quality):
    path = save(
        tmp_path / "a.jpg", smooth(40, 40), quality=quality, subsampling=subsampling, dpi=(72, 72), icc_profile=b"icc"
    )
    old, new = read_picture(path).encoding, read_picture(rewrite(path)).encoding
    assert new == old


def test_gray_jpeg_stays_gray(tmp_path):
    with Image.open(rewrite(save(tmp_path / "a.jpg", smooth(20, 20)[:, :, :1]))) as image:
        assert image.mode == "L"


def test_no_other_metadata_is_written(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker of the camera"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    path = save(tmp_path / "a.jpg", smooth(20, 20), exif=exif, comment=b"a name", xmp=b"<x>somebody</x>")
    assert b"somebody" in path.read_bytes()
    content = rewrite(path).read_bytes()
    for secret in (b"maker", b"a name", b"somebody"):
        assert secret not in content
    with Image.open(rewrite(path)) as image:
        assert dict(image.getexif()) == {0x0112: 6}


def test_writes_into_new_folders_and_replaces(tmp_path):
    for content in (b"first", b"second"):
        write_files(tmp_path, {Path("a/b/c.bin"): content})
        assert (tmp_path / "a/b/c.bin").read_bytes() == content
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["c.bin"]


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, OutputError), (errno.EROFS, OutputError), (errno.EACCES, PictureError)]
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch, step, number, error):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(error, match=os.strerror(number)):
        write_files(tmp_path, {Path("a.bin"): b"content"})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    write_files(tmp_path, {Path("a.bin"): b"old"})

    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError) as caught:
        write_files(tmp_path, {Path("a.bin"): b"new"})
    assert caught.value.exit_code == 4
    assert (tmp_path / "a.bin").read_bytes() == b"old"


def test_the_next_run_cleans_up_after_one_that_was_killed(tmp_path, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(os, "replace", lambda *paths: None)
        killed.setattr(Path, "unlink", lambda self, missing_ok: None)
        write_files(tmp_path, {Path("a.bin"): b"half"})
    (left_over,) = tmp_path.iterdir()
    assert left_over.name.startswith(".")
    write_files(tmp_path, {Path("a.bin"): b"whole"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_links_out_of_the_output_are_not_followed(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "source")
    with pytest.raises(PictureError, match="outside the output folder"):
        write_files(tmp_path / "out", {Path("sub/a.bin"): b"content"})
    assert list((tmp_path / "source").iterdir()) == []


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path):
    source = tmp_path / "source.bin"
    source.write_bytes(b"original")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.bin").symlink_to(source)
    write_files(tmp_path / "out", {Path("a.bin"): b"new"})
    assert source.read_bytes() == b"original"
    assert not (tmp_path / "out" / "a.bin").is_symlink()


def test_names_that_are_too_long_fail_alone(tmp_path):
    with pytest.raises(PictureError, match="File name too long"):
        write_files(tmp_path, {Path("x" * 300): b"content"})


def test_removing(tmp_path):
    write_files(tmp_path, {Path("a/b.bin"): b"content"})
    for _ in range(2):
        remove_files(tmp_path, [Path("a/b.bin")])
        assert not (tmp_path / "a/b.bin").exists()
    write_files(tmp_path, {Path("file"): b"content"})
    remove_files(tmp_path, [Path("file/below")])


def test_files_that_belong_together_change_together(tmp_path, monkeypatch):
    write_files(tmp_path, {Path("a.json"): b"old", Path("a.png"): b"old"})
    replace = os.replace

    def stop_at_the_second(old, new):
        if new.name == "a.png":
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr(os, "replace", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, {Path("a.json"): b"new", Path("a.png"): b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.png": b"old"}


def test_a_full_disk_changes_neither_of_two_files(tmp_path, monkeypatch):
    write_files(tmp_path, {Path("a.json"): b"old", Path("a.png"): b"old"})
    calls = []

    def fill_up(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(OutputError):
        write_files(tmp_path, {Path("a.json"): b"new", Path("a.png"): b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"old", "a.png": b"old"}


def test_removing_follows_no_link_out_of_the_output(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.png").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "source")
    remove_files(tmp_path / "out", [Path("sub/a.png")])
    assert (tmp_path / "source" / "a.png").exists()


def test_noisy_progressive_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    cv2.imwrite(str(path), noise(400, 400), [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, *sampling])
    assert np.abs(load(rewrite(path)).astype(int) - load(path)).max() <= 8


def test_gray_jpeg_with_a_table_of_another_number(tmp_path):
    path = save(tmp_path / "a.jpg", smooth(20, 20)[:, :, :1], quality=60)
    content = path.read_bytes()
    tables, frame = content.index(b"\xff\xdb"), content.index(b"\xff\xc0")
    renumbered = bytearray(content)
    renumbered[tables + 4] = 1
    renumbered[frame + 12] = 1
    path.write_bytes(renumbered)
    assert read_picture(rewrite(path)).encoding == read_picture(path).encoding


def test_tables_follow_their_components(tmp_path):
    """A file whose luminance uses table 1 and whose colours use table 0."""
    path = save(tmp_path / "a.jpg", smooth(40, 40), quality=60)
    content = bytearray(path.read_bytes())
    frame = content.index(b"\xff\xc0")
    for component, table in enumerate((1, 0, 0)):
        content[frame + 12 + 3 * component] = table
    expected = read_picture(path).encoding.quantization
    path.write_bytes(content)
    assert read_picture(path).encoding.quantization == expected[::-1]
    assert read_picture(rewrite(path)).encoding.quantization == expected[::-1]
