"""Tests of weights.training, on a network of one number."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from weights.training import Batch, Example, Settings, Trainer, batches, fit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of Keras with NumPy 2
]
USUAL = Settings(steps=40, batch=4, rate=0.3, warmup=4, mean=0.9, clip=1.0)


def examples(rng: np.random.Generator) -> list[Example]:
    values = rng.integers(0, 256, (2, 1, 1, 1))
    return [(value.astype(np.uint8), np.float32(value) / 255) for value in values]


def made(settings: Settings, first: int = 0) -> list[Batch]:
    return list(batches(examples, 2, settings, first))


def network() -> keras.Model:
    given = keras.Input((1, 1, 1))
    return keras.Model(given, keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros")(given / 255))


def trainer(settings: Settings = USUAL) -> Trainer:
    def losses(found: tf.Tensor, answer: tf.Tensor) -> list[tf.Tensor]:
        return [tf.reduce_mean((found - answer) ** 2), tf.constant(2.0)]

    return Trainer(network(), network(), losses, {"error": 1.0, "nothing": 0.0}, settings)


def test_batches_are_those_of_the_settings_and_the_same_after_a_stop() -> None:
    whole = made(USUAL)
    assert [step for step, *_ in whole] == list(range(40))
    assert all(pixels.shape == answer.shape == (4, 1, 1, 1) for _, pixels, answer in whole)
    assert len({pixels.tobytes() for _, pixels, _ in whole}) == 40
    later = made(USUAL, 30)
    assert [step for step, *_ in later] == list(range(30, 40))
    assert all(np.array_equal(one[1], other[1]) for one, other in zip(whole[30:], later, strict=True))
    assert len(made(Settings(**{**vars(USUAL), "until": 7}))) == 7


def test_training_learns_and_goes_on_where_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = trainer()
    fit(whole, lambda first: made(USUAL, first), tmp_path / "whole")
    rows = [line.split(",") for line in (tmp_path / "whole" / "loss.csv").read_text().split()]
    assert [row[0] for row in rows] == ["10", "20", "30", "40"]
    assert float(rows[-1][1]) < 0.5 * float(rows[0][1])
    assert [row[2] for row in rows] == ["2.0000"] * 4

    half = Settings(**{**vars(USUAL), "until": 20})
    fit(trainer(half), lambda first: made(half, first), tmp_path / "halves")
    second = trainer()
    fit(second, lambda first: made(USUAL, first), tmp_path / "halves")
    assert "resumed at step 20" in capsys.readouterr().out
    for one, other in zip(whole.mean_network.get_weights(), second.mean_network.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-6)
    loaded = network()
    loaded.load_weights(tmp_path / "halves" / "last.weights.h5")
    assert all(map(np.array_equal, loaded.get_weights(), second.mean_network.get_weights()))


def test_a_signal_ends_it_with_a_checkpoint(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def until_told(first: int) -> Iterator[Batch]:
        for batch in made(USUAL, first):
            if batch[0] == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    stopped = trainer()
    try:
        fit(stopped, until_told, tmp_path)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert int(stopped.step) == 6
    assert (tmp_path / "last.weights.h5").is_file()
