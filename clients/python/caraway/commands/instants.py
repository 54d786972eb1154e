"""Instants and spans as options of commands give them."""

from datetime import datetime

import click

from caraway.settings import DURATION, Unreadable

__all__ = ["read_instant", "read_span"]


def read_instant(option: str, text: str) -> datetime:
    """Read ISO 8601. Raises UsageError, with the option's name."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is no instant like 2030-01-31T12:00:00Z: {text}") from error


def read_span(text: str) -> float | None:
    """Read a duration, in seconds; None where it is none."""
    try:
        return float(DURATION.read(text).total_seconds())
    except Unreadable:
        return None
