"""How the soft time limit reaches a running task: a signal, and a handler that raises in the main thread."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from caraway.exceptions import SoftTimeLimitExceeded
from caraway_worker.shared import ChildSide

MESSAGE = "the soft time limit struck"


class SoftLimit:
    """Raises SoftTimeLimitExceeded in the task that the signal is meant for, once, and in no other code.

    The supervisor writes which assignment it means before it sends the signal; a signal that comes late, when another
    task or none is running, does nothing.
    """

    def __init__(self, shared: ChildSide) -> None:
        self._shared = shared
        self._armed = 0  # sequence number of the task that may be struck; 0: none
        self._holding = False
        self._due = False
        self._divert: Callable[[], None] | None = None

    def install(self) -> None:
        """Take the signal."""
        signal.signal(signal.SIGUSR1, self._on_signal)

    def arm(self, sequence: int) -> None:
        """From here on assignment `sequence` may be struck."""
        self._due = False
        self._armed = sequence

    def disarm(self) -> None:
        """Nothing may be struck any more."""
        self._armed = 0

    @contextmanager
    def diverted(self, strike: Callable[[], None]) -> Iterator[None]:
        """Call `strike` instead of raising: for a coroutine, where raising would hit the event loop."""
        self._divert = strike
        try:
            yield
        finally:
            self._divert = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Do what must not be cut in two, such as writing a frame; the limit then strikes afterwards."""
        if threading.current_thread() is not threading.main_thread():
            # The handler raises in the main thread only.
            yield
            return
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._due:
            self._due = False
            self._strike()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._armed or not self._shared.soft_limit_struck(self._armed):
            return
        if self._holding:
            self._due = True
            return
        self._strike()

    def _strike(self) -> None:
        self._armed = 0
        if self._divert is not None:
            self._divert()
        else:
            raise SoftTimeLimitExceeded(MESSAGE)
