"""Apps. Celery's programs import `app_or_default` and `shared_task` from here, too."""

from caraway.app.base import Caraway, Celery
from caraway.app.proxies import app_or_default, current_app, current_task
from caraway.app.shared import shared_task

__all__ = ["Caraway", "Celery", "app_or_default", "current_app", "current_task", "shared_task"]
