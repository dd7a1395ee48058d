"""Finds faces and plates: descriptions of models, their loaders, views of pictures, merging of detections."""
