"""What `caraway migrate-check` knows of Celery, and how it reads and rewrites a project's source."""

__all__: list[str] = []
