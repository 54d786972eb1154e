"""How often a submit is tried again while the gateway is away: Celery's `retry` and `retry_policy`."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from caraway.durations import seconds
from caraway.option_names import check_names

__all__ = ["ONCE", "SendPolicy", "send_policy"]


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """Up to `max_retries` further tries, None without end; between them waits that begin with `interval_start` seconds
    and grow by `interval_step` up to `interval_max`. Errors of the classes in `retry_errors` are tried again too.

    Without end is until shortly before the gateway would no longer know the task's id, see retry_clock.LONGEST_RETRY.
    """

    max_retries: int | None = 3
    interval_start: float = 0.0
    interval_step: float = 0.2
    interval_max: float = 0.2
    retry_errors: tuple[type[BaseException], ...] = ()

    def wait_after(self, retries: int) -> float:
        """Give the wait before the next try, in seconds; up to a tenth shorter by chance, so that clients that failed
        together do not return in step.
        """
        wait = min(self.interval_start + self.interval_step * retries, self.interval_max)
        return wait * random.uniform(0.9, 1.0)


ONCE: Final = SendPolicy(max_retries=0)
"""One try, whose error is raised."""

_NAMES: Final = frozenset(field.name for field in fields(SendPolicy))


def send_policy(retry: bool, policy: Mapping[str, Any] | None) -> SendPolicy | None:
    """Make the policy of the options `retry` and `retry_policy`; None is the SDK's own, of 20 seconds.

    Raises TypeError or ValueError for what is not one.
    """
    checked = _checked(policy) if policy else None
    return checked if retry else ONCE


def _checked(policy: Mapping[str, Any]) -> SendPolicy:
    check_names("retry_policy", policy, _NAMES, frozenset())
    values = dict(policy)
    most = values.get("max_retries")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
        raise ValueError(f"retry_policy's max_retries is a number of retries, or None for no end, not {most!r}")
    for name in ("interval_start", "interval_step", "interval_max"):
        if name in values:
            values[name] = seconds(f"retry_policy's {name}", values[name])
            if values[name] < 0:
                raise ValueError(f"retry_policy's {name} is negative: {values[name]!r}")
    errors = tuple(values.get("retry_errors") or ())
    if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in errors):
        raise TypeError(f"retry_policy's retry_errors are exception classes, not {errors!r}")
    values["retry_errors"] = errors
    return SendPolicy(**values)
