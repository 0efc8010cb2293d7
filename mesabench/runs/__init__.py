"""Suites of trials: trained, evaluated, stored, resumed and compared."""
