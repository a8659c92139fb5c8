"""Benches: ratios between programs measured in one run, never a timed test."""
