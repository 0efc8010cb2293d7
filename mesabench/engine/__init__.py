"""Levels and steps: the rules, compiled, over many environments at once."""
