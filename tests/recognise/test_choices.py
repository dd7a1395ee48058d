from pathlib import Path

import pytest

from anonymizer.errors import SettingsError
from anonymizer.recognise.choices import load_choices
from anonymizer.recognise.text_choice import TextChoice
from anonymizer.settings import ChooseSettings, Settings


def test_only_what_the_settings_ask_for_is_loaded(tmp_path: Path) -> None:
    assert load_choices(Settings()) == []
    (choice,) = load_choices(Settings(choose=ChooseSettings(text_match=("Ada",))))
    assert isinstance(choice, TextChoice)
    with pytest.raises(SettingsError, match="holds no picture"):
        load_choices(Settings(choose=ChooseSettings(keep_visible=tmp_path, text_match=("Ada",))))
