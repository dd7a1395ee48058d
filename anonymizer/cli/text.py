"""Text for a terminal."""


def printable(text: str) -> str:
    """The text with everything escaped that a terminal would obey or cannot show.

    File names may hold line breaks, escape sequences and bytes that are no text.
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
