"""Measures what is found and what is missed, beside peers, on the same pictures in one run.

    python -m tests.benchmarks.accuracy PACK [--kind face] [--peer deface=PYTHON] [--peer mtcnn=PYTHON] [--readme]

PACK is a folder with annotations.json, see weights/plate/README.md. PYTHON is the interpreter of an environment in
which the peer is installed. --readme writes the figures into weights/README.md and the plots into images/accuracy/.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import matplotlib

from anonymizer.detect.frames import detect
from anonymizer.detect.load import choose_models, load_detectors, thresholds_of
from anonymizer.files.read import read_picture
from anonymizer.kinds import DEFAULT_KINDS, MODEL_KINDS, Kind, default_kinds
from anonymizer.settings import PRESETS, DetectSettings, RedactSettings

from .metrics import (
    HEIGHTS,
    Annotated,
    Boxes,
    Found,
    average_precision,
    is_covered,
    match,
    precision_recall,
    read_pack,
    to_found,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FLOOR = 0.05
"""Score down to which average precision is measured."""
PEER_THRESHOLDS = {"deface": 0.2, "mtcnn": 0.9}
"""Their defaults."""
REPOSITORY = Path(__file__).parents[2]
MARGIN = RedactSettings().margins


@dataclass(frozen=True)
class Contestant:
    """A detector and what it found."""

    name: str
    threshold: float
    found: dict[Path, Found]
    cpu_s: float
    """A picture, on average."""
    also_hidden: dict[Path, Boxes] = field(default_factory=dict)
    """What it hides of other kinds, such as heads."""

    def hidden(self, picture: Path) -> Boxes:
        """All that it hides in a picture."""
        own = self.found[picture].from_score(self.threshold).widened(MARGIN["face"])
        return np.vstack([own, self.also_hidden.get(picture, np.zeros((0, 4)))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--kind", choices=MODEL_KINDS, default="face")
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="deface or mtcnn")
    parser.add_argument("--group", action="append", help="only groups that begin so; may be repeated")
    parser.add_argument("--limit", type=int, metavar="N", help="pictures of each group")
    parser.add_argument("--readme", action="store_true", help="write figures and plots into the repository")
    arguments = parser.parse_args()

    pictures = choose(read_pack(arguments.pack, arguments.kind), arguments.group, arguments.limit)
    contestants = [run_ours(preset, arguments.kind, pictures) for preset in arguments.presets.split(",")]
    for peer in arguments.peer:
        name, _, python = peer.partition("=")
        contestants.append(run_peer(name, python, pictures))
    table = "\n".join(lines_of(contestants, pictures, arguments.kind))
    print(table)
    if arguments.readme:
        write_readme(table, contestants, pictures, arguments.kind)


def choose(pictures: Iterable[Annotated], groups: Sequence[str] | None, limit: int | None) -> list[Annotated]:
    """Pictures that say something about the kind: annotated for it, of heads, or without any."""
    chosen: dict[str, list[Annotated]] = {}
    for picture in pictures:
        says_something = picture.is_of_kind or len(picture.points) or picture.group == "negatives"
        if says_something and (groups is None or picture.group.startswith(tuple(groups))):
            chosen.setdefault(picture.group, []).append(picture)
    return [picture for group in chosen.values() for picture in group[:limit]]


def run_ours(preset: str, kind: Kind, pictures: Sequence[Annotated]) -> Contestant:
    others = [other for other in default_kinds(preset) if other not in (*DEFAULT_KINDS, kind)]
    usual = DetectSettings(kinds=(kind, *others), preset=preset)
    threshold = min(thresholds_of(model, usual).get(kind, 1.0) for model in choose_models(usual))
    settings = usual.with_thresholds({kind: FLOOR})
    detectors = load_detectors(settings)
    found, also_hidden, cpu_s = {}, {}, 0.0
    for number, picture in enumerate(pictures, 1):
        pixels = read_picture(picture.path).frames[0].pixels
        start = time.process_time()
        detections = detect(pixels, detectors)
        cpu_s += time.process_time() - start
        found[picture.path] = to_found([[*d.box.xyxy, d.score] for d in detections if d.kind == kind])
        widened = [
            to_found([[*d.box.xyxy, d.score] for d in detections if d.kind == other]).widened(MARGIN[other])
            for other in others
        ]
        also_hidden[picture.path] = np.vstack([np.zeros((0, 4)), *widened])
        tell(f"ours, {preset}", number, len(pictures))
    return Contestant(f"ours, {preset}", threshold, found, cpu_s / len(pictures), also_hidden)


def run_peer(name: str, python: str, pictures: Sequence[Annotated]) -> Contestant:
    command = [python, str(Path(__file__).with_name("peers.py")), name, str(FLOOR)]
    found, cpu_s = {}, 0.0
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number, picture in enumerate(pictures, 1):
            process.stdin.write(f"{picture.path}\n")
            process.stdin.flush()
            answer = next((line for line in process.stdout if line.startswith("[")), None)
            if answer is None:
                sys.exit(f"{name} ended; is it installed for {python}?")
            _, rows, seconds = json.loads(answer)
            found[picture.path] = to_found(rows)
            cpu_s += seconds
            tell(name, number, len(pictures))
    return Contestant(name, PEER_THRESHOLDS[name], found, cpu_s / len(pictures))


def tell(name: str, number: int, of: int) -> None:
    if number % 100 == 0 or number == of:
        print(f"{name}: {number} of {of} pictures", file=sys.stderr, flush=True)


def lines_of(contestants: Sequence[Contestant], pictures: Sequence[Annotated], kind: Kind) -> list[str]:
    """Tables in Markdown, one for each group."""
    lines = []
    sizes = [*(f"{low}-{high} px" for low, high in pairwise(HEIGHTS)), f"> {HEIGHTS[-1]} px"]
    for group in sorted({picture.group for picture in pictures}):
        members = [picture for picture in pictures if picture.group == group]
        if any(len(picture.points) for picture in members):
            lines += heads_table(group, members, contestants)
        elif group == "negatives":
            lines += [f"**{group}**: {len(members)} pictures without any", ""]
            lines += ["| | false alarms a picture |", "|---|---|"]
            for each in contestants:
                number = sum(len(each.found[p.path].from_score(each.threshold).boxes) for p in members)
                lines.append(f"| {each.name} | {number / len(members):.2f} |")
        else:
            objects = np.concatenate([picture.boxes for picture in members])
            counts = np.histogram(objects[:, 3] - objects[:, 1], [*HEIGHTS, np.inf])[0]
            lines += [f"**{group}**: {len(members)} pictures, {len(objects)} {kind}s", ""]
            lines.append(f"| | AP | recall | precision | {' | '.join(sizes)} |")
            lines.append("|---" * (4 + len(sizes)) + "|")
            lines += [group_row(each, members, kind) for each in contestants]
            lines.append(f"| *{kind}s of that height* | | | | {' | '.join(f'*{count}*' for count in counts)} |")
        lines.append("")
    lines += ["| | CPU seconds a picture | of deface's |", "|---|---|---|"]
    deface = next((each for each in contestants if each.name == "deface"), None)
    for each in contestants:
        ratio = f"{each.cpu_s / deface.cpu_s:.2f}" if deface else "-"
        lines.append(f"| {each.name} | {each.cpu_s:.3f} | {ratio} |")
    return lines


def group_row(each: Contestant, members: Sequence[Annotated], kind: Kind) -> str:
    scores, is_hit, objects = matched(each, members, kind)
    is_complete = any(picture.is_complete for picture in members)
    ap = f"{average_precision(scores, is_hit, objects):.3f}" if is_complete else "-"
    sure = scores >= each.threshold
    precision = f"{is_hit[sure].mean():.3f}" if is_complete and sure.any() else "-"
    hits = total = 0
    covered, heights = [], []
    for picture in members:
        found = each.found[picture.path].from_score(each.threshold)
        hits += int(match(picture, found, kind)[0].sum())
        total += len(picture.boxes)
        covered.append(is_covered(picture.boxes, found.widened(MARGIN[kind])))
        heights.append(picture.boxes[:, 3] - picture.boxes[:, 1])
    by_height = covered_by_height(np.concatenate(covered), np.concatenate(heights))
    return f"| {each.name} | {ap} | {hits / total:.3f} | {precision} | {' | '.join(by_height)} |"


def covered_by_height(covered: npt.NDArray[np.bool_], heights: npt.NDArray[np.float64]) -> list[str]:
    bins = np.digitize(heights, HEIGHTS[1:])
    shares = [covered[bins == index] for index in range(len(HEIGHTS))]
    return [f"{share.mean():.3f}" if len(share) else "-" for share in shares]


def matched(each: Contestant, members: Sequence[Annotated], kind: Kind) -> tuple[np.ndarray, np.ndarray, int]:
    """In completely annotated pictures: scores of the detections that count, whether they hit, number of objects."""
    scores, hits, objects = [np.zeros(0)], [np.zeros(0, bool)], 0
    for picture in members:
        if picture.is_complete:
            found = each.found[picture.path]
            is_hit, counts = match(picture, found, kind)
            scores.append(found.scores[counts])
            hits.append(is_hit[counts])
            objects += len(picture.boxes)
    return np.concatenate(scores), np.concatenate(hits), objects


def heads_table(group: str, members: Sequence[Annotated], contestants: Sequence[Contestant]) -> list[str]:
    total = sum(len(picture.points) for picture in members)
    lines = [f"**{group}**: {len(members)} pictures, {total} heads", "", "| | heads in a widened box |", "|---|---|"]
    for each in contestants:
        inside = 0
        for picture in members:
            boxes = each.hidden(picture.path)
            points = picture.points[:, np.newaxis, :]
            is_inside = ((points >= boxes[:, :2]) & (points <= boxes[:, 2:])).all(axis=2)
            inside += int(np.any(is_inside, axis=1).sum())
        lines.append(f"| {each.name} | {inside / total:.3f} |")
    return lines


def write_readme(table: str, contestants: Sequence[Contestant], pictures: Sequence[Annotated], kind: Kind) -> None:
    """Puts the tables between the marks in weights/README.md, and the plots beside the other pictures."""
    readme = REPOSITORY / "weights" / "README.md"
    begin, end = f"<!-- accuracy of {kind}s: begin -->", f"<!-- accuracy of {kind}s: end -->"
    text = readme.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        sys.exit(f"{readme} lacks the lines {begin} and {end}")
    pattern = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    readme.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text), encoding="utf-8")
    members = [picture for picture in pictures if len(picture.boxes) and picture.is_complete]
    folder = REPOSITORY / "images" / "accuracy"
    folder.mkdir(exist_ok=True)
    plot_precision_recall(contestants, members, kind, folder / f"{kind}_precision_recall.png")
    plot_heights(contestants, members, kind, folder / f"{kind}_heights.png")


def plot_precision_recall(
    contestants: Sequence[Contestant], members: Sequence[Annotated], kind: Kind, path: Path
) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), dpi=100)
    for each in contestants:
        scores, is_hit, objects = matched(each, members, kind)
        recall, precision = precision_recall(scores, is_hit, objects)
        (line,) = axes.plot(recall, precision, label=each.name)
        at = int((scores >= each.threshold).sum()) - 1
        axes.plot(recall[at], precision[at], "o", color=line.get_color())
    axes.set(xlabel="recall", ylabel="precision", xlim=(0.5, 1), ylim=(0.5, 1.01))
    axes.set_title(f"{kind}s; dots: default thresholds", fontsize=10)
    save(figure, axes, path)


def plot_heights(contestants: Sequence[Contestant], members: Sequence[Annotated], kind: Kind, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), dpi=100)
    heights = np.concatenate([picture.boxes[:, 3] - picture.boxes[:, 1] for picture in members])
    bins = np.digitize(heights, HEIGHTS[1:])
    present = [index for index in range(len(HEIGHTS)) if (bins == index).any()]
    for each in contestants:
        covered = np.concatenate(
            [is_covered(p.boxes, each.found[p.path].from_score(each.threshold).widened(MARGIN[kind])) for p in members]
        )
        axes.plot(present, [covered[bins == index].mean() for index in present], "o-", label=each.name)
    axes.set_xticks(present, [f"from {HEIGHTS[index]}" for index in present])
    axes.set(xlabel=f"height of the {kind}, pixels", ylabel="covered at the default threshold", ylim=(None, 1.005))
    save(figure, axes, path)


def save(figure: Figure, axes: Axes, path: Path) -> None:
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    main()
