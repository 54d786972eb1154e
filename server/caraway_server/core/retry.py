"""When a failed attempt is tried again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The gateway's own retry rule, as a task's spec gives it.

    Attributes:
        max_attempts: attempts in all; -1 is without end.
        initial_backoff: wait before the second attempt.
        max_backoff: no wait is longer.
        multiplier: from one wait to the next, at most 1000.
        jitter: part of a wait that is drawn by chance, 0 to 1.
        retryable: error types that are retried; empty: all.
        non_retryable: error types that never are.
    """

    max_attempts: int = 1
    initial_backoff: timedelta = timedelta(seconds=1)
    max_backoff: timedelta = timedelta(minutes=10)
    multiplier: float = 2.0
    jitter: float = 0.0
    retryable: frozenset[str] = frozenset()
    non_retryable: frozenset[str] = frozenset()

    def covers(self, error_type: str) -> bool:
        """Whether errors of this type are retried at all. `builtins.OSError` is also meant by a bare `OSError`."""
        names = {error_type, error_type.rpartition(".")[2]}
        if names & self.non_retryable:
            return False
        return not self.retryable or bool(names & self.retryable)

    def wait_after(self, attempt: int, chance: Callable[[], float] = random.random) -> timedelta | None:
        """How long to wait after the failed attempt number `attempt` (from 1); None: it was the last."""
        if 0 <= self.max_attempts <= attempt:
            return None
        # Seconds, not timedeltas, because a product of those overflows; the exponent is bounded, or the power would.
        wait = self.initial_backoff.total_seconds() * self.multiplier ** min(attempt - 1, 64)
        return timedelta(seconds=min(self.max_backoff.total_seconds(), wait) * (1 - self.jitter * chance()))
