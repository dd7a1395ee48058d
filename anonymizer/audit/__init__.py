"""Attacks on redacted faces and plates: how much of them can be brought back, and who can still be told."""
