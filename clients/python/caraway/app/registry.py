"""TaskRegistry: the tasks of an app, by name."""

import inspect
from typing import Any, NoReturn

from caraway.exceptions import AlreadyRegistered, NotRegistered

__all__ = ["TaskRegistry"]


class TaskRegistry(dict[str, Any]):
    """A dict of tasks, in which a name that nobody has is NotRegistered."""

    NotRegistered = NotRegistered

    def __missing__(self, name: str) -> NoReturn:
        raise NotRegistered(f"no task is registered as {name!r}")

    def register(self, task: Any) -> None:
        """Add a task, or a task's class. A module may be imported again; another function must not take its name.

        Raises AlreadyRegistered for that.
        """
        made: Any = task() if inspect.isclass(task) else task
        known = self.get(made.name)
        if known is not None and _origin(known) != _origin(made):
            raise AlreadyRegistered(f"two functions claim the task name {made.name!r}; give one another name=")
        self[made.name] = made

    def unregister(self, name: Any) -> None:
        """Take a task out, by its name or itself. Raises NotRegistered."""
        name = getattr(name, "name", name)
        if name not in self:
            self.__missing__(name)
        del self[name]


def _origin(task: Any) -> tuple[str, str]:
    return task.function.__module__, task.function.__qualname__
