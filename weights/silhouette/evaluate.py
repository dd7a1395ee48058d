"""How well silhouettes fit on held-out pictures, as the program draws and hides them.

    python -m weights.silhouette.evaluate weights/silhouette --data DATA/celeba_mask --data DATA/fasseg
    python -m weights.silhouette.evaluate weights/silhouette --data DATA/fasseg --teacher selfie_segmentation.tflite

For each group, means over the heads: intersection over union; the share of labelled skin, ears, hair and hats that is
covered by the network alone, by the ellipse, and by what `--shape silhouette` hides; how much that hides of anything
else, in areas of the head. `lost`: heads that the program hides by the ellipse, since the network does not see them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np

from anonymizer.detect.silhouettes import Crop, Segmenter, SegmenterDescription, describe_segmenters, load_segmenter
from anonymizer.geometry import Box
from anonymizer.redact.frame import mask_detections
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection
from weights.data.labels import FACE, HEAD, IGNORED

from . import data, teach

KIND = "face"
COLUMNS = (
    "IoU",
    "cover alone",
    "cover ellipse",
    "cover silhouette",
    "rest ellipse",
    "rest silhouette",
    "lost",
    "CPU ms",
)


def share_in(segmenter: Segmenter, pixels: np.ndarray, box: Box, context: float) -> np.ndarray:
    """How sure the network is of each pixel of a picture, float32 (H, W); 0 outside of the crop."""
    crop = Crop.around(box, context)
    share = cv2.resize(segmenter.see(crop.of(pixels, segmenter.size)), (crop.side, crop.side))
    height, width = pixels.shape[:2]
    whole = np.zeros((height, width), np.float32)
    top, left = max(0, crop.top), max(0, crop.left)
    bottom, right = min(height, crop.top + crop.side), min(width, crop.left + crop.side)
    whole[top:bottom, left:right] = share[top - crop.top : bottom - crop.top, left - crop.left : right - crop.left]
    return whole


def own_threshold(share: np.ndarray) -> float:
    """A threshold by the distribution of a picture's own probabilities (N. Otsu, 1979), 0 to 1."""
    level, _ = cv2.threshold(np.rint(share * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    return float(level) / 255


def measure(row: data.Row, segmenter: Segmenter, context: float, is_cut: bool, by_own: bool) -> Sequence[float]:
    """The values of `COLUMNS` for one head.

    Args:
        is_cut: the network sees people: what lies far from the face is not of the head.
        by_own: pixels count from the threshold of `own_threshold` on.
    """
    box = Box(*row.box.tolist())
    start_s = time.process_time()
    silhouette = segmenter.silhouette(row.pixels, box, context)
    taken_ms = 1000 * (time.process_time() - start_s)
    share = share_in(segmenter, row.pixels, box, context)
    seen = share >= (own_threshold(share) if by_own else segmenter.threshold)
    if is_cut:
        left, top, right, bottom = teach.widened(row.box, teach.HEAD_OF_FACE)
        rows, columns = np.ogrid[: seen.shape[0], : seen.shape[1]]
        seen &= (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)
    known, head = row.mask != IGNORED, np.isin(row.mask, (HEAD, FACE))
    found = Detection(box, 0.9, KIND, silhouette=silhouette)
    by_ellipse, by_silhouette = (
        mask_detections(row.pixels, [found], RedactSettings(shape=shape)) >= 1 for shape in ("ellipse", "silhouette")
    )
    area = head.sum()
    return [
        (seen & head).sum() / ((seen | head) & known).sum(),
        *((each & head).sum() / area for each in (seen, by_ellipse, by_silhouette)),
        *((each & known & ~head).sum() / area for each in (by_ellipse, by_silhouette)),
        silhouette is None,
        taken_ms,
    ]


def to_table(groups: dict[str, list[data.Row]], segmenter: Segmenter, context: float, is_cut: bool, own: bool) -> str:
    """One row for each group, as Markdown."""
    lines = [f"| group | heads | {' | '.join(COLUMNS)} |", "|---|---|" + "---|" * len(COLUMNS)]
    for name, rows in sorted(groups.items()):
        values = np.array([measure(row, segmenter, context, is_cut, own) for row in rows], float)
        means = [*values[:, :6].mean(axis=0), values[:, 6].sum(), np.median(values[:, 7])]
        cells = [*(f"{mean:.3f}" for mean in means[:6]), f"{means[6]:.0f}", f"{means[7]:.1f}"]
        lines.append(f"| {name} | {len(rows)} | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data", "packs", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--teacher", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Measure it, too.")
@click.option("--own-threshold", is_flag=True, help="Pixels count from each picture's own threshold on (Otsu).")
@click.option("--most", default=200, show_default=True, help="So many heads of each group.")
def main(folder: Path, packs: tuple[Path, ...], teacher: Path | None, own_threshold: bool, most: int) -> None:
    """Measure the network in FOLDER, which holds a segmenter.yaml, on the held-out part of packs."""
    cv2.setNumThreads(1)
    rows = [row for pack in packs for row in data.read_pack(pack, "held_out", largest=1024)]
    groups = {name: of_group[:most] for name, of_group in data.by_group(rows).items()}
    (described,) = [one for one in describe_segmenters(folder.parent) if one.path.parent.name == folder.name]
    click.echo(f"{described.name}\n")
    click.echo(to_table(groups, load_segmenter(described), described.contexts[KIND], False, own_threshold))
    if teacher:
        taught = SegmenterDescription("teacher", teacher, "", {KIND: teach.CONTEXT}, 0.5, 255.0, "", "")
        click.echo("\nteacher, cut to the head\n")
        click.echo(to_table(groups, load_segmenter(taught), teach.CONTEXT, True, own_threshold))


if __name__ == "__main__":
    main()
