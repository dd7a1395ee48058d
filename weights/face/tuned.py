"""The face network in the form in which it is trained, and mixtures of it with the original."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .network import build_network, weighted_layers


def build() -> keras.Model:
    """The face network with one branch in place of three, whose first channel is a logit.

    Input: float32 (B, H, W, 3), RGB in 0..255; H and W multiples of 32.
    Output: float32 (B, H/4, W/4, 5): logit of a face's centre, log of its height and width in cells, offset of the
    centre from the cell's middle, y and x, in cells.
    """
    faces = build_network()
    pyramid = weighted_layers(faces)[-4].output  # before the three branches
    return keras.Model(faces.input, layers.Conv2D(5, 1, name="branches")(pyramid), name="face")


def from_faces(faces: keras.Model) -> keras.Model:
    """The network to train, with the numbers of one that `build_network` made."""
    network = build()
    theirs = weighted_layers(faces)
    for layer, original in zip(weighted_layers(network)[:-1], theirs[:-3], strict=True):
        layer.set_weights(original.get_weights())
    branches = [layer.get_weights() for layer in theirs[-3:]]
    weighted_layers(network)[-1].set_weights(
        [np.concatenate([kernel for kernel, _ in branches], axis=-1), np.concatenate([bias for _, bias in branches])]
    )
    return network


def to_faces(network: keras.Model) -> keras.Model:
    """The network as `build_network` makes it, with the numbers of one that was trained."""
    faces = build_network()
    ours = weighted_layers(network)
    for layer, original in zip(weighted_layers(faces)[:-3], ours[:-1], strict=True):
        layer.set_weights(original.get_weights())
    kernel, bias = ours[-1].get_weights()
    for layer, part in zip(weighted_layers(faces)[-3:], (slice(0, 1), slice(1, 3), slice(3, 5)), strict=True):
        layer.set_weights([kernel[..., part], bias[part]])
    return faces


def mix(original: keras.Model, tuned: keras.Model, share: float) -> None:
    """Move the tuned network's numbers to between both, `share` of the way from the original's.

    As in WiSE-FT (Wortsman et al. 2022, arXiv:2109.01903): what the original knew is kept, most of what is new too.
    """
    pairs = zip(original.get_weights(), tuned.get_weights(), strict=True)
    tuned.set_weights([(1 - share) * before + share * after for before, after in pairs])
