"""Training the detector from random weights, or from given ones.

``python -m weights.plate.train --data PACK --negatives DIR --fonts DIR --out RUN``; run it again to resume.
``--smoke`` needs no data.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import click
import cv2
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

from . import augment, data, evaluate, mine, render
from .model import STRIDES, WIDTHS, Serving, build

Example = tuple[np.ndarray, list[np.ndarray]]
"""Pixels uint8 (S, S, 3), and the targets of each level."""
Batch = tuple[int, np.ndarray, list[np.ndarray]]
"""Step, pixels uint8 (B, S, S, 3), targets of each level."""

SAVE_EVERY = 250
"""Steps between checkpoints."""
TALL = 1.5
TALL_WEIGHT = 3


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a training run."""

    steps: int = 13000
    batch: int = 8
    size: int = 384
    """Side of a view in the second half of the steps, pixels."""
    first_size: int = 256
    """The same in the first half. After that, the training data are looked through with the weights so far."""
    rate: float = 1.2e-3
    warmup: int = 300
    decay: float = 0.02
    ema: float = 0.9995
    box_weight: float = 2.0
    width: str = "small"
    until: int = 0
    """Step to stop at, while the rate falls as for all steps; 0 for all of them."""
    seed: int = 0
    bfloat16: bool = False
    validate_every: int = 3000


@dataclasses.dataclass
class Sources:
    """What examples are drawn from. ``hard`` pairs a negative's index with the box of a false alarm.

    Pictures with a plate less than ``TALL`` times as wide as high, as on motorcycles, are drawn ``TALL_WEIGHT`` times
    as often as others.
    """

    plates: list[data.Sample]
    negatives: list[data.Sample]
    hard: list[tuple[int, np.ndarray]]
    bank: render.Bank

    def __post_init__(self) -> None:
        weights = [TALL_WEIGHT if _is_tall(sample) else 1 for sample in self.plates]
        self._places = np.repeat(np.arange(len(weights)), weights)

    def example(self, rng: np.random.Generator, size: int) -> Example:
        """Draw one example: uint8 pixels (S, S, 3) and the targets of every level."""
        if rng.random() < 0.3:
            view = augment.mosaic([self._view(rng, size // 2) for _ in range(4)])
        else:
            view = self._view(rng, size)
        if rng.random() < 0.12 and not len(view.boxes):
            render.lettering(rng, self.bank.fonts, view.pixels)
        pixels = augment.wear(rng, view.pixels)
        return pixels, augment.targets(view.boxes, view.ignore, size)

    def _view(self, rng: np.random.Generator, size: int) -> augment.View:
        """A picture with plates (58 %), a picture without (32 %), or drawn things alone."""
        choice = rng.random()
        if self.plates and choice < 0.58:
            sample = self.plates[self._places[rng.integers(len(self._places))]]
            view = augment.look(rng, sample, size, at_plate=rng.random() < 0.92)
            if rng.random() < 0.4:
                view = augment.swap_plates(rng, view, self.bank)
            if rng.random() < 0.25:
                augment.add_signs(rng, view, self.bank, 2)
            return view
        if self.negatives and choice < 0.9:
            view = self._negative(rng, size)
            if rng.random() < 0.35:
                augment.add_signs(rng, view, self.bank, 4)
            return augment.add_plate(rng, view, self.bank) if rng.random() < 0.22 else view
        return self._drawn(rng, size)

    def _negative(self, rng: np.random.Generator, size: int) -> augment.View:
        if self.hard and rng.random() < 0.5:
            index, box = self.hard[rng.integers(len(self.hard))]
            sample = dataclasses.replace(self.negatives[index], boxes=box[None], ignore=np.zeros(1, bool))
            view = augment.look(rng, sample, size, at_plate=True)
            return augment.View(view.pixels, np.zeros((0, 4), np.float32), np.zeros(0, bool))
        return augment.look(rng, self.negatives[rng.integers(len(self.negatives))], size, at_plate=False)

    def _drawn(self, rng: np.random.Generator, size: int) -> augment.View:
        """Signs, and sometimes a plate, over a blurred ground of random colours or of a negative."""
        if self.negatives and rng.random() < 0.5:
            pixels = augment.look(rng, self.negatives[rng.integers(len(self.negatives))], size, False).pixels
        else:
            cells = int(rng.integers(2, 12))
            ground = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
            pixels = cv2.resize(ground, (size, size), interpolation=cv2.INTER_CUBIC)
        view = augment.View(np.ascontiguousarray(pixels), np.zeros((0, 4), np.float32), np.zeros(0, bool))
        if rng.random() < (0.25 if self.plates else 0.8):
            view = augment.add_plate(rng, view, self.bank)
        augment.add_signs(rng, view, self.bank, 6)
        return view


def _is_tall(sample: data.Sample) -> bool:
    width, height = (sample.boxes[~sample.ignore][:, 2:] - sample.boxes[~sample.ignore][:, :2]).T
    return bool((width < TALL * height).any())


def batches(sources: Sources, settings: Settings, size: int, first: int, last: int, threads: int) -> Iterator[Batch]:
    """Yield (step, pixels uint8 (B, S, S, 3), targets per level) from step ``first`` to the one before ``last``.

    Every example is drawn from a generator seeded by the run's seed, the step and its place in the batch,
    so a resumed run sees what an uninterrupted one would have seen.
    """

    def one(step: int, place: int) -> Example:
        rng = np.random.default_rng([settings.seed, step, place])
        return sources.example(rng, size)

    with ThreadPoolExecutor(threads) as pool:
        ahead: list[list[Future[Example]]] = []
        for step in range(first, last + 3):
            ahead.append([pool.submit(one, step, place) for place in range(settings.batch)])
            if len(ahead) < 4:
                continue
            examples = [future.result() for future in ahead.pop(0)]
            pixels = np.stack([example[0] for example in examples])
            levels = [np.stack([example[1][i] for example in examples]) for i in range(len(STRIDES))]
            yield step - 3, pixels, levels


def losses(outputs: list[tf.Tensor], targets: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Focal loss of the heat maps (CenterNet) and generalised-IoU loss of the boxes, per plate."""
    heat_loss, box_loss, plates = 0.0, 0.0, 0.0
    for raw, target in zip(outputs, targets, strict=True):
        logit, heat = raw[..., 0], target[..., 0]
        score = tf.sigmoid(logit)
        middle = tf.cast(heat > 0.999, tf.float32)
        hit = middle * (1 - score) ** 2 * tf.nn.softplus(-logit)
        miss = (1 - middle) * target[..., 1] * (1 - heat) ** 4 * score**2 * tf.nn.softplus(logit)
        heat_loss += tf.reduce_sum(hit + miss)
        plates += tf.reduce_sum(middle)
        box_loss += tf.reduce_sum(target[..., 2] * (1 - _giou(raw[..., 1:], target[..., 3:])))
    plates = tf.maximum(plates, 4.0)
    return heat_loss / plates, box_loss / plates


def _giou(ours: tf.Tensor, theirs: tf.Tensor) -> tf.Tensor:
    """Generalised IoU (Rezatofighi et al. 2019) of boxes given as distances from one shared point."""
    least, most = tf.minimum(ours, theirs), tf.maximum(ours, theirs)

    def area(sides: tf.Tensor) -> tf.Tensor:
        return (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3])

    shared, hull = area(least), area(most)
    union = area(ours) + area(theirs) - shared
    return shared / tf.maximum(union, 1e-6) - (hull - union) / tf.maximum(hull, 1e-6)


class Trainer:
    """The network, its optimizer and the running mean of its weights."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        keras.utils.set_random_seed(settings.seed)
        keras.config.set_dtype_policy("mixed_bfloat16" if settings.bfloat16 else "float32")
        self.network = build(WIDTHS[settings.width])
        keras.config.set_dtype_policy("float32")
        self.mean_network = build(WIDTHS[settings.width])
        self.mean_network.set_weights(self.network.get_weights())
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            settings.steps - settings.warmup,
            alpha=0.01,
            warmup_target=settings.rate,
            warmup_steps=settings.warmup,
        )
        self.optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.decay, clipnorm=10.0)
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.network.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64)
        self.serving = Serving(self.mean_network)

    def run(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        """Find plates with the mean weights, as ``Serving`` does."""
        return {name: value.numpy() for name, value in self.serving(tf.constant(picture)).items()}

    @tf.function  # type: ignore[untyped-decorator]
    def train(self, pixels: tf.Tensor, targets: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """One step; returns the heat loss and the box loss."""
        with tf.GradientTape() as tape:
            outputs = self.network(tf.cast(pixels, tf.float32), training=True)
            heat, box = losses(outputs, targets)
            total = heat + self.settings.box_weight * box
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(total, variables), variables)
        done = tf.cast(self.step, tf.float32)
        keep = tf.minimum(self.settings.ema, (1.0 + done) / (10.0 + done))
        for mean, now in zip(self.mean_network.weights, self.network.weights, strict=True):
            mean.assign(keep * mean + (1 - keep) * tf.cast(now, mean.dtype))
        self.step.assign_add(1)
        return heat, box

    def checkpoint(self, folder: pathlib.Path) -> tf.train.CheckpointManager:
        state = tf.train.Checkpoint(
            network=self.network, mean=self.mean_network, optimizer=self.optimizer, step=self.step
        )
        return tf.train.CheckpointManager(state, str(folder), max_to_keep=2)


def _apart(rows: list[data.Row], samples: list[data.Sample], tests: tuple[pathlib.Path, ...], what: str) -> np.ndarray:
    """Tell which pictures look like none of a test pack, and which negatives repeat no other, bool (n,)."""
    own = {row.path.resolve() for row in rows}
    marks = np.array([data.fingerprint(np.asarray(sample.levels[0])) for sample in samples], bool).reshape(-1, 256)
    keep = np.ones(len(rows), bool)
    for test in tests:
        others = data.fingerprints([row for row in data.read_pack(test) if row.path.resolve() not in own])
        keep &= data.unlike(marks, others)
    doubles = int((~keep).sum())
    if what == "negatives":
        for i in range(len(rows)):
            keep[i] &= bool(data.unlike(marks[i : i + 1], marks[:i][keep[:i]])[0])
    click.echo(f"{what}: {keep.sum()} of {len(rows)} kept, {doubles} left out as like a test picture")
    return keep


def gather(
    packs: tuple[pathlib.Path, ...],
    folders: tuple[pathlib.Path, ...],
    tests: tuple[pathlib.Path, ...],
    skip: set[str],
    bank: render.Bank,
    max_side: int = 1280,
    cache: pathlib.Path | None = None,
) -> tuple[Sources, list[data.Sample], list[data.Sample]]:
    """Read everything into memory; returns what to train on, held-out plate pictures, held-out negatives."""
    parts: dict[tuple[str, bool], list[data.Sample]] = {}
    for what, rows in (
        ("plate pictures", [row for pack in packs for row in data.read_pack(pack)]),
        ("negatives", [row for folder in folders for row in data.read_negatives(folder, skip)]),
    ):
        samples = data.load_all(rows, max_side, cache=cache)
        for row, sample, good in zip(rows, samples, _apart(rows, samples, tests, what), strict=True):
            if good:
                parts.setdefault((what, data.is_held_out(row)), []).append(sample)
    plates, negatives = (parts.get((what, False), []) for what in ("plate pictures", "negatives"))
    held, held_negatives = (parts.get((what, True), []) for what in ("plate pictures", "negatives"))
    return Sources(plates, negatives, [], bank), held, held_negatives


def with_mined(sources: Sources, notes: mine.Places) -> Sources:
    """Ignore unlabelled plates and learn from hard places, as ``mine.look_through`` wrote them down."""
    plates = []
    for sample in sources.plates:
        boxes = mine.boxes_of(notes["ignore"], sample)
        ignore = np.concatenate([sample.ignore, np.ones(len(boxes), bool)])
        plates.append(dataclasses.replace(sample, boxes=np.concatenate([sample.boxes, boxes]), ignore=ignore))
    hard = [(i, box) for i, sample in enumerate(sources.negatives) for box in mine.boxes_of(notes["hard"], sample)]
    return dataclasses.replace(sources, plates=plates, hard=hard)


def quality(figures: evaluate.Figures) -> float:
    """One number to compare checkpoints: plates covered at 0.3 less twice the false alarms there."""
    at = figures["0.3"]
    return (at["covered"] or 0.0) - 2 * (at["false_alarms"] or 0.0)


def fit(
    trainer: Trainer,
    sources: Sources,
    held: list[data.Sample],
    held_negatives: list[data.Sample],
    out: pathlib.Path,
    threads: int,
    echo: Callable[[str], None] = click.echo,
) -> None:
    """Train up to the step that the settings name, from the last checkpoint where there is one."""
    settings = trainer.settings
    out.mkdir(parents=True, exist_ok=True)
    (out / "settings.json").write_text(json.dumps(dataclasses.asdict(settings), indent=1))
    manager = trainer.checkpoint(out / "checkpoints")
    if manager.latest_checkpoint:
        manager.checkpoint.restore(manager.latest_checkpoint).expect_partial()
        echo(f"resumed at step {int(trainer.step)}")
    every = max(1, min(50, settings.steps // 4))
    half, end = settings.steps // 2, settings.until or settings.steps
    for last, size in ((min(half, end), settings.first_size), (end, settings.size)):
        first = int(trainer.step)
        if first >= last:
            continue
        if first >= half or (out / "mined.json").is_file():
            sources = with_mined(sources, _mined(trainer, sources, out, echo))
        start, sums = time.perf_counter(), np.zeros(2)
        for step, pixels, levels in batches(sources, settings, size, first, last, threads):
            sums += [float(value) for value in trainer.train(tf.constant(pixels), [tf.constant(t) for t in levels])]
            if (step + 1) % every == 0:
                spent = (time.perf_counter() - start) / (step + 1 - first)
                heat, box = sums / every
                with (out / "loss.csv").open("a", newline="") as file:
                    csv.writer(file).writerow([step + 1, f"{heat:.4f}", f"{box:.4f}", f"{spent:.3f}"])
                echo(f"step {step + 1}  heat {heat:.4f}  box {box:.4f}  {spent:.2f} s/step")
                sums[:] = 0
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == last:
                manager.save()
            if (step + 1) % settings.validate_every == 0 or step + 1 == end:
                _validate(trainer, held, held_negatives, out, step + 1, echo)
    trainer.mean_network.save_weights(out / "last.weights.h5")


def _mined(trainer: Trainer, sources: Sources, out: pathlib.Path, echo: Callable[[str], None]) -> mine.Places:
    """Look through the training data with the weights so far, once a run."""
    notes = out / "mined.json"
    if not notes.is_file():
        found = mine.look_through(trainer.run, sources.plates, sources.negatives, out)
        echo("  ".join(f"{kind}: {sum(map(len, places.values()))} places" for kind, places in found.items()))
        notes.write_text(json.dumps(found))
    read: mine.Places = json.loads(notes.read_text())
    return read


def _validate(
    trainer: Trainer,
    held: list[data.Sample],
    held_negatives: list[data.Sample],
    out: pathlib.Path,
    step: int,
    echo: Callable[[str], None],
) -> None:
    trainer.mean_network.save_weights(out / f"step{step}.weights.h5")
    if not held:
        return

    figures = evaluate.validate(trainer.run, held, held_negatives)
    with (out / "validation.jsonl").open("a") as file:
        file.write(json.dumps({"step": step, "quality": round(quality(figures), 4), "figures": figures}) + "\n")
    echo(f"step {step}  validation quality {quality(figures):.4f}  {figures['0.3']}")


def plot(out: pathlib.Path) -> None:
    """Draw the losses and the validation figures of a run to ``training.png``."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = np.loadtxt(out / "loss.csv", delimiter=",", ndmin=2)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4))
    left.plot(rows[:, 0], rows[:, 1], label="heat map (focal)")
    left.plot(rows[:, 0], rows[:, 2], label="boxes (1 - GIoU)")
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    left.legend()
    if (out / "validation.jsonl").is_file():
        entries = [json.loads(line) for line in (out / "validation.jsonl").read_text().splitlines()]
        steps = [entry["step"] for entry in entries]
        right.plot(steps, [entry["figures"]["0.3"]["covered"] for entry in entries], "o-", label="plates covered")
        alarms = [entry["figures"]["0.3"]["false_alarms"] for entry in entries]
        right.plot(steps, alarms, "o-", label="false alarms a negative picture")
        right.set(xlabel="step", ylabel="validation at threshold 0.3", ylim=(0, 1))
        right.legend()
    figure.tight_layout()
    figure.savefig(out / "training.png", dpi=100)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=pathlib.Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)
_PATH = click.Path(path_type=pathlib.Path)


@click.command()
@click.option("--data", "packs", multiple=True, type=_FOLDER, help="Pack of annotated pictures to learn from.")
@click.option("--negatives", multiple=True, type=_FOLDER, help="Folder or pack of pictures without plates.")
@click.option("--skip", type=_FILE, help="File names to leave out, one a line.")
@click.option("--exclude", multiple=True, type=_FOLDER, help="Test pack: leave out near-duplicates of its pictures.")
@click.option("--fonts", multiple=True, type=_FOLDER, help="Folder of fonts for drawn plates and signs.")
@click.option("--init", type=_FILE, help="Weights to start from.")
@click.option("--out", type=click.Path(path_type=pathlib.Path), default="run", show_default=True)
@click.option("--steps", default=Settings.steps, show_default=True)
@click.option("--until", default=Settings.until, help="Stop at this step, while the rate falls as for all --steps.")
@click.option("--batch", default=Settings.batch, show_default=True)
@click.option("--size", default=Settings.size, show_default=True, help="Side of a training view, pixels.")
@click.option("--first-size", default=Settings.first_size, show_default=True, help="The same in the first half.")
@click.option("--rate", default=Settings.rate, show_default=True, help="Highest learning rate.")
@click.option("--width", type=click.Choice(list(WIDTHS)), default=Settings.width, show_default=True)
@click.option("--seed", default=Settings.seed, show_default=True)
@click.option("--validate-every", default=Settings.validate_every, show_default=True)
@click.option("--bfloat16", is_flag=True, help="Compute in bfloat16 where the processor does it faster.")
@click.option("--max-side", default=1280, show_default=True, help="Pictures are shrunk to that many pixels.")
@click.option("--cache", type=_PATH, help="Folder for decoded pictures: they are mapped into memory, not held in it.")
@click.option("--threads", default=2, show_default=True, help="Threads that prepare examples.")
@click.option("--smoke", is_flag=True, help="A few steps of a tiny network, on drawn pictures if none are given.")
def main(
    packs: tuple[pathlib.Path, ...],
    negatives: tuple[pathlib.Path, ...],
    skip: pathlib.Path | None,
    exclude: tuple[pathlib.Path, ...],
    fonts: tuple[pathlib.Path, ...],
    init: pathlib.Path | None,
    out: pathlib.Path,
    max_side: int,
    cache: pathlib.Path | None,
    threads: int,
    smoke: bool,
    **options: Any,
) -> None:
    """Train the plate detector; run again with the same --out to resume."""
    cv2.setNumThreads(1)
    settings = Settings(**options)
    if smoke:
        settings = Settings(
            steps=8, batch=4, size=128, first_size=128, warmup=2, width="tiny", validate_every=8, seed=options["seed"]
        )
    elif not packs:
        raise click.UsageError("--data is needed (or --smoke)")
    stock = {"plates": 40, "signs": 40} if smoke else {}
    bank = render.bank(settings.seed, render.Fonts(fonts), **stock)
    skipped = set(skip.read_text().split()) if skip else set()
    sources, held, held_negatives = gather(packs, negatives, exclude, skipped, bank, max_side, cache)
    click.echo(
        f"{len(sources.plates)} pictures with plates, {len(sources.negatives)} without, "
        f"{len(sources.hard)} hard places; held out: {len(held)} and {len(held_negatives)}"
    )
    trainer = Trainer(settings)
    if init:
        trainer.mean_network.load_weights(init)
        trainer.network.set_weights(trainer.mean_network.get_weights())
    fit(trainer, sources, held, held_negatives, out, threads)
    plot(out)


if __name__ == "__main__":
    main()
