"""The tasks."""

import time

from proj.app import app


@app.task
def add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y


@app.task
def mul(x: int, y: int) -> int:
    """Multiply two numbers."""
    return x * y


@app.task
def xsum(numbers: list[int]) -> int:
    """Add many numbers."""
    return sum(numbers)


@app.task(track_started=True)
def nap(seconds: float) -> str:
    """Take a while."""
    time.sleep(seconds)
    return "rested"
