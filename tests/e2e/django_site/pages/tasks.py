"""Tasks that tell what they find."""

import os

from asgiref.sync import sync_to_async
from django.db import connection

from caraway import shared_task
from e2e.django_site.pages.models import Page


def use_database() -> bool:
    """Whether this thread had a connection already; it has one after this."""
    had = connection.connection is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return had


@shared_task
def sync_task() -> tuple[int, bool]:
    """The process, and whether it had a connection."""
    return os.getpid(), use_database()


@shared_task
async def async_task() -> tuple[int, bool]:
    """The same, by way of Django's async thread."""
    return os.getpid(), await sync_to_async(use_database)()


@shared_task(bind=True)
def about(self) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """What there is."""
    return {"table": Page._meta.db_table, "on_commit": hasattr(self, "delay_on_commit"), "name": self.name}
