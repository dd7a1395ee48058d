"""What the trainings of the recipes have in common: examples made ahead, steps, a running mean of the weights,
checkpoints, and a line of losses now and then.

A recipe brings its network, its examples and its losses.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click
import cv2
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

Example = tuple[np.ndarray, np.ndarray]
"""Pixels, uint8 (S, S, C), and the answer to them, float32."""
Batch = tuple[int, np.ndarray, np.ndarray]
"""Step, and the examples of it, stacked."""
SAVE_EVERY_SECONDS = 120
_AHEAD = 2
"""So many batches are made while a step is taken."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a training run; recipes add their own."""

    steps: int
    batch: int
    rate: float
    """Highest step. It rises to this during the warm-up, and falls to a fiftieth by a cosine."""
    warmup: int
    mean: float
    """Weight of the past in the running mean of the weights."""
    clip: float
    """Gradients are cut to this norm, all together."""
    seed: int = 0
    until: int = 0
    """Step to stop at, while the rate falls as for all steps; 0 for all of them."""

    @property
    def last(self) -> int:
        return self.until or self.steps


def batches(
    examples: Callable[[np.random.Generator], Sequence[Example]], a_call: int, settings: Settings, first: int
) -> Iterator[Batch]:
    """Yield batches from step `first` on.

    Examples come from generators seeded by the run's seed, the step and the place in the batch, so a resumed run sees
    what an uninterrupted one would have seen.

    Args:
        a_call: how many examples a call makes.
    """

    def made_for(step: int, place: int) -> Sequence[Example]:
        return examples(np.random.default_rng([settings.seed, step, place]))

    with ThreadPoolExecutor(1) as pool:
        ahead: list[list[Future[Sequence[Example]]]] = []
        for step in range(first, settings.last + _AHEAD):
            ahead.append([pool.submit(made_for, step, place) for place in range(settings.batch // a_call)])
            if len(ahead) > _AHEAD:
                made = [example for future in ahead.pop(0) for example in future.result()]
                yield step - _AHEAD, np.stack([pixels for pixels, _ in made]), np.stack([answer for _, answer in made])


class Trainer:
    """A network, its optimizer and the running mean of its weights."""

    def __init__(
        self,
        network: keras.Model,
        mean_network: keras.Model,
        losses: Callable[[tf.Tensor, tf.Tensor], Sequence[tf.Tensor]],
        weights: Mapping[str, float],
        settings: Settings,
    ) -> None:
        """
        Args:
            mean_network: another one of the same kind, that takes up the mean; it begins with the same weights.
            losses: of what the network answers, and what it should.
            weights: how much each of these counts, by its name.
        """
        self.network, self.mean_network, self.settings = network, mean_network, settings
        self.names = tuple(weights)
        self._losses, self._weights = losses, tuple(weights.values())
        mean_network.set_weights(network.get_weights())
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, settings.steps - settings.warmup),
            alpha=0.02,
            warmup_target=settings.rate,
            warmup_steps=settings.warmup,
        )
        self.optimizer = keras.optimizers.Adam(rate, global_clipnorm=settings.clip)
        self.optimizer.build(network.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64)

    @tf.function  # type: ignore[untyped-decorator]
    def train(self, pixels: tf.Tensor, answer: tf.Tensor) -> tf.Tensor:
        """One step; returns the losses, float32."""
        with tf.GradientTape() as tape:
            parts = self._losses(self.network(tf.cast(pixels, tf.float32), training=True), answer)
            total = tf.add_n([weight * part for weight, part in zip(self._weights, parts, strict=True)])
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


def fit(trainer: Trainer, batches_from: Callable[[int], Iterable[Batch]], out: Path) -> None:
    """Train up to the step that the settings name, from the last checkpoint where there is one.

    SIGTERM ends it early, with a checkpoint. `loss.csv` in `out`: step, the losses, seconds a step; `last.weights.h5`:
    the running mean.

    Args:
        batches_from: the batches from a step on.
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
    sums = np.zeros(len(trainer.names))
    for step, pixels, answer in batches_from(int(trainer.step)):
        sums += trainer.train(tf.constant(pixels), tf.constant(answer)).numpy()
        now = time.perf_counter()
        if (step + 1) % every == 0:
            means, seconds = [f"{loss:.4f}" for loss in sums / every], f"{(now - start) / every:.3f}"
            with (out / "loss.csv").open("a", newline="") as file:
                csv.writer(file).writerow([step + 1, *means, seconds])
            told = "  ".join(f"{name} {mean}" for name, mean in zip(trainer.names, means, strict=True))
            click.echo(f"step {step + 1}  {told}  {seconds} s/step")
            sums[:], start = 0, now
        if now - saved > SAVE_EVERY_SECONDS:
            save()
            saved = now
        if is_stopped.is_set():
            break
    save()


def limit_threads(threads: int) -> None:
    """How many threads TensorFlow computes with; OpenCV has one. Call it before anything is computed."""
    cv2.setNumThreads(1)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
