"""Intervals, curves and tests over seeds: NumPy and SciPy only."""
