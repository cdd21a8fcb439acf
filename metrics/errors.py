"""What this room raises on purpose."""

from __future__ import annotations


class MetricError(Exception):
    """Base of every error a metric raises on purpose; the message names what to change."""


class EncoderError(MetricError):
    """The sentence encoder cannot be had exactly as asked for; nothing replaces it silently."""
