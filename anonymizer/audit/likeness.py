"""How alike a guess and the original are."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from anonymizer.audit.pairs import Crops

BATCH = 256


@dataclass(frozen=True)
class Likeness:
    """Means over faces."""

    error: float
    """Mean absolute difference, as a share of the range of the levels, 0..1."""
    psnr_db: float
    ssim: float
    """Structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861), -1..1."""

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def likeness(guesses: Crops, originals: Crops) -> Likeness:
    """
    Args:
        guesses: uint8 (N, S, S, 3).
        originals: of the same shape.
    """
    import tensorflow as tf

    errors, psnr, ssim = [], [], []
    for start in range(0, len(originals), BATCH):
        guess, original = (part[start : start + BATCH] for part in (guesses, originals))
        errors.append(np.abs(guess.astype(np.float32) - original).mean(axis=(1, 2, 3)) / 255)
        psnr.append(tf.image.psnr(guess, original, 255).numpy())
        ssim.append(tf.image.ssim(tf.constant(guess), tf.constant(original), 255).numpy())
    finite = np.minimum(np.concatenate(psnr), 100.0)
    return Likeness(float(np.concatenate(errors).mean()), float(finite.mean()), float(np.concatenate(ssim).mean()))
