"""DjangoTask: a task that can be submitted once the transaction that is open has been committed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ParamSpec, Unpack

from django.db import transaction
from typing_extensions import TypeVar

from caraway.ids import uuid7
from caraway.result import AsyncResult
from caraway.spec import CallOptions
from caraway.task import Task

__all__ = ["DjangoTask"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", default=R)


class DjangoTask(Task[P, R, C]):
    """The base of tasks in a Django project: `app.Task` there."""

    def delay_on_commit(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Submit a call of the task when the open transaction is committed; at once where none is open.

        Returns the result to come, whose id is known now, for a row of the same transaction to hold. Until then, and
        for ever when the transaction is rolled back, reading it raises TaskNotFound. Raises TypeError for arguments
        that do not fit; what `delay` raises beside that is raised by the commit.
        """
        return self.apply_async_on_commit(args, kwargs)

    def apply_async_on_commit(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        using: str | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[R]:
        """As `delay_on_commit`, with options. `using` is the alias of the database, by default Django's."""
        self._call(args, kwargs)  # what does not fit is told here, and not by the commit
        options.setdefault("task_id", uuid7())
        result: AsyncResult[R] = self.AsyncResult(options["task_id"])
        transaction.on_commit(partial(self._submit_for, result, args, kwargs, options), using=using)
        return result

    def _submit_for(
        self,
        result: AsyncResult[R],
        args: Sequence[Any] | None,
        kwargs: Mapping[str, Any] | None,
        options: CallOptions,
    ) -> None:
        # Another id where a unique task was there already.
        result.id = self.apply_async(args, kwargs, **options).id
