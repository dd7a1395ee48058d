"""The network that brings faces back: redacted face in, guess at the original out."""

from __future__ import annotations

from typing import Any

WIDTHS = (32, 64, 96, 128)
"""Channels at each size; the side halves from one to the next."""
SIDES_PX = (32, 64, 96, 128)


def build_network(side_px: int) -> Any:
    """A U-Net (Ronneberger et al. 2015, arXiv:1505.04597) that adds to its input what the redaction took away.

    Args:
        side_px: of the faces, a multiple of 8.

    Returns:
        A Keras model from float32 (N, side_px, side_px, 3), 0..1, to the same shape.
    """
    from keras import Model, layers

    faces = layers.Input((side_px, side_px, 3))
    values, kept = faces, []
    for width in WIDTHS[:-1]:
        values = _block(values, width)
        kept.append(values)
        values = layers.MaxPooling2D()(values)
    values = _block(values, WIDTHS[-1])
    # The smallest size sees the face as a whole: what is left of a redacted face is its colours, and where they lie.
    values = layers.Add()([values, layers.Dense(WIDTHS[-1])(layers.GlobalAveragePooling2D(keepdims=True)(values))])
    for width, same_size in zip(reversed(WIDTHS[:-1]), reversed(kept), strict=True):
        values = layers.UpSampling2D(interpolation="bilinear")(values)
        values = _block(layers.Concatenate()([values, same_size]), width)
    added = layers.Conv2D(3, 3, padding="same", kernel_initializer="zeros")(values)
    return Model(faces, layers.Add()([faces, added]))


def _block(values: Any, width: int) -> Any:
    from keras import layers

    for _ in range(2):
        values = layers.Conv2D(width, 3, padding="same", use_bias=False)(values)
        values = layers.BatchNormalization(momentum=0.9)(values)
        values = layers.Activation("relu")(values)
    return values
