from pathlib import Path

import pytest
from stores import in_memory

from anonymizer.check.brought import brought_here, remove_brought
from anonymizer.check.inputs import InputFile
from anonymizer.errors import PictureError, VanishedError
from anonymizer.files.storage import FsspecStorage
from anonymizer.files.store_reading import fetched


def test_files_of_this_machine_stay_where_they_are(tmp_path: Path) -> None:
    file = InputFile(tmp_path, "a.jpg", "a.jpg")
    with brought_here(file) as local:
        assert local == file


@pytest.mark.parametrize("record", ["a.json", "a.jpg.json"])
def test_brings_a_file_with_its_record_and_its_original(record: str) -> None:
    root, originals = in_memory({"sub/a.jpg": b"one", f"sub/{record}": b"[]"}), in_memory({"sub/a.jpg": b"other"})
    with brought_here(InputFile(root, "sub/a.jpg", "sub/a.jpg", originals=originals)) as local:
        assert local.path.read_bytes() == b"one"
        assert [path.name for path in local.records if path.exists()] == [record]
        assert local.original is not None
        assert local.original.read_bytes() == b"other"
    assert not local.path.exists()
    assert not local.original.exists()


def test_the_record_that_the_listing_names() -> None:
    root = in_memory({"a.jpg": b"", "a.json": b"[]", "a.jpg.json": b"[1]"})
    with brought_here(InputFile(root, "a.jpg", "a.jpg", record="a.json")) as local:
        assert [path.read_bytes() for path in local.records] == [b"[]"]


def test_what_is_missing() -> None:
    root = in_memory({"a.jpg": b""})
    with pytest.raises(VanishedError), brought_here(InputFile(root, "b.jpg", "b.jpg")):
        pass
    file = InputFile(root, "a.jpg", "a.jpg", originals=in_memory({}))
    with pytest.raises(PictureError, match="its original cannot be opened"), brought_here(file):
        pass


def test_a_record_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = FsspecStorage.fetch

    def refuse(self: FsspecStorage, name: Path, local: Path) -> None:
        if name.suffix == ".json":
            raise PermissionError(13, "access denied")
        usual(self, name, local)

    monkeypatch.setattr(FsspecStorage, "fetch", refuse)
    with (
        pytest.raises(PictureError, match="its record cannot be read: access denied"),
        brought_here(InputFile(in_memory({"a.jpg": b""}), "a.jpg", "a.jpg")),
    ):
        pass


def test_removes_what_a_killed_process_had_brought() -> None:
    root = in_memory({"a.jpg": b""})
    with fetched(root, Path("a.jpg")) as folder:
        remove_brought(InputFile(root, "a.jpg", "a.jpg", originals=root))
        assert not folder.exists()
