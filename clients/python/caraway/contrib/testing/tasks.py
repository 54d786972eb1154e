"""A task for tests of whether a worker works: Celery's `celery.contrib.testing.tasks`."""

from caraway.app import shared_task

__all__ = ["ping"]


@shared_task(name="celery.ping")
def ping() -> str:
    """Give "pong"."""
    return "pong"
