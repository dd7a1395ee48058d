"""NanoDet-g as a Keras network for pictures of any size, with decoding and peak selection in the graph.

The network is RangiLyu's (https://github.com/RangiLyu/nanodet, nanodet-g): convolutions of 3 x 3 in partial stages
(CSP), a path aggregation pyramid of strides 8, 16 and 32 without convolutions, and one head per stride in the manner of
generalised focal loss (Li et al. 2020, arXiv:2006.04388): a score for each class, and for each side of the box a
distribution over its distance. Of the 80 classes of COCO only people are kept.
"""

from __future__ import annotations

from itertools import count

import keras
import tensorflow as tf
from keras import layers

STRIDES = (8, 16, 32)
"""Pixels of the input per cell of each output."""
SIZE_MULTIPLE = 32
"""Height and width of the input must be multiples of this."""
CLASSES = 80
"""Of the original; people are the first."""
BINS = 11
"""Distances from a cell's centre to a side of the box that have a probability: 0 to 10 strides."""
SCORE_FLOOR = 0.05
"""Cells below are not looked at."""
IOU_THRESHOLD = 0.6
"""Intersection over union from which on of two boxes only the better one is a peak; that of the authors."""
MEAN = (123.675, 116.28, 103.53)
"""Of red, green and blue, in 0..255, with which the network was trained; it takes blue first."""
DEVIATION = (58.395, 57.12, 57.375)

CONVOLUTION = "convolution_"
"""Names of the convolutions begin so; their number follows, in the order of the original."""

_SLOPE = 0.1
_ONE_AROUND = ((0, 0), (1, 1), (1, 1), (0, 0))
_BELOW_ALL = -1e4
_CHANNELS = 128
# Channels that go in, residual blocks, stride: each stage gives twice as many channels.
_STAGES = ((32, 1, 1), (64, 2, 2), (128, 2, 2), (256, 3, 2))


def build_network(classes: int = 1) -> keras.Model:
    """The network without decoding.

    Input: float32 (B, H, W, 3), RGB in 0..255; H and W multiples of 32.
    Outputs, one for each stride s: (B, H/s, W/s, classes + 44): logits of the classes, and for the left, upper, right
    and lower side each the logits of 0 to 10 strides.
    """
    numbers = count()

    def convolution(x: keras.KerasTensor, filters: int, kernel_size: int = 3, stride: int = 1) -> keras.KerasTensor:
        # Padding on both sides, as in the original; Keras' "same" would pad stride 2 on one side only.
        if kernel_size > 1:
            x = layers.ZeroPadding2D(kernel_size // 2)(x)
        return layers.Conv2D(filters, kernel_size, stride, name=f"{CONVOLUTION}{next(numbers)}")(x)

    def active(x: keras.KerasTensor, filters: int, stride: int = 1) -> keras.KerasTensor:
        return layers.LeakyReLU(negative_slope=_SLOPE)(convolution(x, filters, stride=stride))

    def stage(x: keras.KerasTensor, channels: int, blocks: int, stride: int) -> keras.KerasTensor:
        y = x = active(x, channels, stride)
        for _ in range(blocks):
            half = active(y, channels // 2)
            y = layers.Concatenate()([active(half, channels // 2), half])
        return layers.Concatenate()([active(y, channels), x])

    image = keras.Input((None, None, 3), dtype="float32")
    x = layers.Normalization(mean=MEAN, variance=[deviation**2 for deviation in DEVIATION])(image)
    x = active(layers.Lambda(lambda pixels: pixels[..., ::-1])(x), 32, stride=2)
    x = layers.Lambda(lambda maps: tf.pad(maps, _ONE_AROUND, constant_values=_BELOW_ALL))(x)
    x = layers.MaxPooling2D(3, 2)(x)
    levels = []
    for channels, blocks, stride in _STAGES:
        x = stage(x, channels, blocks, stride)
        levels.append(x)
    pyramid = [convolution(level, _CHANNELS, 1) for level in levels[1:]]
    for fine in (1, 0):
        larger = layers.Lambda(_twice_as_large)(pyramid[fine + 1])
        pyramid[fine] = layers.Add()([pyramid[fine], larger])
    for coarse in (1, 2):
        smaller = layers.AveragePooling2D(2)(pyramid[coarse - 1])
        pyramid[coarse] = layers.Add()([pyramid[coarse], smaller])
    heads = [convolution(active(level, _CHANNELS), classes + 4 * BINS, 1) for level in pyramid]
    return keras.Model(image, heads, name="nanodet_g")


def _twice_as_large(maps: tf.Tensor) -> tf.Tensor:
    return tf.image.resize(maps, 2 * tf.shape(maps)[1:3], "bilinear")


class Detector(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """The network behind the output signature of the TensorFlow Object Detection API."""

    def __init__(self, network: keras.Model) -> None:
        """`network`: with a single class."""
        super().__init__()
        self.network = network

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, "input_tensor")])  # type: ignore[untyped-decorator]
    def detect(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """People in one picture.

        Args:
            input_tensor: uint8 (1, H, W, 3), RGB; H and W multiples of 32.

        Returns:
            `detection_boxes` float32 (1, N, 4), y_min, x_min, y_max, x_max as fractions of H and W, not clipped;
            `detection_scores` float32 (1, N) in [0, 1]; `detection_classes` float32 (1, N), all 1; `num_detections`
            float32 (1,). By falling score; N varies, with no upper limit.
        """
        parts = [
            _boxes_of(answer[0], stride)
            for answer, stride in zip(self.network(tf.cast(input_tensor, tf.float32)), STRIDES, strict=True)
        ]
        scores, boxes = (tf.concat(part, axis=0) for part in zip(*parts, strict=True))
        height, width = tf.unstack(tf.cast(tf.shape(input_tensor)[1:3], tf.float32))
        boxes = boxes / tf.stack([height, width, height, width])
        peaks, number = tf.raw_ops.NonMaxSuppressionV4(
            boxes=boxes,
            scores=scores,
            max_output_size=tf.shape(scores)[0],
            iou_threshold=IOU_THRESHOLD,
            score_threshold=0.0,
            pad_to_max_output_size=True,  # the only mode that TFLite knows
        )
        peaks = peaks[:number]
        boxes, scores = tf.gather(boxes, peaks), tf.gather(scores, peaks)
        return {
            "detection_boxes": boxes[tf.newaxis],
            "detection_scores": scores[tf.newaxis],
            "detection_classes": tf.ones_like(scores)[tf.newaxis],
            "num_detections": tf.cast(tf.shape(scores), tf.float32),
        }


def _boxes_of(answer: tf.Tensor, stride: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores (N,) and boxes (N, 4), y_min, x_min, y_max, x_max in pixels, of what one output marks.

    Args:
        answer: (H/s, W/s, 1 + 44).
    """
    scores = tf.sigmoid(answer[:, :, 0])
    cells = tf.where(scores >= SCORE_FLOOR)  # (N, 2): row, column
    found = tf.gather_nd(answer, cells)
    # A side lies at the mean of its distribution.
    shares = tf.nn.softmax(tf.reshape(found[:, 1:], (-1, 4, BINS)))
    distances = stride * tf.reduce_sum(shares * tf.range(BINS, dtype=tf.float32), axis=2)
    centre = (tf.cast(cells, tf.float32) + 0.5) * stride
    near, far = tf.gather(distances, [1, 0], axis=1), tf.gather(distances, [3, 2], axis=1)
    return tf.gather_nd(scores, cells), tf.concat([centre - near, centre + far], axis=1)
