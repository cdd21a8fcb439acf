"""Metrics: pure functions and accumulators; arrays and strings in, numbers out."""
