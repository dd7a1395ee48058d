"""What a run will do is decided, and refused, before anything is written."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fakes import Folders, noise, save

from anonymizer.detect.description import ModelDescription
from anonymizer.errors import ModelError, OutputError, SettingsError
from anonymizer.run.plan import Plan, make_plan
from anonymizer.settings import DetectSettings, RecordSettings, RedactSettings, RunSettings, Settings, Shard
from anonymizer.types import Result


@pytest.fixture
def pictures(folders: Folders) -> Folders:
    for name in ("b.png", "a.png", "sub/c.png"):
        save(folders[0] / name, noise(8, 8))
    (folders[0] / "notes.txt").touch()
    return folders


def plan_for(folders: Folders, settings: Settings = Settings(), **run: Any) -> Plan:
    return make_plan(RunSettings(input=folders[0], image_output=folders[1], **run), settings)


def test_a_plan_names_everything_and_writes_nothing(pictures: Folders) -> None:
    plan = plan_for(pictures)
    assert (plan.input, plan.output) == pictures
    assert plan.report == pictures[1] / "anonymize-report.json"
    assert plan.manifest == pictures[1] / "anonymize-manifest.sqlite"
    assert plan.kinds == ("face", "plate")
    assert [model.name for model in plan.models] == ["centerface", "plate"]
    assert [model.thresholds for model in plan.models] == [{"face": 0.2}, {"plate": 0.525}]
    assert [job.name for job in plan.jobs] == ["a.png", "b.png", "sub/c.png"]
    assert plan.listing.not_looked_at == {".txt": 1}
    assert not pictures[1].exists()


@pytest.mark.parametrize(
    ("run", "missing"), [(RunSettings(), "--input"), (RunSettings(input=Path()), "--image-output")]
)
def test_folders_that_are_not_named(run: RunSettings, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"missing {missing}"):
        make_plan(run, Settings())


def test_the_fingerprint_is_that_of_all_that_decides_what_comes_out(
    pictures: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = save(tmp_path / "overlay.png", noise(8, 8, 4))
    with_overlay = Settings(redact=RedactSettings("image", overlay=overlay))
    usual = plan_for(pictures)
    first = plan_for(pictures, with_overlay)
    assert plan_for(pictures, workers=3, limit=1, overwrite=True).fingerprint == usual.fingerprint
    assert plan_for((pictures[0], tmp_path / "elsewhere")).fingerprint == usual.fingerprint
    others = [
        plan_for(pictures, Settings(detect=DetectSettings(plate_threshold=0.6))).fingerprint,
        plan_for(pictures, Settings(redact=RedactSettings("solid"))).fingerprint,
        first.fingerprint,
        replace(usual, models=usual.models[:1]).fingerprint,
    ]
    assert first.checksums == {"overlay": sha256(overlay.read_bytes()).hexdigest()}
    save(overlay, noise(8, 8, 4, seed=1))
    others.append(plan_for(pictures, with_overlay).fingerprint)
    without_paths = ModelDescription.without_paths
    monkeypatch.setattr(ModelDescription, "without_paths", lambda self: {**without_paths(self), "mean": 1.0})
    others.append(plan_for(pictures).fingerprint)
    assert len({usual.fingerprint, *others}) == 1 + len(others)


def test_shares_have_their_own_books_and_pictures(pictures: Folders) -> None:
    plans = [plan_for(pictures, shard=Shard(number, 2)) for number in (1, 2)]
    assert [plan.report.name for plan in plans] == ["anonymize-report-1-of-2.json", "anonymize-report-2-of-2.json"]
    assert [plan.manifest.name for plan in plans] == [f"anonymize-manifest-{number}-of-2.sqlite" for number in (1, 2)]
    assert sorted(job.name for plan in plans for job in plan.jobs) == ["a.png", "b.png", "sub/c.png"]


def test_an_input_without_pictures_is_refused_unless_that_is_meant(folders: Folders) -> None:
    (folders[0] / "notes.txt").touch()
    with pytest.raises(SettingsError, match=r"holds no picture .*--allow-empty"):
        plan_for(folders)
    assert list(plan_for(folders, allow_empty=True).jobs) == []


def test_nothing_to_write_is_refused(pictures: Folders) -> None:
    only_detects = Settings(redact=RedactSettings("none"))
    assert plan_for(pictures, only_detects).kinds == ("face", "plate")
    with pytest.raises(SettingsError, match="nothing else to write"):
        plan_for(pictures, replace(only_detects, record=RecordSettings(write_detections=False)))


@pytest.mark.parametrize(
    ("settings", "outputs"),
    [
        (Settings(), ["a.png", "a.json"]),
        (Settings(record=RecordSettings(write_detections=False)), ["a.png"]),
        (Settings(redact=RedactSettings("none")), ["a.json"]),
    ],
)
def test_the_outputs_of_a_picture(pictures: Folders, settings: Settings, outputs: list[str]) -> None:
    plan = plan_for(pictures, settings)
    assert plan.outputs_of(next(plan.jobs)) == [Path(name) for name in outputs]


def test_models_are_checked_before_pictures_are_looked_at(pictures: Folders, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(ModelError, match="holds no model"):
        plan_for(pictures, Settings(detect=DetectSettings(weights=tmp_path / "models")))


def test_an_overlay_that_is_not_a_picture(pictures: Folders) -> None:
    with pytest.raises(SettingsError, match="--overlay"):
        plan_for(pictures, Settings(redact=RedactSettings("image", overlay=Path(__file__))))


def test_the_output_of_an_earlier_run_is_ours(pictures: Folders) -> None:
    pictures[1].mkdir()
    (pictures[1] / "a.png").touch()
    with pytest.raises(OutputError, match="is not empty"):
        plan_for(pictures)
    (pictures[1] / "anonymize-manifest-1-of-2.sqlite").touch()
    assert plan_for(pictures).output == pictures[1]


@pytest.mark.parametrize("what", ["report", "profile"])
@pytest.mark.parametrize(
    "place", ["in/r.json", "out/a.json", "out/sub/../a.png", "out", "notes", "out/anonymize-manifest.sqlite"]
)
def test_reports_and_profiles_take_the_place_of_nothing_else(
    pictures: Folders, tmp_path: Path, what: str, place: str
) -> None:
    (tmp_path / "notes").write_text("mine")
    pictures[1].mkdir()
    with pytest.raises(OutputError, match=what):
        plan_for(pictures, Settings(), **{what: tmp_path / place})
    assert (tmp_path / "notes").read_text() == "mine"


def test_reports_and_profiles_replace_their_like(pictures: Folders, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("[]\n")
    (tmp_path / "r.json").write_bytes(b'{\n  "program": {\n    "name": "anonymize"')
    plan = plan_for(pictures, report=tmp_path / "r.json", profile=tmp_path / "t.json")
    assert plan.report == tmp_path / "r.json"
    (tmp_path / "r.json").write_text("mine")
    assert plan_for(pictures, report=tmp_path / "r.json", overwrite=True).report == tmp_path / "r.json"


def test_what_the_listing_could_not_enter(pictures: Folders) -> None:
    (pictures[0] / "again").symlink_to("sub")
    plan = plan_for(pictures)
    assert len(list(plan.jobs)) == 3
    assert plan.listing_problems() == [Result("again/", "skipped", "the same folder as sub/")]


def test_a_listing_is_not_held_in_memory(pictures: Folders) -> None:
    jobs = plan_for(pictures).jobs
    assert next(jobs).name == "a.png"
    (pictures[0] / "sub" / "d.png").touch()  # before its folder is listed
    assert [job.name for job in jobs] == ["b.png", "sub/c.png", "sub/d.png"]
