"""Finds faces and plates: descriptions of models, their loaders, and the merging of what they say."""
