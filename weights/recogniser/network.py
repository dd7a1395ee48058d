"""SFace as a Keras network, of the layers that the audit has too."""

import keras
from keras import layers

from anonymizer.audit.sface import vectors_of
from anonymizer.recognise.align import SIDE


def build_network() -> keras.Model:
    """The network, its normalisations folded into the convolutions before them.

    Input: float32 (N, 112, 112, 3), RGB in 0..255, faces as `align` puts them.
    Output: float32 (N, 128), vectors of length 1. Those of one person have a large inner product.
    """
    image = keras.Input((SIDE, SIDE, 3), dtype="float32")
    return keras.Model(image, vectors_of(image, brightest=255.0), name="sface")


def convolutions(network: keras.Model) -> list[layers.Layer]:
    """The convolutions, in the order in which `build_network` made them."""
    return [layer for layer in network.layers if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)]


def activations(network: keras.Model) -> list[layers.Layer]:
    """The parametric ReLUs, one behind each convolution."""
    return [layer for layer in network.layers if isinstance(layer, layers.PReLU)]
