"""A blog whose comments are looked at by a task before they are shown."""

from blog.celery import app as celery_app

__all__ = ["celery_app"]
