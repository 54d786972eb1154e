"""Queue: a queue that is named in `task_queues`."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final

from caraway.exceptions import ImproperlyConfigured

__all__ = ["DEFAULT_QUEUE", "Queue", "name_of", "names_of", "tell_once"]

DEFAULT_QUEUE: Final = "default"
"""Where the gateway puts a task that names no queue."""

_told: Final[set[str]] = set()


class Queue:
    """A queue by its name, which is all that a queue is here. kombu's other arguments are taken, with one warning."""

    def __init__(self, name: str = "", exchange: Any = None, routing_key: str | None = None, **options: Any) -> None:
        """Raises ImproperlyConfigured without a name."""
        if not name or not isinstance(name, str):
            raise ImproperlyConfigured(f"a queue has a name, and {name!r} is none")
        self.name = name
        self.exchange = exchange
        self.routing_key = routing_key or name
        self.options = options
        tell_once(
            "Queue",
            [key for key, value in {"exchange": exchange, "routing_key": routing_key, **options}.items() if value],
        )

    def __repr__(self) -> str:
        """Its name."""
        return f"<Queue {self.name}>"

    def __eq__(self, other: object) -> bool:
        """Queues of one name are one queue."""
        return isinstance(other, Queue) and other.name == self.name

    def __hash__(self) -> int:
        """By its name."""
        return hash(self.name)


def names_of(queues: Any) -> tuple[str, ...]:
    """Give the names in a `task_queues`: a list of Queues (kombu's too) or names, or a dict by names.

    Raises ImproperlyConfigured.
    """
    if isinstance(queues, Mapping):
        for options in queues.values():
            tell_once("task_queues", [key for key, value in dict(options or {}).items() if value])
        return tuple(queues)
    if isinstance(queues, str) or not isinstance(queues, Iterable):
        raise ImproperlyConfigured(f"task_queues is to be a list of queues, or a dict by their names, not {queues!r}")
    return tuple(name_of(queue) for queue in queues)


def name_of(queue: Any) -> str:
    """Give the name of a queue, or of its name. Raises ImproperlyConfigured for anything else."""
    name = queue if isinstance(queue, str) else getattr(queue, "name", None)
    if not isinstance(name, str) or not name:
        raise ImproperlyConfigured(f"a queue is named by a text or a Queue, not {queue!r}")
    return name


def tell_once(where: str, without_effect: list[str]) -> None:
    """Warn of options that have no meaning here; of each once in a process."""
    new = [option for option in without_effect if f"{where}.{option}" not in _told]
    if new:
        _told.update(f"{where}.{option}" for option in new)
        warnings.warn(
            f"{where}: {', '.join(new)} mean nothing in Caraway: a queue is its name, and tasks go to queues by name",
            UserWarning,
            stacklevel=3,
        )
