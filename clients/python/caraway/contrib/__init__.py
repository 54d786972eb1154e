"""Modules that Celery's programs know by these names."""

__all__: list[str] = []
