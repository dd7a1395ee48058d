"""No method leaks more than it says: the proof, for every method, shape and depth.

Whatever is hidden may be exchanged for anything else that has the same cells (gaussian, mosaic with cells), or for
anything at all (those without cells, solid, image, inpaint), and the output stays the same to the last bit.
"""

from itertools import pairwise, product, starmap
from math import inf

import numpy as np
import pytest
from fakes import scene_of
from hypothesis import given
from hypothesis import strategies as st
from redact.strategies import READ_NOTHING, WITH_CELLS, Case, cases, redacted, redacted_with_mask

from anonymizer.geometry import PixelBox
from anonymizer.redact.cells import LEVELS, cell_edges, reduce_to_cells
from anonymizer.redact.methods import METHODS, leaked_values
from anonymizer.redact.targets import to_style
from anonymizer.redact.touched import touched_pixels
from anonymizer.settings import METHODS as NAMES
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels


def exchanged(pixels: Pixels, found: list[Detection], settings: RedactSettings, seed: int) -> Pixels:
    """The picture with everything hidden in it exchanged, as far as the methods say that it does not matter."""
    scene, targets = scene_of(pixels, found, settings)
    random = np.random.default_rng(seed)
    other: Pixels = pixels.copy()
    for target in targets:
        own = (scene.mask == 1) & (scene.owners == target.number)
        if leaked_values(target.style) == 0:
            other[own] = random.integers(0, np.iinfo(pixels.dtype).max + 1, other[own].shape)
        elif leaked_values(target.style) < inf:
            y, x = (edges[0].tolist() for edges in cell_edges([target]))
            for rows, columns in product(starmap(slice, pairwise(y)), starmap(slice, pairwise(x))):
                mine = own[rows, columns]
                other[rows, columns][mine] = random.permutation(other[rows, columns][mine])
    return other


PAIRS = [
    pytest.param(one, other, marks=[] if one == other else pytest.mark.slow)
    for one, other in product([*WITH_CELLS, *READ_NOTHING], repeat=2)
]
"""Methods of faces and of plates. All pairs together take long."""


def test_the_table_holds_what_a_user_can_ask_for() -> None:
    assert set(METHODS) == {*NAMES, "kernel"}
    assert [name for name, method in METHODS.items() if method.paint is None] == ["none"]


@given(cases(NAMES, NAMES))
def test_nothing_changes_where_the_mask_is_0_and_the_mask_is_1_on_every_box(case: Case) -> None:
    pixels, found, settings = case
    before = pixels.copy()
    result, mask = redacted_with_mask(pixels, found, settings)
    assert (pixels == before).all()
    assert result.shape == pixels.shape
    assert result.dtype == pixels.dtype
    assert (result[mask == 0] == pixels[mask == 0]).all()
    for detection in found:
        box = detection.box
        if settings.method_of(detection.kind) == "none":
            continue
        if detection.outline is not None:
            assert (mask[touched_pixels(detection.outline, PixelBox(0, 0, *mask.shape))] == 1).all()
        elif box.x_max > 0 and box.y_max > 0:
            rows = slice(max(0, int(np.floor(box.y_min))), int(np.ceil(box.y_max)))
            columns = slice(max(0, int(np.floor(box.x_min))), int(np.ceil(box.x_max)))
            assert (mask[rows, columns] == 1).all()


@pytest.mark.parametrize(("face_method", "plate_method"), PAIRS)
@given(data=st.data(), seed=st.integers(0, 99))
def test_what_is_hidden_counts_only_by_its_cells(
    face_method: str, plate_method: str, data: st.DataObject, seed: int
) -> None:
    pixels, found, settings = data.draw(cases([face_method], [plate_method]))
    other = exchanged(pixels, found, settings, seed)
    result, mask = redacted_with_mask(pixels, found, settings)
    assert (other[mask < 1] == pixels[mask < 1]).all()
    assert (result == redacted(other, found, settings)).all()


@given(data=st.data(), method=st.sampled_from([*READ_NOTHING, *WITH_CELLS]), seed=st.integers(0, 99))
def test_not_even_a_cosmetic_blur_brings_back_what_another_method_hides(
    data: st.DataObject, method: str, seed: int
) -> None:
    pixels, found, settings = data.draw(cases(["gaussian"], [method]))
    mixed = RedactSettings(
        plate_method=method if method in READ_NOTHING else "solid", obfuscation_kernel="9,2,5", feather=settings.feather
    )
    other = exchanged(pixels, found, mixed, seed)
    assert (redacted(pixels, found, mixed) == redacted(other, found, mixed)).all()


@given(case=cases(WITH_CELLS, WITH_CELLS))
def test_cells_are_no_more_than_documented_and_have_few_values(case: Case) -> None:
    pixels, found, settings = case
    scene, targets = scene_of(pixels, found, settings)
    values = np.linspace(0, np.iinfo(pixels.dtype).max, LEVELS)
    for target in targets:
        if not target.style.cells:
            assert leaked_values(target.style) == 0
            continue
        cells = reduce_to_cells(scene, [target]).cells[0]
        assert cells.shape[0] * cells.shape[1] <= leaked_values(target.style) <= settings.cells**2
        assert np.isin(cells, values).all()


@pytest.mark.parametrize(
    ("settings", "of_face", "of_plate"),
    [
        (RedactSettings(), 0, 0),
        (RedactSettings(cells=1), 1, 1),
        (RedactSettings(method="mosaic"), 0, 0),
        (RedactSettings(method="mosaic", cells=2), 4, 1),
        (RedactSettings(method="solid"), 0, 0),
        (RedactSettings(method="solid", color="mean"), 0, 0),
        (RedactSettings(method="image"), 0, 0),
        (RedactSettings(method="inpaint"), 0, 0),
        (RedactSettings(obfuscation_kernel="21,2,9"), float("inf"), float("inf")),
    ],
)
def test_documented_bounds(settings: RedactSettings, of_face: float, of_plate: float) -> None:
    assert leaked_values(to_style("face", settings)) == of_face
    assert leaked_values(to_style("plate", settings)) == of_plate
