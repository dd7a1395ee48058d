"""The tests mirror the package: the tests of a module are where its name says."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "anonymizer"
NOTHING_TO_TEST = {"_version.py", "detect/detector.py"}
"""A number and a protocol."""
ABOUT_A_ROOM = {
    "bot.py",  # an example of a client
    "bundled.py",  # the models that come with the package
    "consumers.py",  # programs that read exports
    "edited.py",  # edited records
    "films.py",  # films on the command line
    "silhouettes.py",  # silhouettes on the command line
    "examples.py",  # manifests for clusters
    "fuzz.py",  # damaged files of every format
    "page.py",  # the page in a browser
    "gallery_options.py",  # galleries on the command line
    "hostile.py",  # clients that mean no good
    "nothing_stored.py",  # files and logs that the server does not write
    "replayed_films.py",  # films that are redacted again from records
    "shared_films.py",  # films that several workers look at
    "ray_runs.py",  # whole runs on a cluster of Ray
    "shown_right.py",  # what shows pictures right
    "stores.py",  # runs and checks over stores
    "twins.py",  # names that look alike
    "upright.py",  # which way up pictures are shown
}
MODULES = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if not path.name.startswith("__")}


@pytest.mark.parametrize("module", sorted(MODULES), ids=Path.as_posix)
def test_every_module_has_its_tests(module: Path) -> None:
    tests = TESTS / module.with_name(f"test_{module.name}")
    assert tests.is_file() is (module.as_posix() not in NOTHING_TO_TEST)


@pytest.mark.parametrize("room", sorted({module.parent for module in MODULES} - {Path()}), ids=Path.as_posix)
def test_there_are_no_tests_of_modules_that_are_gone(room: Path) -> None:
    tested = {path.name.removeprefix("test_") for path in (TESTS / room).glob("test_*.py")}
    assert tested - {module.name for module in MODULES if module.parent == room} <= ABOUT_A_ROOM
