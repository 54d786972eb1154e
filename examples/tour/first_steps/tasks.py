"""The app of this page, and its tasks. The worker: caraway worker -A tasks"""

from caraway import Caraway

# Tasks without a queue of their own go to "first_steps", so that each page of the tour has its own worker.
app = Caraway("tasks", default_queue="first_steps")


@app.task
def add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y


@app.task
def divide(x: int, y: int) -> float:
    """Divide two numbers, where that can be done."""
    return x / y
