from __future__ import annotations

import pickle

import pytest
from fakes import FixedDetector, face, load_nothing, load_troublesome, noise
from web.served import png

from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import ModelError, SettingsError
from anonymizer.settings import DetectSettings, ReadSettings, Settings
from anonymizer.web.orders import Done, Failed, Order
from anonymizer.web.redaction_task import RedactionTask

PICTURE = png(noise(30, 40))


def load(settings: DetectSettings) -> ModelFinder:
    if settings.preset == "thorough":
        raise ModelError("no model finds --kinds plate")
    if settings.preset == "fast":
        raise SettingsError("--kinds area: no model looks for that")
    return ModelFinder([FixedDetector(face(5, 5, 15, 15))], settings)


def test_a_picture_is_redacted() -> None:
    done = RedactionTask(DetectSettings(), load).begin()(Order(PICTURE, Settings()))
    assert isinstance(done, Done)
    assert done.counts == {"face": 1}
    assert done.seconds > 0


@pytest.mark.parametrize(
    ("order", "problem", "reason"),
    [
        (Order(b"hello", Settings()), "picture-failed", "is no picture"),
        (Order(PICTURE, Settings(read=ReadSettings(max_pixels=100))), "too-large", "more than max-pixels"),
        (Order(PICTURE, Settings(detect=DetectSettings(preset="thorough"))), "wrong-setting", "finds kinds plate"),
        (Order(PICTURE, Settings(detect=DetectSettings(preset="fast"))), "wrong-setting", "kinds area: no model"),
    ],
)
def test_what_fails_is_an_answer_too(order: Order, problem: str, reason: str) -> None:
    failed = RedactionTask(DetectSettings(), load).begin()(order)
    assert isinstance(failed, Failed)
    assert failed.problem == problem
    assert reason in failed.reason


def test_a_finder_is_made_once_for_equal_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[DetectSettings] = []

    def counting(settings: DetectSettings) -> ModelFinder:
        made.append(settings)
        return load(settings)

    work = RedactionTask(DetectSettings(), counting).begin()
    for threshold in (None, 0.5, None, 0.5):
        work(Order(PICTURE, Settings(detect=DetectSettings(face_threshold=threshold))))
    assert made == [DetectSettings(), DetectSettings(face_threshold=0.5)]


def test_models_that_are_damaged_stop_the_server() -> None:
    with pytest.raises(ModelError):
        RedactionTask(DetectSettings(), load_nothing).begin()


def test_it_can_be_sent_and_gives_up_in_the_words_of_the_server() -> None:
    task = RedactionTask(DetectSettings(), load_troublesome)
    assert pickle.loads(pickle.dumps(task)) == task
    order = Order(PICTURE, Settings())
    assert task.give_up(order, "took longer than --timeout 5 seconds").reason == "took longer than 5 seconds"
    task.sweep(order)
