"""Films: read, written and checked with PyAV, the extra `video`. Nothing else knows films."""
