"""Measures how often a stranger's face would stay visible, and how often that of the right person does.

    python -m weights.recogniser.evaluate IDENTITIES --strangers FOLDER [--people PREFIX]

IDENTITIES holds pictures of single people, named PERSON__anything. Each person is a gallery by turns: for the person's
own faces, of all pictures but the one that is asked; for strangers, of all of them. Strangers are the other people and
every face in the pictures below --strangers. A second run with other people and strangers measures what the first has
chosen.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from anonymizer.detect.frames import detect
from anonymizer.detect.load import load_detectors
from anonymizer.recognise.models import load_face_reader
from anonymizer.recognise.recogniser import Vector
from anonymizer.recognise.resemblance import SAME_PERSON, FaceReader, mean_vector
from anonymizer.settings import DetectSettings

COSINES = (0.3, 0.4, 0.45, SAME_PERSON, 0.55, 0.6)
CONFIDENCE = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("identities", type=Path)
    parser.add_argument("--strangers", type=Path, required=True, help="pictures with faces of other people")
    parser.add_argument("--people", default="", help="prefixes of the people who are galleries, behind commas")
    given = parser.parse_args()
    reader = load_face_reader()
    people = read_people(given.identities, reader)
    strangers = read_strangers(given.strangers, reader)
    galleries = [name for name in people if name.startswith(tuple(given.people.split(",")))]
    asked = sum(len(people[name]) for name in galleries)
    right, wrong = compare(people, galleries, strangers)
    print(f"{len(galleries)} people, {asked} faces of theirs, {len(strangers)} strangers' faces that can be told")
    print(f"{len(wrong)} comparisons with strangers, the largest cosine {wrong.max():.3f}")
    print("| from cosine | strangers taken for the person | at most, with 95 % confidence | right faces kept |")
    print("| --- | --- | --- | --- |")
    for cosine in COSINES:
        false = int((wrong >= cosine).sum())
        bound = upper_bound(false, len(wrong))
        print(f"| {cosine:g} | {false} | {bound:.3%} | {int((right >= cosine).sum()) / asked:.3f} |")


def read_people(folder: Path, reader: FaceReader) -> dict[str, list[Vector | None]]:
    """The vector of each picture of each person; None where the face cannot be told."""
    people = defaultdict(list)
    for path in sorted(folder.iterdir()):
        people[path.name.split("__")[0]].append(reader.read_only_face(read_rgb(path)).vector)
    return dict(people)


def read_strangers(folder: Path, reader: FaceReader) -> list[Vector]:
    detectors = load_detectors(DetectSettings(kinds="face", preset="fast"))
    vectors = []
    for path in sorted(folder.rglob("*.jpg")):
        rgb = read_rgb(path)
        vectors += [reader.read(rgb, found.box).vector for found in detect(rgb, detectors)]
    return [vector for vector in vectors if vector is not None]


def read_rgb(path: Path) -> np.ndarray:
    """uint8 (H, W, 3)."""
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return np.ascontiguousarray(picture[:, :, ::-1])


def compare(
    people: dict[str, list[Vector | None]], galleries: Sequence[str], strangers: Sequence[Vector]
) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the right people's faces, and of others', with the galleries."""
    right, wrong = [], []
    for name in galleries:
        vectors = [vector for vector in people[name] if vector is not None]
        for number, vector in enumerate(vectors):
            others = vectors[:number] + vectors[number + 1 :]
            if others:
                right.append(float(vector @ mean_vector(others)))
        gallery = mean_vector(vectors)
        of_others = [vector for other, some in people.items() if other != name for vector in some if vector is not None]
        wrong += [float(vector @ gallery) for vector in [*strangers, *of_others]]
    return np.array(right), np.array(wrong)


def upper_bound(events: int, trials: int) -> float:
    """The largest rate at which so few events are not yet unlikely: exact, by Clopper and Pearson (1934)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        terms = [1.0]
        for k in range(events):
            terms.append(terms[-1] * (trials - k) / (k + 1) * rate / (1 - rate))
        at_most = (1 - rate) ** trials * sum(terms)
        low, high = (rate, high) if at_most > 1 - CONFIDENCE else (low, rate)
    return high


if __name__ == "__main__":
    main()
