"""TaskHooks: what a task class may define to be called around each attempt, in the worker."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from caraway.exception_info import ExceptionInfo

__all__ = ["TaskHooks"]


class TaskHooks:
    """The hooks, with Celery's arguments; each may be an `async def`, which is awaited.

    They run in the process that runs the task, before its outcome is reported, with `self.request` as the task has it.
    Where that process is killed (hard time limit, crash) none is called. What a hook raises is logged and changes
    nothing; only `before_start` is part of the attempt, which ends by what it raises.
    """

    HOOKS: ClassVar = frozenset({"after_return", "before_start", "on_failure", "on_retry", "on_success"})
    METHODS: ClassVar = frozenset({"shadow_name"})
    """Of Task's, what the decorator may be given as a function beside these."""

    def before_start(self, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Called before the task's body; what it raises ends the attempt as if the body had raised it."""

    def on_success(self, retval: Any, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Called when the body has returned `retval`, and that could be written."""

    def on_retry(
        self, exc: BaseException, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], einfo: ExceptionInfo
    ) -> Any:
        """Called when the task asked to be tried again because of `exc`. `einfo` is about the Retry itself."""

    def on_failure(
        self, exc: BaseException, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], einfo: ExceptionInfo
    ) -> Any:
        """Called when the task has failed with `exc` for good."""

    def after_return(
        self,
        status: str,
        retval: Any,
        task_id: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        einfo: ExceptionInfo | None,
    ) -> Any:
        """Called after on_success ("SUCCESS" and the result) and on_failure ("FAILURE" and the exception)."""

    def _has_hooks(self) -> bool:
        """Whether any hook is defined, so that tasks without pay nothing for them."""
        return any(
            name in vars(self) or getattr(type(self), name) is not getattr(TaskHooks, name) for name in self.HOOKS
        )
