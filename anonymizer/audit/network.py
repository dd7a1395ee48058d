"""The network that brings faces back: redacted face in, guess at the original out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FINE_WIDTH = 48
"""Channels at half the resolution of the face."""
WIDTH = 128
"""Channels at a quarter of it, where most of the network is: tiles of a sixteenth of a face are about as large."""
BLOCKS = 8
WHOLE_WIDTH = 32
"""Channels at an eighth of it, which are seen all at once."""
WHOLE_UNITS = 512
DROPPED = 0.2
"""Share of these units that each step of the training leaves out, so that they do not learn the faces by heart."""
_GUESS = "guess"
_CPU_FLAGS = Path("/proc/cpuinfo")


def build_network(side_px: int) -> Any:
    """A U-Net (Ronneberger et al. 2015, arXiv:1505.04597) that adds to its input what the redaction took away.

    Its blocks are residual and without normalisation, as enlarging networks have them (Lim et al. 2017,
    arXiv:1707.02921); sizes are doubled by sub-pixel convolutions (Shi et al. 2016, arXiv:1609.05158).

    Args:
        side_px: of the faces, a multiple of 8.

    Returns:
        A Keras model from float32 (N, side_px, side_px, 3), 0..1, to the same shape.
    """
    from keras import Model, layers

    faces = layers.Input((side_px, side_px, 3))
    fine = layers.Conv2D(FINE_WIDTH, 4, 2, padding="same")(faces)
    values = layers.Conv2D(WIDTH, 4, 2, padding="same")(layers.Activation("relu")(fine))
    for _ in range(BLOCKS // 2):
        values = _block(values, WIDTH)
    values = layers.Add()([values, _whole(values, side_px // 8)])
    for _ in range(BLOCKS - BLOCKS // 2):
        values = _block(values, WIDTH)
    values = layers.Add()([_doubled(values, FINE_WIDTH, side_px // 4), fine])
    for _ in range(2):
        values = _block(values, FINE_WIDTH)
    added = _doubled(layers.Activation("relu")(values), 3, side_px // 2, "zeros")
    return _with_short_numbers(Model(faces, layers.Add(name=_GUESS)([faces, added])))


def _block(values: Any, width: int) -> Any:
    """Two convolutions whose answer is added; it begins with nothing, so that deep networks learn from the start."""
    from keras import layers

    added = layers.Conv2D(width, 3, padding="same")(layers.Activation("relu")(values))
    added = layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")(layers.Activation("relu")(added))
    return layers.Add()([values, added])


def _whole(values: Any, places: int) -> Any:
    """What each place learns from all others, by weights of its own: cut out faces have their parts at fixed places."""
    from keras import layers

    whole = layers.Conv2D(WHOLE_WIDTH, 2, 2, activation="relu")(values)
    whole = layers.Dense(WHOLE_UNITS, activation="relu")(layers.Flatten()(whole))
    whole = layers.Dense(places * places * WHOLE_WIDTH)(layers.Dropout(DROPPED)(whole))
    return _doubled(layers.Reshape((places, places, WHOLE_WIDTH))(whole), WIDTH, places, "zeros")


def _doubled(values: Any, width: int, places: int, begins_with: str = "glorot_uniform") -> Any:
    """In twice the size: each of so many places in each direction becomes four."""
    from keras import layers

    values = layers.Conv2D(4 * width, 3, padding="same", kernel_initializer=begins_with)(values)
    values = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((places, places, 2, 2, width))(values))
    return layers.Reshape((2 * places, 2 * places, width))(values)


def _with_short_numbers(network: Any) -> Any:
    """The same network, which calculates in numbers of 16 bits where the processor can: it learns nearly twice as
    fast. Weights and the guess have 32.
    """
    from keras import models

    if not _has_short_numbers():
        return network

    def shortened(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config(config if layer.name == _GUESS else {**config, "dtype": "mixed_bfloat16"})

    return models.clone_model(network, clone_function=shortened)


def _has_short_numbers() -> bool:
    try:
        return "avx512_bf16" in _CPU_FLAGS.read_text()
    except OSError:
        return False
