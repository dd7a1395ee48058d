"""Training the silhouette model.

    python -m weights.silhouette.train --data PACK --data PACK --scenes PICTURES --out RUN

Run it again to resume.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import keras
import numpy as np
import tensorflow as tf

from weights import training

from . import augment, data
from .network import SIZE, build

SHARES = {"celeba_mask": 0.6, "fasseg/V2": 0.03, "fasseg/V3": 0.12}
"""How often pictures of a group are drawn; the others share the rest by their number of pictures."""
SCENES = 600
"""So many scenes are kept in memory, drawn from all."""
SCENE_SIDE = 320


@dataclasses.dataclass(frozen=True)
class Settings(training.Settings):
    """What decides a training run."""

    steps: int = 16000
    batch: int = 16
    rate: float = 2e-3
    warmup: int = 100
    mean: float = 0.995
    clip: float = 5.0
    size: int = SIZE
    """Side of a crop. Pixels."""
    channels: int = 3
    """1: gray, as with --size 256 in the segmentation system that this model follows."""
    dice_weight: float = 0.5


def read_scenes(folder: Path, size: int) -> list[np.ndarray]:
    """Pictures below a folder, shrunk, uint8 RGB, each side at least that of a crop."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = np.random.default_rng(0).permutation(len(files))[:SCENES]
    found = []
    for index in chosen:
        pixels = cv2.imread(str(files[index]), cv2.IMREAD_REDUCED_COLOR_2)
        if pixels is None:
            continue
        scale = max(SCENE_SIDE / max(pixels.shape[:2]), (size + 1) / min(pixels.shape[:2]))
        found.append(np.ascontiguousarray(cv2.resize(pixels, None, fx=scale, fy=scale)[:, :, ::-1]))
    return found


def shares_of(groups: dict[str, list[data.Row]]) -> np.ndarray:
    """How often each group is drawn, in the order of their names; they add up to 1."""
    names = sorted(groups)
    rest = {name: len(groups[name]) for name in names if name not in SHARES}
    left = max(0.0, 1 - sum(SHARES.get(name, 0.0) for name in names))
    shares = [SHARES[name] if name in SHARES else left * rest[name] / sum(rest.values()) for name in names]
    return np.asarray(shares) / sum(shares)


def batches(
    rows: Sequence[data.Row], scenes: Sequence[np.ndarray], settings: Settings, first: int
) -> Iterator[training.Batch]:
    """Pixels, uint8 (B, S, S, C), and answers, float32 (B, S, S, 2), from step `first` on; see `training.batches`."""
    groups = data.by_group(rows)
    names, shares = sorted(groups), shares_of(groups)

    def one(rng: np.random.Generator) -> list[training.Example]:
        group = groups[names[rng.choice(len(names), p=shares)]]
        row = group[rng.integers(len(group))]
        return [augment.example(rng, row, rows, scenes, settings.size, settings.channels)]

    return training.batches(one, 1, settings, first)


def losses(logits: tf.Tensor, answer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Cross entropy a pixel, and the Dice loss a crop (Milletari et al. 2016), where anything is known."""
    target, known = answer[..., 0], answer[..., 1]
    each = tf.nn.sigmoid_cross_entropy_with_logits(target, logits[..., 0])
    entropy = tf.reduce_sum(each * known) / tf.maximum(tf.reduce_sum(known), 1.0)
    share = tf.sigmoid(logits[..., 0]) * known
    shared = tf.reduce_sum(share * target, axis=(1, 2))
    both = tf.reduce_sum(share, axis=(1, 2)) + tf.reduce_sum(target * known, axis=(1, 2))
    return entropy, tf.reduce_mean(1 - (2 * shared + 1) / (both + 1))


def make_trainer(settings: Settings, init: Path | None = None) -> training.Trainer:
    """
    Args:
        init: weights to start from.
    """
    keras.utils.set_random_seed(settings.seed)
    network, mean_network = (build(settings.size, settings.channels) for _ in range(2))
    if init:
        network.load_weights(init)
    return training.Trainer(network, mean_network, losses, {"entropy": 1.0, "dice": settings.dice_weight}, settings)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--data", "packs", multiple=True, required=True, type=_FOLDER, help="Pack with masks.")
@click.option("--scenes", type=_FOLDER, help="Folder with pictures that heads are pasted on.")
@click.option(
    "--init",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights of an earlier training, to start from.",
)
@click.option("--out", type=click.Path(path_type=Path), default="run", show_default=True)
@click.option("--steps", default=Settings.steps, show_default=True)
@click.option("--until", default=Settings.until, help="Stop at this step, while the rate falls as for all --steps.")
@click.option("--batch", default=Settings.batch, show_default=True)
@click.option("--size", default=Settings.size, show_default=True, help="Side of a crop, pixels, a multiple of 32.")
@click.option("--channels", default=Settings.channels, show_default=True, help="3 for RGB, 1 for gray.")
@click.option("--rate", default=Settings.rate, show_default=True, help="Highest step.")
@click.option("--warmup", default=Settings.warmup, show_default=True)
@click.option("--seed", default=Settings.seed, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(
    packs: tuple[Path, ...], scenes: Path | None, init: Path | None, out: Path, threads: int, **options: Any
) -> None:
    """Train the silhouette model; run again with the same --out to resume."""
    training.limit_threads(threads)
    settings = Settings(**options)
    largest = data.LARGEST * settings.size // SIZE
    rows = [row for pack in packs for row in data.read_pack(pack, "train", largest)]
    counts = {group: len(of_group) for group, of_group in sorted(data.by_group(rows).items())}
    click.echo(f"{len(rows)} heads: {counts}")
    trainer = make_trainer(settings, init)
    pasted_on = read_scenes(scenes, settings.size) if scenes else []
    training.fit(trainer, lambda first: batches(rows, pasted_on, settings, first), out)


if __name__ == "__main__":
    main()
