"""CloseConnections: a task begins and ends without database connections that are past their time."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django import db

from caraway.middleware import Middleware
from caraway.request import Context

__all__ = ["CloseConnections"]


class CloseConnections(Middleware):
    """Does around each attempt what Django does around each request.

    By CONN_MAX_AGE a connection is closed when its task ends, or is kept for the next one in the same thread; one that
    broke is closed before the next task would use it.
    """

    def attempt(self, context: Context, call_next: Callable[[Context], Any]) -> Any:
        """Around an attempt. One that runs eagerly is part of somebody's request, and is left alone."""
        if context.is_eager:
            return call_next(context)
        _begin()
        try:
            return call_next(context)
        finally:
            db.close_old_connections()

    async def aattempt(self, context: Context, call_next: Callable[[Context], Awaitable[Any]]) -> Any:
        """Async twin of `attempt`, in the thread that Django's async ORM has its connections in."""
        if context.is_eager:
            return await call_next(context)
        await sync_to_async(_begin)()
        try:
            return await call_next(context)
        finally:
            await sync_to_async(db.close_old_connections)()


def _begin() -> None:
    db.reset_queries()
    db.close_old_connections()
