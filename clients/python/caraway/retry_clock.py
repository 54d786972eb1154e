"""When a call is tried again, and how long it may take. Rules only: nothing here calls or waits."""

import random
import time
from typing import Final, NoReturn

from caraway.exceptions import CarawayError, OperationalError, TimeoutError
from caraway.send_policy import SendPolicy
from caraway.tls_advice import tls_advice
from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["ATTEMPT_TIMEOUT", "LONGEST_RETRY", "MAX_WAIT", "RETRY_FOR", "RetryClock", "WaitClock"]

RETRY_FOR: Final = 20.0
"""Seconds for which a call is tried again: far below the gateway's dedup window (10 min), within which repeating a
submit is safe."""

LONGEST_RETRY: Final = 540.0
"""Seconds for which a call is tried again at most, whatever its policy says: a submit that is repeated later than the
dedup window could become a second task."""

ATTEMPT_TIMEOUT: Final = 10.0
"""Deadline of one attempt, in seconds, beside what it was asked to wait."""

MAX_WAIT: Final = 60.0
"""Seconds for which one call waits for a task; longer waits are several calls."""

_GRACE: Final = 1.0
"""Seconds beyond a wait's end until its answer must be here."""

_CUT_SHORT: Final = 0.1
"""Seconds before the end of all attempts from which on an error may be the end's, and no answer of the gateway."""

_FIRST_DELAY: Final = 0.05
_MAX_DELAY: Final = 2.0


class RetryClock:
    """Counts one call's attempts against its total deadline."""

    __slots__ = ("_deadline", "_policy", "_retry_for", "_target", "_told", "_tries")

    def __init__(self, target: str, retry_for: float | None = None, policy: SendPolicy | None = None) -> None:
        """`target` is named in errors; `retry_for` is in seconds, RETRY_FOR by default. A `policy` goes before it."""
        self._target = target
        self._policy = policy
        if policy is not None:
            self._retry_for = LONGEST_RETRY
        else:
            self._retry_for = RETRY_FOR if retry_for is None else retry_for
        self._deadline = time.monotonic() + self._retry_for
        self._tries = 0
        self._told: OperationalError | None = None

    def timeout(self) -> float:
        """Deadline of the next attempt, in seconds."""
        return min(ATTEMPT_TIMEOUT, max(self._deadline - time.monotonic(), 0.001))

    def next_delay(self, error: CarawayError) -> float:
        """Give the wait before the next attempt, in seconds. Raises the error if there is none."""
        policy = self._policy
        if not isinstance(error, OperationalError) and not (policy and isinstance(error, policy.retry_errors)):
            raise error
        if isinstance(error, OperationalError) and error.reason:
            self._told = error
        delay = _delay(self._tries) if policy is None else policy.wait_after(self._tries)
        is_last = policy is not None and policy.max_retries is not None and self._tries >= policy.max_retries
        self._tries += 1
        if is_last or self._deadline - time.monotonic() <= delay:
            self._give_up(error)
        return delay

    def _give_up(self, error: CarawayError) -> NoReturn:
        if not isinstance(error, OperationalError):
            raise error
        if self._told is not None and not error.reason and time.monotonic() > self._deadline - _CUT_SHORT:
            error = self._told  # the last attempt had less time than the gateway takes to say why
        how_long = f"for {self._retry_for:g} s" if self._policy is None else f"in {self._tries} tries"
        raise OperationalError(
            f"the gateway at {self._target}, or its store, could not be reached {how_long} "
            f"({error}); is it running (caraway server), and is the target right (target= or CARAWAY_TARGET)?"
            + (f" And {advice}" if (advice := tls_advice(str(error))) else ""),
            target=self._target,
            reason=error.reason,
        ) from error


class WaitClock:
    """Cuts a wait for a task into calls that the gateway takes, and carries it over outages."""

    __slots__ = ("_after_revision", "_deadline", "_target", "_task_id", "_timeout", "_tries")

    def __init__(self, target: str, task_id: str, timeout: float | None, after_revision: int = 0) -> None:
        """`timeout` is in seconds; None waits for ever. A revision beyond `after_revision`, if above 0, ends it too."""
        self._target = target
        self._after_revision = after_revision
        self._task_id = task_id
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._tries = 0

    def _remaining(self) -> float:
        return MAX_WAIT if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)

    def next_request(self) -> task_service_pb2.WaitTaskRequest:
        """Make the next call's request."""
        request = task_service_pb2.WaitTaskRequest(
            task_id=self._task_id, after_revision=self._after_revision, view=task_pb2.TASK_VIEW_FULL
        )
        request.max_wait.FromNanoseconds(int(min(self._remaining(), MAX_WAIT) * 1e9))
        # A wait of nothing asks how the task stands; an unset one would wait for long.
        request.max_wait.SetInParent()
        return request

    def timeout(self) -> float:
        """Deadline of the next call, in seconds."""
        return min(self._remaining(), MAX_WAIT) + _GRACE

    def is_over(self, response: task_service_pb2.WaitTaskResponse) -> bool:
        """Tell whether what was waited for is there. Raises TimeoutError when the time is over."""
        if response.done or 0 < self._after_revision < response.task.revision:
            return True
        if self._deadline is not None and self._deadline <= time.monotonic():
            raise self._timed_out()
        self._tries = 0
        return False

    def next_delay(self, error: CarawayError) -> float:
        """Give the wait before the next call, in seconds. Raises the error, or TimeoutError, if there is none."""
        if not isinstance(error, OperationalError):
            raise error
        delay = _delay(self._tries)
        self._tries += 1
        if self._deadline is not None and self._remaining() <= delay:
            raise self._timed_out(f"; the gateway at {self._target} could not be reached: {error}") from error
        return delay

    def _timed_out(self, why: str = "") -> TimeoutError:
        return TimeoutError(f"the task {self._task_id} did not end within {self._timeout:g} s{why}")


def _delay(tries: int) -> float:
    # Jitter on all of it: the clients of a gateway that comes back are not to return in step.
    return random.uniform(0, min(_MAX_DELAY, _FIRST_DELAY * 2.0 ** min(tries, 16)))
