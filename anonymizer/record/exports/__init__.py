"""Detections in the formats of annotation tools: one pure file per format, and the comparison with the record."""
