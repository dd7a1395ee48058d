"""SFace as a Keras network.

The network is the one of "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition" (Zhong et al., 2021,
arXiv:2205.12010) as OpenCV's model zoo has it: a MobileNet with parametric ReLUs, and one dense layer.
"""

import keras
from keras import layers

SIDE = 112
"""Pixels of an aligned face, in both directions."""
LENGTH = 128
"""Of the vector."""

# Output channels and stride of each pair of a depthwise and a pointwise convolution.
_PAIRS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    *((512, 1) if number else (512, 2) for number in range(6)),
    (1024, 2),
    (1024, 1),
)
_FIRST_CHANNELS = 32


def _activated(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.PReLU(shared_axes=[1, 2])(x)


def build_network() -> keras.Model:
    """The network, its normalisations folded into the convolutions before them.

    Input: float32 (N, 112, 112, 3), RGB in 0..255, faces as `align` puts them.
    Output: float32 (N, 128), vectors of length 1. Those of one person have a large inner product.
    """
    image = keras.Input((SIDE, SIDE, 3), dtype="float32")
    x = layers.Rescaling(1 / 128, offset=-127.5 / 128)(image)
    x = _activated(layers.Conv2D(_FIRST_CHANNELS, 3, padding="same")(x))
    for channels, stride in _PAIRS:
        # Padding on both sides, as in the original; Keras' "same" would pad stride 2 on one side only.
        x = layers.ZeroPadding2D(1)(x)
        x = _activated(layers.DepthwiseConv2D(3, stride)(x))
        x = _activated(layers.Conv2D(channels, 1)(x))
    x = layers.Dense(LENGTH)(layers.Flatten()(x))
    x = layers.UnitNormalization()(x)
    return keras.Model(image, x, name="sface")


def convolutions(network: keras.Model) -> list[layers.Layer]:
    """The convolutions, in the order in which `build_network` made them."""
    return [layer for layer in network.layers if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)]


def activations(network: keras.Model) -> list[layers.Layer]:
    """The parametric ReLUs, one behind each convolution."""
    return [layer for layer in network.layers if isinstance(layer, layers.PReLU)]
