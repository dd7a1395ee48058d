"""The head model: CenterFace's backbone and pyramid with branches of its own for heads.

It starts as the face network that it is made from: the tower passes the pyramid's channels on, and the branches
hold the numbers of CenterFace's. Training then moves everything towards heads.
"""

import keras
import numpy as np
import onnx
from keras import layers

from weights.face.convert import copy_numbers
from weights.face.network import STRIDE, build_network, weighted_layers

__all__ = ["STRIDE", "build", "start_from_faces"]

TOWER_CHANNELS = 32


def build() -> keras.Model:
    """The network with random weights.

    Input: float32 (B, H, W, 3), RGB in 0..255; H and W multiples of 32.
    Output: float32 (B, H/4, W/4, 5): logit of a head's centre, log of its height and width in cells, and
    offset of the centre from the cell's middle, y and x, in cells.
    """
    faces = build_network()
    pyramid = weighted_layers(faces)[-4].output  # before the three branches
    tower = layers.Conv2D(TOWER_CHANNELS, 3, padding="same", activation="relu", name="tower")(pyramid)
    return keras.Model(faces.input, layers.Conv2D(5, 1, name="branches")(tower), name="head")


def start_from_faces(network: keras.Model, original: onnx.ModelProto) -> None:
    """Set the weights so that the network finds faces, with the numbers of CenterFace's ONNX file."""
    faces = build_network()
    copy_numbers(original, faces)
    ours, theirs = weighted_layers(network), weighted_layers(faces)
    for layer, original_layer in zip(ours[:-2], theirs[:-3], strict=True):
        layer.set_weights(original_layer.get_weights())
    tower, branches = ours[-2:]
    kernel, bias = tower.get_weights()
    passed = kernel.shape[2]
    kernel[..., :passed] = 0
    kernel[1, 1, range(passed), range(passed)] = 1
    tower.set_weights([kernel, np.zeros_like(bias)])
    kernels = np.concatenate([layer.get_weights()[0] for layer in theirs[-3:]], axis=-1)
    biases = np.concatenate([layer.get_weights()[1] for layer in theirs[-3:]])
    rest = np.zeros((1, 1, TOWER_CHANNELS - passed, 5), np.float32)
    branches.set_weights([np.concatenate([kernels, rest], axis=2), biases])
