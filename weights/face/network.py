"""CenterFace as a Keras network, with decoding and peak selection in the graph.

The network is the one of "CenterFace: Joint Face Detection and Alignment Using Face as Point"
(Xu et al., 2019, arXiv:1911.03599): a MobileNetV2 backbone, a feature pyramid down to stride 4 and one
head that predicts, per cell, whether a face is centred there (heatmap), how large it is and where in the
cell its centre lies. The landmark head of the original is left out: redaction has no use for it.
"""

import keras
import tensorflow as tf
from keras import layers

STRIDE = 4
"""Pixels of the input per cell of the output maps."""
SIZE_MULTIPLE = 32
"""Height and width of the input must be multiples of this: the backbone halves them five times."""
SCORE_FLOOR = 0.02
"""Cells below are not looked at: they are the great majority, and hardly one of them is a face."""
IOU_THRESHOLD = 0.3
"""Intersection over union from which on of two boxes only the better one is a peak; that of the authors."""

# Inverted residual stages of MobileNetV2: expansion, output channels, blocks, stride of the first block.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_PYRAMID_STAGES = (1, 2, 4)  # stages whose outputs (strides 4, 8, 16) feed the pyramid
_PYRAMID_CHANNELS = 24


def _convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int = 1, stride: int = 1, activation: str | None = "relu"
) -> keras.KerasTensor:
    # Padding on both sides, as in the original; Keras' "same" would pad stride 2 on one side only.
    if kernel_size > 1:
        x = layers.ZeroPadding2D(kernel_size // 2)(x)
    return layers.Conv2D(filters, kernel_size, stride, activation=activation)(x)


def _inverted_residual(x: keras.KerasTensor, expansion: int, filters: int, stride: int) -> keras.KerasTensor:
    channels = x.shape[-1]
    y = x if expansion == 1 else _convolution(x, channels * expansion)
    y = layers.ZeroPadding2D(1)(y)
    y = layers.DepthwiseConv2D(3, stride, activation="relu")(y)
    y = _convolution(y, filters, activation=None)
    return layers.Add()([x, y]) if stride == 1 and channels == filters else y


def build_network() -> keras.Model:
    """The network without decoding.

    Input: float32 (B, H, W, 3), RGB in 0..255; H and W multiples of 32.
    The original's transposed convolutions, 2 x 2 pixels with stride 2, are written as what they are, convolutions of
    single pixels, so that TFLite can run the whole network in XNNPACK when H and W are unknown.
    Outputs, (B, H/4, W/4, C) each: heatmap (C=1, probabilities), log of the size in cells (C=2: height,
    width) and offset of the centre in cells (C=2: y, x).
    """
    image = keras.Input((None, None, 3), dtype="float32")
    x = _convolution(image, 32, 3, stride=2)
    outputs = []
    for expansion, filters, blocks, first_stride in _STAGES:
        for block in range(blocks):
            x = _inverted_residual(x, expansion, filters, first_stride if block == 0 else 1)
        outputs.append(x)

    x = _convolution(x, _PYRAMID_CHANNELS)
    for stage in reversed(_PYRAMID_STAGES):
        x = _convolution(x, 4 * _PYRAMID_CHANNELS)
        x = layers.Lambda(tf.nn.depth_to_space, arguments={"block_size": 2})(x)
        x = layers.Add()([x, _convolution(outputs[stage], _PYRAMID_CHANNELS)])
    x = _convolution(x, _PYRAMID_CHANNELS, 3)

    heads = [_convolution(x, 1, activation="sigmoid")] + [_convolution(x, 2, activation=None) for _ in range(2)]
    return keras.Model(image, heads, name="centerface")


def weighted_layers(network: keras.Model) -> list[layers.Layer]:
    """The layers with weights, in the order in which `build_network` made them."""
    return [layer for layer in network.layers if layer.weights]


class Detector(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """The network behind the output signature of the TensorFlow Object Detection API."""

    def __init__(
        self,
        network: keras.Model,
        score_floor: float = SCORE_FLOOR,
        iou_threshold: float = IOU_THRESHOLD,
        only_maxima: bool = False,
    ) -> None:
        """`only_maxima`: a peak is also the best among its eight neighbours, as tiny objects need."""
        super().__init__()
        self.network = network
        self.score_floor = score_floor
        self.iou_threshold = iou_threshold
        self.only_maxima = only_maxima

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, "input_tensor")])  # type: ignore[untyped-decorator]
    def detect(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """Faces in one picture.

        Args:
            input_tensor: uint8 (1, H, W, 3), RGB; H and W multiples of 32.

        Returns:
            `detection_boxes` float32 (1, N, 4), y_min, x_min, y_max, x_max as fractions of H and W, not
            clipped; `detection_scores` float32 (1, N) in [0, 1]; `detection_classes` float32 (1, N), all 1;
            `num_detections` float32 (1,). One detection per peak, by falling score; N varies, with no upper limit.
        """
        heatmap, log_size, offset = self.network(tf.cast(input_tensor, tf.float32))
        is_candidate = heatmap >= self.score_floor
        if self.only_maxima:
            is_candidate &= heatmap >= tf.nn.max_pool2d(heatmap, 3, 1, "SAME")
        # Squeezed, as TFLite copies slices value by value.
        cells = tf.where(tf.squeeze(is_candidate, [0, 3]))  # (N, 2): row, column
        scores = tf.gather_nd(tf.squeeze(heatmap, [0, 3]), cells)
        centre = tf.cast(cells, tf.float32) + tf.gather_nd(tf.squeeze(offset, [0]), cells) + 0.5
        half_size = tf.exp(tf.gather_nd(tf.squeeze(log_size, [0]), cells)) / 2.0
        grid_size = tf.cast(tf.shape(heatmap)[1:3], tf.float32)
        boxes = tf.concat([(centre - half_size) / grid_size, (centre + half_size) / grid_size], axis=1)

        # A peak is a cell whose box no better cell's box covers. Maxima among the eight neighbours of a cell, which
        # are cheaper to find, lose faces that stand close together.
        peaks, number = tf.raw_ops.NonMaxSuppressionV4(
            boxes=boxes,
            scores=scores,
            max_output_size=tf.shape(scores)[0],
            iou_threshold=self.iou_threshold,
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
