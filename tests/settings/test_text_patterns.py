from pathlib import Path

import pytest

from anonymizer.errors import SettingsError
from anonymizer.settings import ChooseSettings, Settings, settings_from_options
from anonymizer.settings.text_patterns import MAX_FILE_BYTES, parse_text_patterns, plain_text_patterns


def test_an_expression_a_file_or_a_list(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("\ufeffAda\n\n# a comment\n  \\d{5} \nMüller\n", encoding="utf-8")
    assert parse_text_patterns(str(file)) == ("Ada", r"\d{5}", "Müller")
    assert parse_text_patterns("Ada|Grace") == ("Ada|Grace",)
    assert parse_text_patterns(["a", "b"]) == ("a", "b")
    assert parse_text_patterns(None) is None
    for given in (None, ("a", "b")):
        assert parse_text_patterns(plain_text_patterns(given)) == given


def test_a_text_that_can_be_no_name_of_a_file_is_an_expression() -> None:
    assert parse_text_patterns("a" * 10_000) == ("a" * 10_000,)
    assert parse_text_patterns("a\0b") == ("a\0b",)


def test_a_file_that_is_not_there_is_no_expression(tmp_path: Path) -> None:
    """Else no text would match the name of the file, and all of them would stay visible."""
    (tmp_path / "folder").mkdir()
    for lost in ("names.txt", "lists/Names.TXT", str(tmp_path / "names"), f"{tmp_path}/folder"):
        with pytest.raises(ValueError, match="looks like a file, which is not there") as caught:
            parse_text_patterns(lost)
        assert "ames" not in str(caught.value)
    for expression in (r"(names\.txt)", r".*\.txt", "km/h", r"\d{2}/\d{2}", "a.b"):
        assert parse_text_patterns(expression) == (expression,)
    assert parse_text_patterns(["names.txt"]) == ("names.txt",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no regular expression"),
        (b"# nothing\n", "holds no regular expression"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"a\nb(\n", "number 2 is no regular expression"),
        (b"a" * (MAX_FILE_BYTES + 1), "is larger than"),
    ],
)
def test_wrong_files(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SettingsError, match=f"^--text-match: .*{message}"):
        ChooseSettings(text_match=str(tmp_path / "file"))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["Mueller(", "[z-a]", 3, [3], [""], []])
def test_wrong_values_are_not_repeated_in_the_message(value: object) -> None:
    with pytest.raises(SettingsError, match=r"^--text-match: ") as caught:
        ChooseSettings(text_match=value)  # type: ignore[arg-type]
    assert "Mueller" not in str(caught.value)


def test_the_report_holds_a_checksum_in_their_place() -> None:
    some, others = (Settings(choose=ChooseSettings(text_match=(name,))) for name in ("Ada", "Grace"))
    reported = some.as_dict()
    assert len(str(reported["text-match"])) == 64
    assert "Ada" not in str(reported)
    assert some.digest() != others.digest()
    assert settings_from_options(reported).choose.text_match == (reported["text-match"],)
