"""What makes an app one of a Django project."""

from typing import Any

import django
from django.apps import apps

from caraway.contrib.django.connections import CloseConnections
from caraway.contrib.django.task import DjangoTask
from caraway.signals import import_modules
from caraway.task import Task

__all__ = ["install"]


def install(app: Any) -> None:
    """Give an app's tasks `delay_on_commit`, set Django up before its modules are imported, and close connections.

    An app does it itself when it is made and the environment says DJANGO_SETTINGS_MODULE. One that was given another
    `task_cls` keeps it: base that on DjangoTask.
    """
    if app._task_cls is Task:
        app.Task = DjangoTask
    app.add_middleware(CloseConnections())
    app.installed_packages = _installed
    import_modules.connect(_set_up, sender=app, weak=False, dispatch_uid="caraway.contrib.django")


def _installed() -> list[str]:
    """The packages of INSTALLED_APPS, which `autodiscover_tasks()` looks through."""
    return [config.name for config in apps.get_app_configs()]


def _set_up(**_kwargs: Any) -> None:
    """Do what manage.py does before anything else: a worker, or a shell, is about to import the app's modules."""
    django.setup()
