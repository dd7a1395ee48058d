"""Settings of GPUs, on which TensorFlow runs models in its own formats."""

from contextlib import suppress

import tensorflow as tf


def share_gpus() -> None:
    """Lets several worker processes use one GPU: by default, the first process takes all of its memory at once."""
    for gpu in tf.config.list_physical_devices("GPU"):
        with suppress(RuntimeError):  # in use by this process already
            tf.config.experimental.set_memory_growth(gpu, True)
