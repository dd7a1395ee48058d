"""The layers of SFace in Keras: for the audit's losses, and for the recipe that converts the recogniser.

The network is the one of "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition" (Zhong et al., 2021,
arXiv:2205.12010) as OpenCV's model zoo has it: a MobileNet with parametric ReLUs, and one dense layer. Its
normalisations are folded into the convolutions before them.
"""

from __future__ import annotations

from typing import Any

from anonymizer.recognise.align import SIDE

LENGTH = 128
"""Of a vector."""
FIRST_CHANNELS = 32
CHANNELS_AND_STRIDES = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    *((512, 1) if number else (512, 2) for number in range(6)),
    (1024, 2),
    (1024, 1),
)
"""Output channels and stride of each pair of a depthwise and a pointwise convolution."""


def vectors_of(faces: Any, brightest: float) -> Any:
    """The output of the layers, float32 (N, 128), of length 1; those of one person have a large inner product.

    Args:
        faces: Keras tensor, float32 (N, S, S, 3), RGB, with `align.SIDE` as S, faces as `align` puts them.
        brightest: their level of white, 1 or 255.
    """
    from keras import layers

    assert tuple(faces.shape[1:3]) == (SIDE, SIDE)
    x = layers.Rescaling(255 / brightest / 128, offset=-127.5 / 128)(faces)
    x = _activated(layers.Conv2D(FIRST_CHANNELS, 3, padding="same")(x))
    for channels, stride in CHANNELS_AND_STRIDES:
        # Padding on both sides, as in the original; Keras' "same" would pad a stride of 2 on one side only.
        x = _activated(layers.DepthwiseConv2D(3, stride)(layers.ZeroPadding2D(1)(x)))
        x = _activated(layers.Conv2D(channels, 1)(x))
    return layers.UnitNormalization()(layers.Dense(LENGTH)(layers.Flatten()(x)))


def _activated(x: Any) -> Any:
    from keras import layers

    return layers.PReLU(shared_axes=[1, 2])(x)
