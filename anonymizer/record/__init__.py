"""What is written down: the detections of each picture, and the report of a run."""
