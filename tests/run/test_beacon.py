"""The sign by which other machines see that they share the output folder."""

from pathlib import Path

import pytest

from anonymizer.errors import OutputError
from anonymizer.run.beacon import Beacon, lit_beacon


def test_it_is_there_as_long_as_the_run_goes_on(tmp_path: Path) -> None:
    with lit_beacon(tmp_path / "manifest.sqlite") as beacon:
        beacon.require()
        assert [path.name for path in tmp_path.iterdir()] == [".manifest.beacon"]
    assert not list(tmp_path.iterdir())


def test_another_folder_under_the_same_path_is_refused(tmp_path: Path) -> None:
    with lit_beacon(tmp_path / "manifest.sqlite") as beacon, lit_beacon(tmp_path / "other.sqlite") as other:
        with pytest.raises(OutputError, match="is not that of the machine where the run began"):
            Beacon(beacon.path, other.text).require()
        with pytest.raises(OutputError, match="all machines of the cluster must share it"):
            Beacon(tmp_path / "gone" / "beacon", beacon.text).require()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"), lit_beacon(tmp_path / "gone" / "manifest.sqlite"):
        pass
