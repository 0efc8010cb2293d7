"""Measures of one policy: returns between floor and ceiling, directedness, planning, evidence."""
