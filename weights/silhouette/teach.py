"""Masks for heads in crowds, by a teacher: the selfie segmenter of MediaPipe (Apache-2.0), which sees people.

    python -m weights.silhouette.teach selfie_segmentation.tflite DATA/wider_train DATA/scut_head --out DATA/crowds

The file lies in the wheel of mediapipe 0.10.21. What is surely of a person counts as head around the face and in no
other face's place; what may be hair or shoulders is not known; all the rest is background.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from weights.data.labels import BACKGROUND, HEAD, IGNORED

CONTEXT = 3.0
"""Side of a crop as a multiple of the face's longer side: what the teacher sees well."""
SIDE = 256
SURE, SURELY_NOT = 0.75, 0.12
SMALLEST = 44.0
"""Shorter side of a face that the teacher sees. Pixels."""
FACE_OF_HEAD = (0.13, 0.22, 0.13, 0.02)
"""What of a head's box is not its face, at the left, at the top, at the right, at the bottom; shares of its size."""
HEAD_OF_FACE = (0.42, 0.62, 0.42, 0.05)
"""How far a head reaches beyond its face, likewise."""
MAY_BE_HAIR = 1.1
"""Where hair may be beside and below a head, in sizes of the face from its middle."""
PER_PICTURE = 3


class Teacher:
    """The selfie segmenter."""

    def __init__(self, file: Path) -> None:
        self._interpreter = Interpreter(model_path=str(file), num_threads=1)
        self._interpreter.allocate_tensors()
        self._given = self._interpreter.get_input_details()[0]["index"]
        self._answer = self._interpreter.get_output_details()[0]["index"]

    def see(self, crop: np.ndarray) -> np.ndarray:
        """How sure a pixel is of a person, float32 (256, 256); the crop is uint8 RGB (256, 256, 3)."""
        self._interpreter.set_tensor(self._given, (crop[np.newaxis] / np.float32(255)).astype(np.float32))
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._answer)[0, :, :, 0], np.float32)


def widened(box: np.ndarray, by: tuple[float, float, float, float]) -> np.ndarray:
    """A box, (4,), grown at its left, top, right and bottom by shares of its size."""
    width, height = box[2:] - box[:2]
    return np.asarray(box + np.array([-by[0] * width, -by[1] * height, by[2] * width, by[3] * height]))


def to_face(box: np.ndarray, kind: str) -> np.ndarray:
    """The face in a box of a kind, (4,)."""
    return box if kind == "face" else widened(box, tuple(-each for each in FACE_OF_HEAD))  # type: ignore[arg-type]


def to_mask(share: np.ndarray, face: np.ndarray, others: np.ndarray) -> np.ndarray | None:
    """What each pixel of a crop is of, uint8 (S, S); None where the teacher does not see the face.

    Args:
        share: what the teacher says.
        face: its box in the crop, (4,).
        others: faces beside it, (n, 4).
    """
    y, x = np.mgrid[: share.shape[0], : share.shape[1]] + 0.5

    def inside(box: np.ndarray) -> np.ndarray:
        (middle_x, middle_y), (half_x, half_y) = (box[:2] + box[2:]) / 2, np.maximum((box[2:] - box[:2]) / 2, 0.5)
        return np.asarray(((x - middle_x) / half_x) ** 2 + ((y - middle_y) / half_y) ** 2 <= 1)

    if not inside(face).any() or (share[inside(face)] >= SURE).mean() < 0.9:
        return None
    head = widened(face, HEAD_OF_FACE)
    around = widened(face, (MAY_BE_HAIR, MAY_BE_HAIR, MAY_BE_HAIR, MAY_BE_HAIR))
    mask = np.full(share.shape, BACKGROUND, np.uint8)
    is_near = (x >= around[0]) & (x < around[2]) & (y >= head[1])
    mask[is_near & (share > SURELY_NOT)] = IGNORED
    is_head = (x >= head[0]) & (x < head[2]) & (y >= head[1]) & (y < head[3])
    mask[is_head & (share >= SURE)] = HEAD
    for other in others:
        is_theirs = inside(widened(other, (0.1, 0.3, 0.1, 0.05))) & ~inside(face)
        mask[is_theirs] = np.where(mask[is_theirs] == HEAD, IGNORED, BACKGROUND)
    return mask


def heads_of(entry: dict[str, Any]) -> np.ndarray:
    """Boxes of the faces in a picture, (n, 4)."""
    sides = ("x_min", "y_min", "x_max", "y_max")
    boxes = [to_face(np.array([box[side] for side in sides], float), box["kind"]) for box in entry["boxes"]]
    return np.asarray(boxes).reshape(-1, 4)


@click.command()
@click.argument("teacher", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("packs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--most", default=1500, show_default=True, help="So many heads of each pack.")
def main(teacher: Path, packs: tuple[Path, ...], out: Path, most: int) -> None:
    """Write the pack OUT: crops around faces of PACKS, each with the mask that TEACHER gives it."""
    taught, entries = Teacher(teacher), []
    for pack in packs:
        made = 0
        for entry in json.loads((pack / "annotations.json").read_text()):
            faces = heads_of(entry)
            large = np.flatnonzero((faces[:, 2:] - faces[:, :2]).min(axis=1) >= SMALLEST)
            if not len(large) or made >= most:
                continue
            pixels = np.asarray(cv2.imread(str(pack / entry["image"])))
            for index in large[:PER_PICTURE]:
                face, others = faces[index], np.delete(faces, index, axis=0)
                side = CONTEXT * (face[2:] - face[:2]).max()
                start, scale = (face[:2] + face[2:]) / 2 - side / 2, SIDE / side
                shift = np.column_stack([np.eye(2) * scale, -start * scale])
                crop = cv2.warpAffine(
                    pixels, shift, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
                )
                boxes = (np.concatenate([face[np.newaxis], others]) - np.tile(start, 2)) * scale
                mask = to_mask(taught.see(np.ascontiguousarray(crop[:, :, ::-1])), boxes[0], boxes[1:])
                if mask is None:
                    continue
                outside = cv2.warpAffine(np.ones(pixels.shape[:2], np.uint8), shift, (SIDE, SIDE)) == 0
                mask[outside] = IGNORED
                name = f"{pack.name}/{made:05d}"
                for folder, content, extension in (("images", crop, "jpg"), ("masks", mask, "png")):
                    file = out / folder / f"{name}.{extension}"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(file), content)
                entries.append(
                    {
                        "image": f"images/{name}.jpg",
                        "mask": f"masks/{name}.png",
                        "face_box": boxes[0].tolist(),
                        "group": f"crowds/{pack.name}",
                        "part": entry["part"],
                        "scene": entry["scene"],
                        "source": entry["source"],
                        "licence": entry["licence"],
                    }
                )
                made += 1
        click.echo(f"{pack.name}: {made} heads")
    (out / "annotations.json").write_text(json.dumps(entries))


if __name__ == "__main__":
    main()
