"""Routing: where an app's calls go, and how early they are taken; docs/routing.md says more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

    _rules_of: tuple[Any, "_Rules"] | None = None

    @property
    def _for_calls(self) -> tuple[CallOptions, Any]:
        """What the settings say of every call, but for queue and priority; another object after each change of them."""
        raise NotImplementedError

    @property
    def tasks(self) -> Mapping[str, Any]:
        """All tasks by their names."""
        raise NotImplementedError

    @property
    def queue_names(self) -> tuple[str, ...]:
        """The queues that a worker serves by default. Raises ImproperlyConfigured for a wrong `task_queues`."""
        return self._rules.queues

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
        rules = self._rules
        found: dict[str, Any] = {option: value for option, value in options.items() if value is not None}
        if rules.routes is not None:
            found = {**rules.routes.find(name, args, kwargs, options, self.tasks.get(name)), **found}
        if "queue" in found or not rules.any_queue:
            found["queue"] = self.checked_queue(found.get("queue", self.default_queue))
        if rules.inherits and "priority" not in found:
            inherited = _inherited(parent_priority)
            found = found if inherited is None else {**found, "priority": inherited}
        if rules.zero_first and "priority" in found:
            found["priority"] = _turned(found["priority"])
        return cast(CallOptions, {**rules.defaults, **found} if rules.defaults else found)

    @property
    def _rules(self) -> "_Rules":
        known, settings = self._rules_of, self._for_calls
        if known is None or known[0] is not settings:
            known = self._rules_of = (settings, self._make_rules())
        return known[1]

    def _make_rules(self) -> "_Rules":
        defaults: dict[str, Any] = dict(self._for_calls[0])
        if self.default_queue != DEFAULT_QUEUE:
            defaults["queue"] = self.default_queue
        if self.task_default_priority is not None:
            priority = self.task_default_priority
            defaults["priority"] = _turned(priority) if self.task_priority_zero_first else priority
        return _Rules(
            defaults=defaults,
            queues=names_of(self.task_queues) if self.task_queues else (self.default_queue,),
            any_queue=self.task_create_missing_queues,
            routes=None if self.task_routes is None else Routes(self.task_routes),
            inherits=self.task_inherit_parent_priority,
            zero_first=self.task_priority_zero_first,
        )

    def checked_queue(self, queue: Any) -> str:
        """Give the name of a queue, or of a Queue. Raises QueueNotFound where it may not be named."""
        name = queue if isinstance(queue, str) else name_of(queue)
        rules = self._rules
        if not rules.any_queue and name not in rules.queues:
            known = ", ".join(rules.queues)
            raise QueueNotFound(f"the app's task_queues has no queue {name!r}, but {known}")
        return name

    def turned(self, priority: int) -> int:
        """Turn a priority from the app's words into the contract's, or back. Raises ValueError for what is none."""
        return _turned(priority) if self._rules.zero_first else priority


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the settings say, as it is needed for every call."""

    defaults: dict[str, Any]
    queues: tuple[str, ...]
    any_queue: bool
    routes: Routes | None
    inherits: bool
    zero_first: bool


def _inherited(parent_priority: int | None) -> int | None:
    if parent_priority is not None:
        return parent_priority
    running = request.current()
    return None if running is None else running.delivery_info.get("priority")


def _turned(priority: int) -> int:
    if not 0 <= priority <= _LAST_PRIORITY:
        raise ValueError(f"priority is to be from 0 (first) to {_LAST_PRIORITY}, not {priority!r}")
    return _LAST_PRIORITY - priority
