import numpy as np
from fakes import scene_of
from hypothesis import given
from redact.strategies import WITH_CELLS, Case, cases


@given(cases(WITH_CELLS, WITH_CELLS))
def test_changed_is_where_the_mask_is_not_0(case: Case) -> None:
    scene = scene_of(*case)[0]
    assert np.array_equal(scene.changed, scene.mask > 0)
