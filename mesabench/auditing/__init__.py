"""Organisms with planted goals, and detectors that are put to the test on them."""
