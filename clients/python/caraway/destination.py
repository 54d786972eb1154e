"""Which workers are meant: all, some by name or id, or those whose names fit a pattern."""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from caraway.v1 import control_service_pb2

__all__ = ["Destination", "keyed"]

_MATCHERS: Final = ("glob", "pcre")


@dataclass(frozen=True, slots=True)
class Destination:
    """A choice among workers, in Celery's words. Raises ValueError for a matcher that does not exist.

    Arguments: `names`: node names or worker ids, None: all; `pattern` is one of names, by `matcher`: "glob" or "pcre".
    """

    names: tuple[str, ...] | None = None
    pattern: str | None = None
    matcher: str = "glob"

    def __post_init__(self) -> None:
        """Check it."""
        if self.matcher not in _MATCHERS:
            raise ValueError(f"matcher is to be one of {', '.join(_MATCHERS)}, not {self.matcher!r}")

    @classmethod
    def of(cls, names: str | Iterable[str] | None, pattern: str | None = None, matcher: str | None = None) -> Any:
        """Take names as Celery's programs give them: one, several or None."""
        several = (names,) if isinstance(names, str) else None if names is None else tuple(names)
        return cls(several, pattern, matcher or "glob")

    def choose(self, workers: Iterable[control_service_pb2.Worker]) -> list[control_service_pb2.Worker]:
        """Give those that are meant."""
        return [worker for worker in workers if self._means(worker)]

    def _means(self, worker: control_service_pb2.Worker) -> bool:
        name = worker.info.name
        if self.names is not None and not {worker.worker_id, name} & set(self.names):
            return False
        if self.pattern is None:
            return True
        if self.matcher == "glob":
            return fnmatch.fnmatchcase(name, self.pattern)
        return re.match(self.pattern, name) is not None


def keyed(workers: Sequence[control_service_pb2.Worker]) -> dict[str, str]:
    """Give the name that stands for each worker in replies, by its id: its node name, unless another has that too."""
    keys: dict[str, str] = {}
    for worker in workers:
        name = worker.info.name
        keys[worker.worker_id] = name if name and name not in keys.values() else worker.worker_id
    return keys
