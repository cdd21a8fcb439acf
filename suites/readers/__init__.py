"""Readers of annotation files: one module a form, each yielding ``suites.annotations``."""
