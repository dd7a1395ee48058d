"""The pages of this repository: links lead somewhere, options and exit codes are explained, the README is short."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import anonymizer.errors
from anonymizer.cli.main import anonymize

REPOSITORY = Path(__file__).parent.parent
FOLDERS = ("", "anonymizer/**/", "images/", "tests/**/", "weights/**/")
PAGES = sorted({page for folder in FOLDERS for page in REPOSITORY.glob(f"{folder}*.md")})
COMMAND_PAGES = {
    "audit utility": "anonymizer/audit/README.md",
    "audit leak": "anonymizer/audit/README.md",
    "audit plates": "anonymizer/audit/README.md",
    "audit film": "anonymizer/audit/README.md",
    "audit identify": "anonymizer/audit/README.md",
    "audit reverse": "anonymizer/audit/README.md",
    "check": "anonymizer/check/README.md",
    "detections export": "anonymizer/record/README.md",
    "detections import": "anonymizer/record/README.md",
    "detections stats": "anonymizer/record/README.md",
    "report merge": "anonymizer/run/README.md",
    "review": "anonymizer/web/README.md",
    "serve": "anonymizer/web/README.md",
    "": "anonymizer/cli/README.md",
}
GROUPS = {"audit", "detections", "report"}
"""Commands that do nothing by themselves."""


def text_of(page: Path | str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """The page without code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", text_of(page), flags=re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    """What may follow # in links to a page: its headings, as GitHub and GitLab turn them into anchors."""
    headings = re.findall(r"^#+ +(.+)$", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def commands_of(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for sub, child in command.commands.items():
            yield from commands_of(child, f"{name} {sub}".strip())


OPTIONS = [
    (name, option)
    for name, command in commands_of(anonymize)
    for parameter in command.params
    if isinstance(parameter, click.Option) and not parameter.hidden
    for option in parameter.opts
    if option.startswith("--")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(REPOSITORY), link
        assert not anchor or anchor in anchors_of(target), link


def test_the_pages_of_all_rooms_are_among_those_that_are_checked() -> None:
    names = {page.relative_to(REPOSITORY).as_posix() for page in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "weights/README.md"} <= names
    assert {f"anonymizer/{room}/README.md" for room in ("check", "cli", "files", "redact", "run")} <= names


def test_the_readme_fits_a_short_read() -> None:
    assert len(text_of("README.md").splitlines()) <= 200


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for link in re.findall(r"\]\(([^)\s#]+\.md)", prose_of(page)):
            target = (page.parent / link).resolve()
            if not link.startswith("http") and target not in reached:
                waiting.append(target)
    assert not [page for page in PAGES if page not in reached and "tests" not in page.parts]


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda value: value or "main")
def test_every_option_is_documented(command: str, option: str) -> None:
    page = text_of(COMMAND_PAGES.get(command, COMMAND_PAGES[""]))
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", page), f"{option} of anonymize {command}"


@pytest.mark.parametrize("command", [name for name, command in commands_of(anonymize) if name not in GROUPS])
def test_every_command_is_documented(command: str) -> None:
    assert f"`anonymize {command}".rstrip() in text_of(COMMAND_PAGES[""])


@pytest.mark.parametrize("page", ["README.md", "anonymizer/cli/README.md", "anonymizer/check/README.md"])
def test_every_exit_code_is_documented(page: str) -> None:
    errors = [value for value in vars(anonymizer.errors).values() if isinstance(value, type)]
    codes = {error.exit_code for error in errors if issubclass(error, anonymizer.errors.AnonymizerError)}
    assert {1, 2, 3, 4} <= codes
    rows = re.findall(r"^\| ([\d, ]+) \|", text_of(page), re.MULTILINE)
    documented = {int(code) for row in rows for code in row.split(",")}
    assert documented == codes | {0, 130, 143}


def test_the_readme_has_the_commands_that_are_run_for_proof() -> None:
    for name in ("first", "test"):
        (command,) = re.findall(rf"<!-- command: {name} -->\n```sh\n(.+)\n```", text_of("README.md"))
        assert "python3 -m venv .venv" in command


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", ".pre-commit-config.yaml", ".ci/run"])
def test_targets_of_make_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|entry: |`)make ([a-z]+)", text_of(page), re.MULTILINE))
    assert named
    assert named <= targets


def test_pages_named_by_paths_in_the_table_of_recipes_exist() -> None:
    """The files and tables in which CONTRIBUTING.md tells people to add something are there."""
    table = text_of("CONTRIBUTING.md").partition("## How to add")[2].partition("\n## ")[0]
    paths = re.findall(r"`((?:tests/)?[a-z]+(?:/[a-z_]+)*/?[a-z_]*\.(?:py|yaml))`", table)
    assert paths
    for path in paths:
        assert any((REPOSITORY / folder / path).is_file() for folder in ("", "anonymizer", "tests/files")) or (
            path == "model.yaml"
        ), path
    for name, path in re.findall(r"`([A-Z]{2,}|[a-z_]+)` in `([a-z/_]+\.py)`", table):
        assert re.search(rf"\b{name}\b", text_of(f"anonymizer/{path}")), f"{name} in {path}"


@pytest.mark.parametrize("page", ["README.md", "anonymizer/README.md"])
def test_what_the_pages_import_is_there(page: str) -> None:
    for module, names in re.findall(r"^from (anonymizer[\w.]*) import (.+)$", text_of(page), re.MULTILINE):
        for name in names.split(", "):
            assert hasattr(import_module(module), name), f"{name} of {module}"


def test_the_changelog_begins_with_this_version() -> None:
    version = re.search(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert version is not None
    assert version[1] == anonymizer.__version__
