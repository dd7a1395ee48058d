"""The detector: a plain residual backbone, a small feature pyramid and anchor-free heads at three strides.

Every cell of every level predicts a centre score and the four distances from the cell's middle to the sides
of the box. The centre heat maps follow CenterNet (Zhou et al. 2019, arXiv 1904.07850), the distances FCOS
(Tian et al. 2019, arXiv 1904.01355), the elliptical targets TTFNet (Liu et al. 2019, arXiv 1909.00700).
"""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf
from keras import layers

STRIDES = (8, 16, 32)
"""Pixels of the input per cell of each level."""

MAX_DETECTIONS = 1000
SCORE_FLOOR = 0.005
GROWTH = 0.05
"""Share of a predicted box's size by which the answer is wider on every side.

Labels differ by about that much in how they take holders and leaning plates: see the model card.
"""


@dataclasses.dataclass(frozen=True)
class Width:
    """Channels of the network.

    ``stages`` are the channels at strides 2, 4, 8, 16 and 32, ``blocks`` the residual blocks at strides 4, 8,
    16 and 32, ``pyramid`` the channels of the feature pyramid and of the heads.
    """

    stages: tuple[int, int, int, int, int] = (16, 16, 48, 96, 128)
    blocks: tuple[int, int, int, int] = (0, 1, 3, 3)
    pyramid: int = 32


SMALL = Width()
TINY = Width(stages=(8, 8, 16, 16, 16), blocks=(0, 1, 1, 1), pyramid=16)
WIDTHS = {"small": SMALL, "tiny": TINY}


def _conv(
    x: keras.KerasTensor, channels: int, size: int, stride: int, name: str, relu: bool = True
) -> keras.KerasTensor:
    x = layers.Conv2D(
        channels, size, stride, "same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _residual(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """3x3 to half the channels and back, added to the input."""
    y = _conv(x, max(8, channels // 2), 3, 1, f"{name}_a")
    y = _conv(y, channels, 3, 1, f"{name}_b", relu=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))


@keras.saving.register_keras_serializable("plate")
class Double(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Nearest-neighbour upsampling by two, without any operation that needs the shape at run time."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(tf.concat([x, x, x, x], axis=-1), 2)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = shape
        return batch, height and 2 * height, width and 2 * width, channels


def build(width: Width = SMALL) -> keras.Model:
    """Build the convolutional network with random weights.

    Input: float32 (B, H, W, 3), RGB, range 0..255; H and W are multiples of 32.
    Output: one float32 tensor (B, H/s, W/s, 5) for every stride s in ``STRIDES``: the logit of the centre
    score, then the left, top, right and bottom distances in units of the stride, each > 0.
    """
    picture = layers.Input((None, None, 3), name="picture")
    x = layers.Rescaling(1 / 64.0, -2.0, name="normalise")(picture)
    x = _conv(x, width.stages[0], 3, 2, "stem")
    levels = []
    for index, (channels, blocks) in enumerate(zip(width.stages[1:], width.blocks, strict=True)):
        x = _conv(x, channels, 3, 2, f"s{4 << index}_down")
        for block in range(blocks):
            x = _residual(x, channels, f"s{4 << index}_block{block}")
        levels.append(x)
    levels = levels[1:]

    top = None
    features: list[keras.KerasTensor] = []
    for level, stride in reversed(list(zip(levels, STRIDES, strict=True))):
        lateral = _conv(level, width.pyramid, 1, 1, f"p{stride}_lateral", relu=False)
        if top is not None:
            lateral = layers.Add(name=f"p{stride}_add")([lateral, Double(name=f"p{stride}_double")(top)])
        top = layers.ReLU(name=f"p{stride}_relu")(lateral)
        features.insert(0, top)

    outputs = []
    for feature, stride in zip(features, STRIDES, strict=True):
        tower = _conv(feature, width.pyramid, 3, 1, f"h{stride}_a")
        if stride > STRIDES[0]:
            tower = _conv(tower, width.pyramid, 3, 1, f"h{stride}_b")
        score = layers.Conv2D(
            1, 1, bias_initializer=keras.initializers.Constant(-4.6), name=f"h{stride}_score", dtype="float32"
        )(tower)
        sides = layers.Conv2D(
            4, 1, bias_initializer=keras.initializers.Constant(1.5), name=f"h{stride}_sides", dtype="float32"
        )(tower)
        sides = layers.Activation("softplus", name=f"h{stride}_softplus", dtype="float32")(sides)
        outputs.append(layers.Concatenate(name=f"h{stride}", dtype="float32")([score, sides]))
    return keras.Model(picture, outputs, name="plate")


def decode_level(raw: tf.Tensor, stride: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn one level's output (B, h, w, 5) into scores (B, h*w) and boxes (B, h*w, 4).

    Scores lie in [0, 1] and are 0 where a cell is not the maximum of its 3x3 neighbourhood. Boxes are
    y_min, x_min, y_max, x_max in pixels of the input, not clipped.
    """
    score = tf.sigmoid(raw[..., :1])
    score = tf.where(score >= tf.nn.max_pool2d(score, 3, 1, "SAME"), score, tf.zeros_like(score))
    shape = tf.shape(raw)
    y = (tf.cast(tf.range(shape[1]), tf.float32) + 0.5)[None, :, None]
    x = (tf.cast(tf.range(shape[2]), tf.float32) + 0.5)[None, None, :]
    left, top, right, bottom = (raw[..., i] for i in range(1, 5))
    boxes = tf.stack([y - top, x - left, y + bottom, x + right], axis=-1) * float(stride)
    return tf.reshape(score, [shape[0], -1]), tf.reshape(boxes, [shape[0], -1, 4])


class Serving(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """The network with decoding and peak selection, in the Object Detection API's signature.

    Final non-maximum suppression is the caller's.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="input_tensor")])  # type: ignore[untyped-decorator]
    def __call__(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """Detect plates in one picture.

        ``input_tensor``: uint8 (1, H, W, 3), RGB; H and W are multiples of 32 (pad right and bottom with 0).
        Returns ``detection_boxes`` float32 (1, N, 4), y_min, x_min, y_max, x_max as shares of H and W within
        [0, 1]; ``detection_scores`` float32 (1, N), descending, 0 for entries under the floor;
        ``detection_classes`` float32 (1, N), all 1; ``num_detections`` float32 (1,), how many scores are
        not 0. N is ``MAX_DETECTIONS``, or the number of cells where the picture has fewer.
        """
        outputs = self.network(tf.cast(input_tensor, tf.float32), training=False)
        levels = [decode_level(raw, stride) for raw, stride in zip(outputs, STRIDES, strict=True)]
        scores = tf.concat([level[0] for level in levels], axis=1)[0]
        boxes = tf.concat([level[1] for level in levels], axis=1)[0]
        count = tf.minimum(tf.size(scores), MAX_DETECTIONS)
        scores, index = tf.math.top_k(scores, k=count, sorted=True)
        height_width = tf.cast(tf.shape(input_tensor)[1:3], tf.float32)
        boxes = tf.gather(boxes, index)
        margin = GROWTH * (boxes[:, 2:] - boxes[:, :2])
        boxes = (boxes + tf.concat([-margin, margin], axis=1)) / tf.concat([height_width, height_width], axis=0)
        kept = tf.cast(scores >= SCORE_FLOOR, tf.float32)
        return {
            "detection_boxes": tf.clip_by_value(boxes, 0.0, 1.0)[None],
            "detection_scores": (scores * kept)[None],
            "detection_classes": tf.ones_like(scores)[None],
            "num_detections": tf.reduce_sum(kept)[None],
        }
