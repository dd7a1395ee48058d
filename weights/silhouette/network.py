"""The network: a small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) that says which pixels of a crop are of the
head in its middle.

    pixels (S, S, C), 0 to 255 -> share of each pixel that is of the head, 0 to 1, (S, S)

It works at half of the crop's resolution, whose answer is enlarged: edges are softened and widened anyway.
"""

from __future__ import annotations

import keras
from keras import layers

SIZE = 128
"""Side of a crop. Pixels."""
WIDTHS = (14, 28, 56, 96, 128)
"""Channels at a half, a quarter ... of the resolution."""


def build(size: int = SIZE, channels: int = 3) -> keras.Model:
    """The network; its answer is in logits, (B, S, S, 1).

    Args:
        size: side of a crop in pixels, a multiple of 32.
        channels: 3 for RGB, 1 for gray.
    """
    given = layers.Input((size, size, channels))
    x = layers.Rescaling(1 / 127.5, -1.0)(given)
    skipped = []
    for number, width in enumerate(WIDTHS):
        x = _block(x, width, stride=2)
        if number:
            x = _block(x, width)
        skipped.append(x)
    for width, skip in zip(WIDTHS[-2::-1], skipped[-2::-1], strict=True):
        x = layers.UpSampling2D(interpolation="bilinear")(_block(x, width, kernel=1))
        x = _block(layers.Concatenate()([x, skip]), width)
    x = layers.Conv2D(1, 1, bias_initializer=keras.initializers.Constant(-1.0))(x)
    return keras.Model(given, layers.UpSampling2D(interpolation="bilinear")(x))


def with_probabilities(network: keras.Model) -> keras.Model:
    """The same, whose answer are probabilities, (B, S, S)."""
    answer = keras.ops.sigmoid(network.output)
    return keras.Model(network.input, keras.ops.squeeze(answer, axis=-1))


def _block(x: keras.KerasTensor, width: int, kernel: int = 3, stride: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(width, kernel, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
