"""Training the silhouette model.

    python -m weights.silhouette.train --data PACK --data PACK --scenes PICTURES --out RUN

Run it again to resume.
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
import tensorflow as tf

from . import augment, data
from .network import SIZE, build

SAVE_EVERY_SECONDS = 120
SHARES = {"celeba_mask": 0.6, "fasseg/V2": 0.03, "fasseg/V3": 0.12}
"""How often pictures of a group are drawn; the others share the rest by their number of pictures."""
SCENES = 600
"""So many scenes are kept in memory, drawn from all."""
SCENE_SIDE = 320


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a training run."""

    steps: int = 4000
    batch: int = 16
    size: int = SIZE
    channels: int = 3
    """1: gray, as with --size 256 in the segmentation system that this model follows."""
    rate: float = 2e-3
    warmup: int = 100
    mean: float = 0.995
    """Weight of the past in the running mean of the weights."""
    dice_weight: float = 0.5
    seed: int = 0
    until: int = 0
    """Step to stop at, while the rate falls as for all steps; 0 for all of them."""


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
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield (step, pixels uint8 (B, S, S, C), answers float32 (B, S, S, 2)) from step `first` on.

    Examples come from generators seeded by the run's seed, the step and the place in the batch, so a resumed run sees
    what an uninterrupted one would have seen.
    """
    groups = data.by_group(rows)
    names, shares = sorted(groups), shares_of(groups)

    def one(step: int, place: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([settings.seed, step, place])
        group = groups[names[rng.choice(len(names), p=shares)]]
        row = group[rng.integers(len(group))]
        return augment.example(rng, row, rows, scenes, settings.size, settings.channels)

    with ThreadPoolExecutor(1) as pool:
        ahead: list[list[Future[tuple[np.ndarray, np.ndarray]]]] = []
        for step in range(first, (settings.until or settings.steps) + 2):
            ahead.append([pool.submit(one, step, place) for place in range(settings.batch)])
            if len(ahead) == 3:
                made = [future.result() for future in ahead.pop(0)]
                yield step - 2, np.stack([pixels for pixels, _ in made]), np.stack([answer for _, answer in made])


def losses(logits: tf.Tensor, answer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Cross entropy a pixel, and the Dice loss a crop (Milletari et al. 2016), where anything is known."""
    target, known = answer[..., 0], answer[..., 1]
    each = tf.nn.sigmoid_cross_entropy_with_logits(target, logits[..., 0])
    entropy = tf.reduce_sum(each * known) / tf.maximum(tf.reduce_sum(known), 1.0)
    share = tf.sigmoid(logits[..., 0]) * known
    shared = tf.reduce_sum(share * target, axis=(1, 2))
    both = tf.reduce_sum(share, axis=(1, 2)) + tf.reduce_sum(target * known, axis=(1, 2))
    return entropy, tf.reduce_mean(1 - (2 * shared + 1) / (both + 1))


class Trainer:
    """The network, its optimizer and the running mean of its weights."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        keras.utils.set_random_seed(settings.seed)
        self.network, self.mean_network = (build(settings.size, settings.channels) for _ in range(2))
        self.mean_network.set_weights(self.network.get_weights())
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, settings.steps - settings.warmup),
            alpha=0.02,
            warmup_target=settings.rate,
            warmup_steps=settings.warmup,
        )
        self.optimizer = keras.optimizers.Adam(rate, global_clipnorm=5.0)
        self.optimizer.build(self.network.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64)

    @tf.function  # type: ignore[untyped-decorator]
    def train(self, pixels: tf.Tensor, answer: tf.Tensor) -> tf.Tensor:
        """One step; returns the two losses, float32 (2,)."""
        with tf.GradientTape() as tape:
            parts = losses(self.network(tf.cast(pixels, tf.float32), training=True), answer)
            total = parts[0] + self.settings.dice_weight * parts[1]
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


def fit(trainer: Trainer, rows: Sequence[data.Row], scenes: Sequence[np.ndarray], out: Path) -> None:
    """Train up to the step that the settings name, from the last checkpoint where there is one.

    SIGTERM ends it early, with a checkpoint. `loss.csv` in `out`: step, the two losses, seconds a step;
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
    sums = np.zeros(2)
    for step, pixels, answer in batches(rows, scenes, settings, int(trainer.step)):
        sums += trainer.train(tf.constant(pixels), tf.constant(answer)).numpy()
        now = time.perf_counter()
        if (step + 1) % every == 0:
            line = [step + 1, *(f"{loss:.4f}" for loss in sums / every), f"{(now - start) / every:.3f}"]
            with (out / "loss.csv").open("a", newline="") as file:
                csv.writer(file).writerow(line)
            click.echo("step {}  entropy {}  dice {}  {} s/step".format(*line))
            sums[:], start = 0, now
        if now - saved > SAVE_EVERY_SECONDS:
            save()
            saved = now
        if is_stopped.is_set():
            break
    save()


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
    cv2.setNumThreads(1)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    settings = Settings(**options)
    largest = data.LARGEST * settings.size // SIZE
    rows = [row for pack in packs for row in data.read_pack(pack, "train", largest)]
    counts = {group: len(of_group) for group, of_group in sorted(data.by_group(rows).items())}
    click.echo(f"{len(rows)} heads: {counts}")
    trainer = Trainer(settings)
    if init:
        for network in (trainer.network, trainer.mean_network):
            network.load_weights(init)
    fit(trainer, rows, read_scenes(scenes, settings.size) if scenes else [], out)


if __name__ == "__main__":
    main()
