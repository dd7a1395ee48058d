"""Exits with 1 unless two pictures look the same everywhere: rounding may differ between processors and libraries."""

import sys

import cv2

one, other = (cv2.imread(path) for path in sys.argv[1:3])
if one.shape != other.shape or cv2.blur(cv2.absdiff(one, other), (9, 9)).max() > 4:
    sys.exit(f"{sys.argv[1]} and {sys.argv[2]} differ")
