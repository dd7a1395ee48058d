"""Text that is shown to people."""


def printable(text: str) -> str:
    """The text on one line, with everything escaped that a terminal or a browser would obey or cannot show.

    File names may hold line breaks, escape sequences, bytes that are not text, and what reverses the direction of text.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
