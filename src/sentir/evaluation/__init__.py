"""Metrics, the baseline, plots and the report."""
