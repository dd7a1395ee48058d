"""The table of sources: one row each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from . import celeba_mask, ealpr, fasseg, open_plates, scut_head, shanghaitech, wider_train
from .labels import Labels
from .repository import Repository


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a source lies and under which terms."""

    repository: str
    """Owner and name at github.com."""
    licence: str
    read: Callable[[Repository], Iterator[Labels]]
    to_mask: Callable[[bytes], np.ndarray] | None = None
    """What a file of masks says of each pixel, see `labels`, uint8 (H, W)."""


SOURCES: Mapping[str, Source] = {
    "scut_head": Source(
        "alexanderbaranof/test-for-image",
        "SCUT-HEAD: academic use, no formal licence",
        scut_head.read,
    ),
    "shanghaitech": Source("MonsterVivy/shanghaitech", "ShanghaiTech: research use", shanghaitech.read),
    "wider_train": Source("SihanWang-WHU/Face_Detection", "WIDER FACE: research use only", wider_train.read),
    "open_plates": Source(
        "unknowncz/LP_recognition", "Open Images: labels CC BY 4.0, pictures CC BY 2.0", open_plates.read
    ),
    "ealpr": Source("ahmedramadan96/EALPR", "EALPR: none stated, cite", ealpr.read),
    "celeba_mask": Source(
        "anamikakolady/CelebAMask-Face-Parsing",
        "CelebAMask-HQ: non-commercial research use",
        celeba_mask.read,
        celeba_mask.to_mask,
    ),
    "fasseg": Source("massimomauro/FASSEG-repository", "FASSEG: none stated, cite", fasseg.read, fasseg.to_mask),
}
