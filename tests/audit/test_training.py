from pathlib import Path

import numpy as np
import pytest
from audit import drawn

from anonymizer.audit.pairs import Pairs, as_they_are
from anonymizer.audit.redactions import NAMED
from anonymizer.audit.training import CURVE_NAME, SETTINGS_NAME, Training, begin, load_reversal, train
from anonymizer.errors import SettingsError

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
"""Keras converts its variables in a way that NumPy 2 warns of."""

TRAINING = Training(side_px=32, epochs=2, seed=1, redaction="solid")


def pairs() -> Pairs:
    return as_they_are(drawn.faces(2, 3), NAMED["solid"], 32)


def ignore(text: str) -> None:
    pass


def test_a_training_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", TRAINING, pairs(), pairs(), ignore)

    def end_after_one(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", TRAINING, pairs(), pairs(), end_after_one)
    assert len((tmp_path / "parts" / CURVE_NAME).read_text().splitlines()) == 2
    told: list[str] = []
    rest = train(tmp_path / "parts", TRAINING, pairs(), pairs(), told.append)
    assert len(told) == 1
    faces = pairs().redacted
    np.testing.assert_allclose(whole(faces).astype(int), rest(faces).astype(int), atol=1)
    np.testing.assert_array_equal(load_reversal(tmp_path / "parts")(faces), rest(faces))


def test_another_training_is_not_continued(tmp_path: Path) -> None:
    begin(tmp_path, Training(32, 1, 1, "solid"))
    with pytest.raises(SettingsError, match="another training"):
        train(tmp_path, Training(32, 1, 2, "solid"), pairs(), pairs(), ignore)
    (tmp_path / SETTINGS_NAME).write_text("damaged")
    with pytest.raises(SettingsError, match="another training"):
        begin(tmp_path, Training(32, 1, 1, "solid"))


def test_a_training_may_be_given_more_epochs(tmp_path: Path) -> None:
    begin(tmp_path, Training(32, 1, 1, "solid"))
    begin(tmp_path, Training(32, 2, 1, "solid"))
    with pytest.raises(SettingsError, match="another training"):
        begin(tmp_path, Training(32, 1, 1, "solid"))


@pytest.mark.slow
def test_a_training_by_the_recogniser_goes_on_where_it_was(tmp_path: Path) -> None:
    training = Training(32, 2, 1, "solid", perceptual=0.1)

    def end_after_one(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training, pairs(), pairs(), end_after_one)
    train(tmp_path, training, pairs(), pairs(), ignore)
    assert load_reversal(tmp_path).training == training
    assert len((tmp_path / CURVE_NAME).read_text().splitlines()) == 3


def test_a_folder_without_a_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no network"):
        load_reversal(tmp_path)
