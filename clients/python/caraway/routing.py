"""Routing: where an app's calls go, and how early they are taken; docs/routing.md says more."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from caraway import request
from caraway.conf import app_setting
from caraway.content import Content
from caraway.exceptions import QueueNotFound
from caraway.queues import DEFAULT_QUEUE, name_of, names_of
from caraway.routes import Routes
from caraway.spec import CallOptions

__all__ = ["Routing"]

_LAST_PRIORITY: Final = 9


class Routing(Content):
    """Base of apps."""

    task_routes: Any = app_setting("task_routes")
    task_queues: Any = app_setting("task_queues")
    task_create_missing_queues: bool = app_setting("task_create_missing_queues")
    task_default_priority: int | None = app_setting("task_default_priority")
    task_inherit_parent_priority: bool = app_setting("task_inherit_parent_priority")
    task_priority_zero_first: bool = app_setting("task_priority_zero_first")
    task_annotations: Any = app_setting("task_annotations")

    default_queue: str

    _routes_of: tuple[Any, Routes] | None = None
    _names_of: tuple[Any, tuple[str, ...]] | None = None

    @property
    def _default_options(self) -> CallOptions:
        """Options of every call that does not name them; of those that routing says nothing of."""
        raise NotImplementedError

    @property
    def tasks(self) -> Mapping[str, Any]:
        """All tasks by their names."""
        raise NotImplementedError

    @property
    def queue_names(self) -> tuple[str, ...]:
        """The queues that a worker serves by default. Raises ImproperlyConfigured for a wrong `task_queues`."""
        queues = self.task_queues
        if not queues:
            return (self.default_queue,)
        if self._names_of is None or self._names_of[0] is not queues:
            self._names_of = (queues, names_of(queues))
        return self._names_of[1]

    def routed(
        self,
        name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: CallOptions,
        parent_priority: int | None = None,
    ) -> CallOptions:
        """Complete the options of a call, which go before all else: by routes, then by the app's defaults.

        `parent_priority` is that of the task before it in a canvas. Raises QueueNotFound for a queue that may not be
        named, ImproperlyConfigured for wrong settings, ValueError for a priority.
        """
        found: dict[str, Any] = {option: value for option, value in options.items() if value is not None}
        if self.task_routes is not None:
            found = {**self._routes.find(name, args, kwargs, options, self.tasks.get(name)), **found}
        queue = self.checked_queue(found.get("queue") or self.default_queue)
        if "queue" in found or queue != DEFAULT_QUEUE:
            found["queue"] = queue
        priority = found["priority"] if "priority" in found else self._inherited(parent_priority)
        if priority is not None:
            found["priority"] = self.turned(priority)
        return cast(CallOptions, {**self._default_options, **found} if self._default_options else found)

    @property
    def _routes(self) -> Routes:
        routes = self.task_routes
        if self._routes_of is None or self._routes_of[0] is not routes:
            self._routes_of = (routes, Routes(routes))
        return self._routes_of[1]

    def checked_queue(self, queue: Any) -> str:
        """Give the name of a queue, or of a Queue. Raises QueueNotFound where it may not be named."""
        name = queue if isinstance(queue, str) else name_of(queue)
        if not self.task_create_missing_queues and name not in self.queue_names:
            known = ", ".join(self.queue_names)
            raise QueueNotFound(f"the app's task_queues has no queue {name!r}, but {known}")
        return name

    def _inherited(self, parent_priority: int | None) -> int | None:
        if self.task_inherit_parent_priority:
            running = request.current()
            if parent_priority is not None:
                return parent_priority
            if running is not None and "priority" in running.delivery_info:
                return cast(int, running.delivery_info["priority"])
        return self.task_default_priority

    def turned(self, priority: int) -> int:
        """Turn a priority from the app's words into the contract's, or back. Raises ValueError for what is none."""
        if not self.task_priority_zero_first:
            return priority
        if not 0 <= priority <= _LAST_PRIORITY:
            raise ValueError(f"priority is to be from 0 (first) to {_LAST_PRIORITY}, not {priority!r}")
        return _LAST_PRIORITY - priority
