"""Every original has its output, and every output its original, as the report says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes import Folders

from anonymizer.check.inputs import find_inputs
from anonymizer.check.pairing import Pairing, pair_originals
from anonymizer.check.previous_run import PreviousRun
from anonymizer.files.find import find_pictures
from anonymizer.formats import EXTENSIONS


def paired(
    folders: Folders, originals: list[str], outputs: list[str], files: Mapping[str, Any], complete: bool = True
) -> Pairing:
    folders[1].mkdir()
    for folder, names in zip(folders, (originals, outputs), strict=True):
        for name in names:
            (folder / name).touch()
    listing = find_pictures(folders[0], EXTENSIONS, None)
    found = find_inputs([folders[1]], EXTENSIONS)
    return pair_originals(folders[0], listing, found, PreviousRun({}, complete, files))


def test_outputs_get_their_originals_and_what_the_report_says(folders: Folders) -> None:
    pairing = paired(folders, ["a.png", "b.png"], ["a.png", "b.png"], {"a.png": {"fidelity": "reencoded"}})
    assert pairing.findings == []
    assert [(file.original, file.fidelity) for file in pairing.files] == [
        (folders[0] / "a.png", "reencoded"),
        (folders[0] / "b.png", None),
    ]


@pytest.mark.parametrize(
    ("entry", "has_output", "found"),
    [
        ({}, False, ("missing", "finding", "no output, and no failure in the report")),
        ({"status": "failed", "reason": "is empty"}, False, ("missing", "noted", "no output: failed, is empty")),
        ({"status": "skipped", "reason": "x"}, False, ("missing", "noted", "no output: skipped, x")),
        ({"status": "detected"}, False, ("missing", "noted", "no output: the run was told to detect only")),
        ({"status": "failed"}, True, ("extra", "finding", "has an output, though the report says failed")),
        ({"status": "anonymized"}, True, None),
    ],
)
def test_outputs_are_where_the_report_says(
    folders: Folders, entry: dict[str, str], has_output: bool, found: tuple[str, str, str] | None
) -> None:
    pairing = paired(folders, ["a.png"], ["a.png"] * has_output, {"a.png": entry})
    told = [(finding.kind, finding.level, finding.text) for finding in pairing.findings]
    assert told == ([] if found is None else [found])


def test_what_belongs_to_no_original_is_told_but_for_records(folders: Folders) -> None:
    files = {"d.png": {"status": "detected"}}
    pairing = paired(folders, ["a.png", "d.png"], ["a.png", "a.json", "d.json", "b.png", "notes.txt"], files)
    extra = [(finding.file, finding.level) for finding in pairing.findings if finding.kind == "extra"]
    assert extra == [("b.png", "finding"), ("notes.txt", "finding")]
    assert [(file.name, file.original is None) for file in pairing.files] == [("a.png", False), ("b.png", True)]


def test_an_unfinished_run_is_a_finding(folders: Folders) -> None:
    (finding,) = paired(folders, ["a.png"], ["a.png"], {}, complete=False).findings
    assert (finding.file, finding.kind, finding.level) == ("report", "report", "finding")


def test_folders_of_originals_that_cannot_be_listed(folders: Folders) -> None:
    pairing = paired(folders, [], [], {})
    assert pairing == Pairing([], [])
    listing = find_pictures(folders[0], EXTENSIONS, None)
    listing.unreadable["closed"] = "cannot be listed"
    found = find_inputs([folders[1]], EXTENSIONS)
    (finding,) = pair_originals(Path("in"), listing, found, PreviousRun()).findings
    assert (finding.file, finding.text) == ("closed/", "original cannot be listed")
