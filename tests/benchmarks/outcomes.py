"""What becomes of each file of a folder, and what of its metadata survives.

    python -m tests.benchmarks.outcomes FOLDER [--manifest FILE]

Every file is processed under each metadata policy, once with nothing found and once with an object in its middle. Where
exiftool is installed, it looks at sources and outputs: it shares no code with this program. The manifest is a JSON list
of {"file": ..., "what": ...}. Exits with 1 if something survives that must not, or a reason names a bug.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from anonymizer.detect.frames import ModelFinder
from anonymizer.files.find import find_pictures
from anonymizer.formats import EXTENSIONS
from anonymizer.geometry import Box
from anonymizer.pipeline import PictureProcess
from anonymizer.settings import METADATA_POLICIES, MetadataPolicy, Settings, WriteSettings
from anonymizer.types import Detection, Pixels, Result

TRACES = {
    "thumbnail or preview": r"Thumbnail(Image|Offset|Length|TIFF)|Preview(Image|Start|Length)|JpgFromRaw|OtherImage"
    r"|PhotoshopThumbnail|MPImage|MPFVersion|NumberOfImages|EmbeddedImage|MotionPhoto|GainMapImage|DepthMap",
    "GPS": r"GPS(?!.*Version)",
    "serial number": r"Serial ?Number|SerialNumber|ImageUniqueID|LensID.*Serial",
    "trailing data": r"Trailer",
}
"""Names of exiftool's tags that tell of what must not survive."""
FORBIDDEN = {
    "strip": tuple(TRACES),
    "safe": tuple(TRACES),
    "keep": ("thumbnail or preview", "trailing data"),
}


class Finder:
    """Finds a face in the middle, or nothing."""

    kinds = frozenset(["face"])

    def __init__(self, finds: bool) -> None:
        self._finds = finds

    def detect(self, picture: Pixels) -> list[Detection]:
        height, width = picture.shape[:2]
        middle = Box(width * 0.3, height * 0.3, width * 0.6, height * 0.6)
        return [Detection(middle, 0.9, "face")] * self._finds


def traces(folder: Path) -> dict[str, set[str]]:
    """What exiftool sees in each file of a folder, of what `TRACES` names."""
    found: dict[str, set[str]] = defaultdict(set)
    listed = _exiftool("-json", "-a", "-G1", "-ee", "-r", str(folder))
    for tags in json.loads(listed or "[]"):
        name = Path(tags["SourceFile"]).relative_to(folder).as_posix()
        for trace, names in TRACES.items():
            if any(re.search(names, tag.split(":")[-1]) for tag in tags) or _warns_of(trace, tags):
                found[name].add(trace)
    name = ""
    for line in _exiftool("-v3", "-r", str(folder)).splitlines():
        if line.startswith("======== "):
            name = Path(line.removeprefix("======== ")).relative_to(folder).as_posix()
        elif re.search(r"(?i)\btrailer\b", line):
            found[name].add("trailing data")
    return found


def _warns_of(trace: str, tags: dict[str, object]) -> bool:
    warnings = (str(value) for tag, value in tags.items() if tag.endswith(":Warning"))
    return trace == "trailing data" and any(re.search(r"(?i)trailer|RIFF file", warning) for warning in warnings)


def _exiftool(*arguments: str) -> str:
    run = subprocess.run(["exiftool", "-charset", "filename=utf8", *arguments], capture_output=True, check=False)
    return run.stdout.decode(errors="replace")


def outcomes(folder: Path, output: Path, policy: MetadataPolicy, finds: bool) -> Iterator[Result]:
    settings = Settings(write=WriteSettings(metadata=policy))
    listing = find_pictures(folder, EXTENSIONS, output)
    for job in listing:
        yield PictureProcess(folder, output, ModelFinder([Finder(finds)], settings.detect), settings)(job)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--manifest", type=Path)
    arguments = parser.parse_args()
    entries = json.loads(arguments.manifest.read_text()) if arguments.manifest else []
    what = {Path(entry["file"]).name: entry["what"] for entry in entries}
    with tempfile.TemporaryDirectory() as scratch:
        results: dict[tuple[str, bool], list[Result]] = {}
        for policy in METADATA_POLICIES:
            for finds in (False, True):
                output = Path(scratch) / f"{policy}-{finds}"
                results[policy, finds] = list(outcomes(arguments.folder, output, policy, finds))
        bugs = print_table(results["strip", True], results["strip", False], what)
        survivors = print_survivors(arguments.folder, Path(scratch), results) if shutil.which("exiftool") else 0
    if not shutil.which("exiftool"):
        print("\nexiftool is not installed: metadata are not checked")
    return 1 if bugs or survivors else 0


def print_table(found: Sequence[Result], empty: Sequence[Result], what: dict[str, str]) -> int:
    print("| file | what it is | outcome, something found | nothing found | reason, or what is to be known |")
    print("| --- | --- | --- | --- | --- |")
    for result, other in zip(found, empty, strict=True):
        text = result.reason or "; ".join([*result.warnings, *result.left_out])
        columns = [result.file, what.get(Path(result.file).name, ""), _told(result), _told(other), text]
        print("| " + " | ".join(columns) + " |")
    statuses = [result.status for result in found]
    print(f"\n{len(found)} files: {statuses.count('anonymized')} anonymized, {statuses.count('failed')} failed")
    bugs = [result for result in (*found, *empty) if result.reason and result.reason.startswith("unexpected")]
    print(f"reasons that name a bug: {len(bugs)}")
    return len(bugs)


def _told(result: Result) -> str:
    return result.status if result.fidelity is None else f"{result.status}, {result.fidelity}"


def print_survivors(folder: Path, scratch: Path, results: dict[tuple[str, bool], list[Result]]) -> int:
    done = [result.file for result in results["strip", True] if result.status == "anonymized"]
    before = {name: some for name, some in traces(folder).items() if name in done}
    print(f"\nexiftool {_exiftool('-ver').strip()}")
    print("| files with | " + " | ".join(TRACES) + " |")
    print("| --- |" + " --- |" * len(TRACES))
    print(f"| sources ({len(done)}) | " + " | ".join(_count(before, trace) for trace in TRACES) + " |")
    survivors = 0
    for (policy, finds), some in results.items():
        after = traces(scratch / f"{policy}-{finds}")
        number = sum(result.status == "anonymized" for result in some)
        label = f"{policy}, {'something' if finds else 'nothing'} found ({number})"
        print(f"| {label} | " + " | ".join(_count(after, trace) for trace in TRACES) + " |")
        for name, found in after.items():
            for trace in sorted(found.intersection(FORBIDDEN[policy])):
                print(f"survives under {policy}: {trace} in {name}", file=sys.stderr)
                survivors += 1
    print(f"\nsurvivors that must not be: {survivors}")
    return survivors


def _count(found: dict[str, set[str]], trace: str) -> str:
    return str(sum(trace in traces for traces in found.values()))


if __name__ == "__main__":
    sys.exit(main())
