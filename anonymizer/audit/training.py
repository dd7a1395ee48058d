"""Trains the network that brings faces back, with checkpoints: a run that was ended goes on where it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer.audit.features import build_features, resembling
from anonymizer.audit.network import build_network
from anonymizer.audit.pairs import Crops, Pairs
from anonymizer.errors import OutputError, SettingsError
from anonymizer.recognise.models import describe_recogniser

MODEL_NAME = "reversal.keras"
CURVE_NAME = "curve.csv"
SETTINGS_NAME = "training.json"
ERROR = "mean_absolute_error"
BATCH = 16
RATE = 1e-3
"""Step size of Adam at the beginning; it falls to zero along half a cosine."""


@dataclass(frozen=True)
class Training:
    """What a training depends on beside its pairs."""

    side_px: int
    epochs: int
    seed: int
    redaction: str
    perceptual: float = 0.0
    """Weight of how little guesses resemble the originals to the recogniser, beside the mean absolute error."""


def train(folder: Path, training: Training, pairs: Pairs, held_out: Pairs, on_epoch: Callable[[str], None]) -> Reversal:
    """Trains to the last epoch, from the last one that a folder holds. A training may be given more epochs later.

    Args:
        folder: holds the network, the curve and what they depend on; written after each epoch.
        held_out: what the curve shows besides.
        on_epoch: told the errors after each epoch.

    Raises:
        SettingsError: the folder holds another training.
        ModelError: the recogniser is asked for, and is missing or damaged.
    """
    import keras

    begin(folder, training)
    keras.utils.set_random_seed(training.seed)
    network, done = _last(folder, training)
    steps = max(1, -(-len(pairs) // BATCH))
    for epoch in range(done, training.epochs):
        random = np.random.default_rng([training.seed, epoch])
        errors = []
        for step, chosen in enumerate(np.array_split(random.permutation(len(pairs)), steps)):
            at = (epoch * steps + step) / (training.epochs * steps)
            network.optimizer.learning_rate = RATE * (1 + np.cos(np.pi * at)) / 2
            measured = network.train_on_batch(*_batch(pairs, chosen, random), return_dict=True)
            errors.append(float(measured[ERROR]))
        error, held_out_error = float(np.mean(errors)), _error(network, held_out)
        network.save(folder / f"next-{MODEL_NAME}")
        (folder / f"next-{MODEL_NAME}").replace(folder / MODEL_NAME)
        _note(folder, epoch + 1, error, held_out_error)
        on_epoch(f"epoch {epoch + 1} of {training.epochs}: error {error:.4f}, held out {held_out_error:.4f}")
    return Reversal(network, training)


@dataclass(frozen=True)
class Reversal:
    """A trained network."""

    network: Any
    training: Training

    def __call__(self, redacted: Crops) -> Crops:
        """Guesses at the originals of redacted faces, both uint8 (N, side, side, 3). Mirror images count as much."""
        if not len(redacted):
            return redacted
        values = redacted.astype(np.float32) / 255
        guesses, mirrored = (
            self.network.predict(each, batch_size=BATCH, verbose=0) for each in (values, values[:, :, ::-1])
        )
        answers = (guesses + mirrored[:, :, ::-1]) / 2
        return np.asarray(np.rint(answers.clip(0, 1) * 255), np.uint8)


def load_reversal(folder: Path) -> Reversal:
    """
    Raises:
        SettingsError: the folder holds no trained network, or a damaged one.
    """
    import keras

    try:
        training = Training(**json.loads((folder / SETTINGS_NAME).read_bytes()))
        network = keras.saving.load_model(folder / MODEL_NAME, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"{folder} holds no network that `anonymize audit reverse` trained: {error}") from None
    return Reversal(network, training)


def begin(folder: Path, training: Training) -> None:
    """Notes in a folder which training it holds.

    Raises:
        SettingsError: it holds another one, or one with more epochs.
        OutputError: it cannot be written.
    """
    described = json.dumps(asdict(training), indent=2)
    noted = folder / SETTINGS_NAME
    if noted.exists() and not _begins(noted, training):
        raise SettingsError(f"{folder} holds another training; choose another folder, or the same settings to go on")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        noted.write_text(described)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}") from None


def _begins(noted: Path, training: Training) -> bool:
    """Whether what a folder holds is the training, or its beginning."""
    try:
        found = Training(**json.loads(noted.read_bytes()))
    except (ValueError, TypeError):
        return False
    return found.epochs <= training.epochs and replace(found, epochs=training.epochs) == training


def _last(folder: Path, training: Training) -> tuple[Any, int]:
    """The network as it was after its last epoch, and how many it has had."""
    import keras

    curve, loss = folder / CURVE_NAME, _loss(training)
    if (folder / MODEL_NAME).exists() and curve.exists():
        with open(curve, newline="") as file:
            done = max(int(row["epoch"]) for row in csv.DictReader(file))
        return keras.saving.load_model(folder / MODEL_NAME, custom_objects={"loss": loss}), done
    curve.unlink(missing_ok=True)
    network = build_network(training.side_px)
    # Compiling by XLA takes longer on a processor than what it saves.
    network.compile(keras.optimizers.Adam(RATE, clipnorm=1.0), loss=loss, metrics=[ERROR], jit_compile=False)
    return network, 0


def _loss(training: Training) -> Any:
    if not training.perceptual:
        return ERROR
    return resembling(build_features(describe_recogniser().path), training.perceptual)


def _batch(pairs: Pairs, chosen: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """The chosen pairs, half of them mirrored, float32 in 0..1."""
    mirrored = random.random(len(chosen)) < 0.5
    batch = []
    for part in (pairs.redacted, pairs.originals):
        values = part[chosen].astype(np.float32) / 255
        values[mirrored] = values[mirrored, :, ::-1]
        batch.append(values)
    return batch[0], batch[1]


def _error(network: Any, pairs: Pairs) -> float:
    answers = network.predict(pairs.redacted.astype(np.float32) / 255, batch_size=BATCH, verbose=0)
    return float(np.abs(answers - pairs.originals.astype(np.float32) / 255).mean())


def _note(folder: Path, epoch: int, error: float, held_out_error: float) -> None:
    is_new = not (folder / CURVE_NAME).exists()
    with open(folder / CURVE_NAME, "a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["epoch", "error", "held_out_error"])
        writer.writerow([epoch, f"{error:.5f}", f"{held_out_error:.5f}"])
