"""Exits with 1 unless two pictures look the same: rounding may differ between processors and library versions."""

import sys

import numpy as np
from PIL import Image

one, other = (np.asarray(Image.open(path).convert("RGB"), dtype=int) for path in sys.argv[1:3])
if one.shape != other.shape or np.abs(one - other).mean() > 1:
    sys.exit(f"{sys.argv[1]} and {sys.argv[2]} differ")
