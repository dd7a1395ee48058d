"""All that decides what stays visible of what is found, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from anonymizer.settings import Settings

if TYPE_CHECKING:
    from anonymizer.recognise.choice import GalleryChoice
    from anonymizer.recognise.text_choice import TextChoice

    AnyChoice: TypeAlias = GalleryChoice | TextChoice


def load_choices(settings: Settings) -> list[AnyChoice]:
    """Neither loaded nor imported is what the settings do not ask for.

    Raises:
        SettingsError: the gallery does not show clear faces.
        ModelError: a model is missing or damaged.
    """
    choices: list[AnyChoice] = []
    if settings.choose.gallery is not None:
        from anonymizer.recognise.choice import load_choice

        by_gallery = load_choice(settings.choose, settings.detect.hide_all_but)
        choices += [] if by_gallery is None else [by_gallery]
    if settings.choose.text_match is not None:
        from anonymizer.recognise.text_choice import load_text_choice

        by_text = load_text_choice(settings.choose)
        choices += [] if by_text is None else [by_text]
    return choices
