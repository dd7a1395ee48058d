"""Two pictures whose names the output folder does not tell apart: the second fails, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer import anonymize_folder
from anonymizer.settings import Shard

LOWER_CASE = r"""
/* A file system that keeps names in lower case, below $LOWER_CASE_ROOT. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static const char *low(const char *path, char *place) {
    const char *root = getenv("LOWER_CASE_ROOT");
    size_t n = root ? strlen(root) : 0;
    if (!n || !path || strncmp(path, root, n) || strlen(path) >= PATH_MAX) return path;
    strcpy(place, path);
    for (char *c = place + n; *c; c++) *c = tolower((unsigned char)*c);
    return place;
}
#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); char a[PATH_MAX]
#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list l; va_start(l, flags); \
    mode = va_arg(l, mode_t); va_end(l); }
int open(const char *p, int flags, ...) { REAL(open); MODE return real(low(p, a), flags, mode); }
int open64(const char *p, int flags, ...) { REAL(open64); MODE return real(low(p, a), flags, mode); }
int openat(int d, const char *p, int flags, ...) { REAL(openat); MODE return real(d, low(p, a), flags, mode); }
int openat64(int d, const char *p, int flags, ...) { REAL(openat64); MODE return real(d, low(p, a), flags, mode); }
int stat(const char *p, struct stat *s) { REAL(stat); return real(low(p, a), s); }
int lstat(const char *p, struct stat *s) { REAL(lstat); return real(low(p, a), s); }
int stat64(const char *p, struct stat64 *s) { REAL(stat64); return real(low(p, a), s); }
int lstat64(const char *p, struct stat64 *s) { REAL(lstat64); return real(low(p, a), s); }
int fstatat(int d, const char *p, struct stat *s, int f) { REAL(fstatat); return real(d, low(p, a), s, f); }
int fstatat64(int d, const char *p, struct stat64 *s, int f) { REAL(fstatat64); return real(d, low(p, a), s, f); }
int rename(const char *p, const char *q) { REAL(rename); char b[PATH_MAX]; return real(low(p, a), low(q, b)); }
int unlink(const char *p) { REAL(unlink); return real(low(p, a)); }
int access(const char *p, int m) { REAL(access); return real(low(p, a), m); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); return real(low(p, a), m); }
"""


@pytest.fixture
def twins(folders: Folders, use_detectors: UseDetectors, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """An input with twins, and an output folder that does not tell case apart."""
    for index, name in enumerate(["PHOTO.JPG", "photo.jpg", "sub/a.png", "SUB/A.png", "SUB/b.png"]):
        save(folders[0] / name, noise(30, 30, seed=index))
    use_detectors(FixedDetector(face(5, 5, 15, 15)))
    monkeypatch.setattr(
        "anonymizer.run.runner.is_same_name",
        lambda root, one, other: one.as_posix().lower() == other.as_posix().lower(),
    )
    return folders


def failed(folders: Folders, **options: object) -> list[str]:
    report = anonymize_folder(*folders, **options)  # type: ignore[arg-type]
    assert report.exit_code == (1 if report.totals.statuses["failed"] else 0)
    return [result.file for result in report.results if result.status == "failed"]


def test_the_second_in_the_listing_fails_run_after_run(twins: Folders) -> None:
    for overwrite in (False, False, True):
        report = anonymize_folder(*twins, overwrite=overwrite)
        reasons = {result.file: result.reason for result in report.results if result.status == "failed"}
        assert reasons == {
            "photo.jpg": "the output folder does not tell its name from that of PHOTO.JPG; rename one of them",
            "sub/a.png": "the output folder does not tell its name from that of A.png; rename one of them",
        }
        assert report.totals.statuses["anonymized"] == 3


def test_shares_agree_on_which_one_is_the_second(twins: Folders) -> None:
    found = [name for n in (1, 2, 3) for name in failed(twins, shard=Shard(n, 3), allow_empty=True)]
    assert sorted(found) == ["photo.jpg", "sub/a.png"]


def test_a_twin_that_is_done_already_stays(twins: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first comes later: in its place lies what it has not written. Both fail until one is renamed."""
    content = (twins[0] / "PHOTO.JPG").read_bytes()
    (twins[0] / "PHOTO.JPG").unlink()
    assert failed(twins) == ["sub/a.png"]
    (twins[0] / "PHOTO.JPG").write_bytes(content)
    output = (twins[1] / "photo.jpg").read_bytes()
    (twins[1] / "PHOTO.JPG").write_bytes(output)  # as a file system without case would answer
    assert failed(twins) == ["PHOTO.JPG", "photo.jpg", "sub/a.png"]
    assert (twins[1] / "photo.jpg").read_bytes() == output


def test_where_names_are_told_apart_both_are_done(twins: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (twins[0] / "probe").touch()
    if (twins[0] / "PROBE").exists():
        pytest.skip("needs a file system that tells upper from lower case")
    monkeypatch.setattr("anonymizer.detect.frames.load_detectors", lambda settings: [FixedDetector()])
    assert failed(twins, workers=0) == []
    assert len([path for path in twins[1].rglob("*") if path.suffix.lower() in (".jpg", ".png")]) == 5


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD")
def test_on_a_file_system_without_case(folders: Folders, tmp_path: Path) -> None:
    for index, name in enumerate(["PHOTO.JPG", "photo.jpg"]):
        save(folders[0] / name, noise(30, 30, seed=index))
    (tmp_path / "lower.c").write_text(LOWER_CASE)
    library = tmp_path / "lower.so"
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-o", library, tmp_path / "lower.c", "-ldl"], check=True)
    root = Path(os.path.realpath(tmp_path)) / "lower"
    root.mkdir()
    command = [sys.executable, "-m", "anonymizer", "--kinds", "face", "--workers", "2"]
    environment = {**os.environ, "LD_PRELOAD": str(library), "LOWER_CASE_ROOT": str(root)}
    for _ in range(2):
        done = subprocess.run(
            [*command, "--input", folders[0], "--image-output", root / "out"],
            env=environment, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert "failed: photo.jpg: the output folder does not tell its name from that of PHOTO.JPG" in done.stderr
        assert [path.name for path in (root / "out").glob("*.jpg")] == ["photo.jpg"]
