"""Measurements as commands: `python -m tests.benchmarks.NAME --help`. pytest does not collect them."""
