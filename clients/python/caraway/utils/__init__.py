"""Where Celery's programs import `get_task_logger` from; nothing else belongs here."""

__all__: list[str] = []
