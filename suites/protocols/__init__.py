"""Evaluation protocols: how a suite's answers become scores. Each has a name and a version."""
