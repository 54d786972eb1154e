"""Where Celery's programs import `uuid`, `get_task_logger` and `Signal` from; nothing else belongs here."""

from caraway.ids import uuid7 as uuid

__all__ = ["uuid"]
