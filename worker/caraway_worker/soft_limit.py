"""How the soft time limit reaches a running task: a signal to the child, which then looks whom it is meant for."""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from caraway.exceptions import SoftTimeLimitExceeded
from caraway_worker.shared import ChildSlotCells

MESSAGE = "the soft time limit struck"


class SoftLimit:
    """Raises SoftTimeLimitExceeded in the task that the signal is meant for, once, and in no other code.

    The supervisor writes which assignment it means before it sends the signal; a signal that comes late, when another
    task or none is running, does nothing. This class is for tasks that run in the main thread, as signal handlers do.
    """

    def __init__(self, cells: ChildSlotCells) -> None:
        self._cells = cells
        self._armed = 0  # sequence number of the task that may be struck; 0: none
        self._holding = False
        self._due = False
        self._divert: Callable[[], None] | None = None

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
        if not self._is_own_thread():
            yield
            return
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        self._strike_if_due()

    def look(self) -> None:
        """The signal came: strike, if it is meant for this slot."""
        if not self._armed or not self._cells.soft_limit_struck(self._armed):
            return
        if self._holding:
            self._due = True
            return
        self._strike()

    def _is_own_thread(self) -> bool:
        """Whether the calling code runs where the limit strikes; a thread of the task's own is never struck."""
        return threading.current_thread() is threading.main_thread()

    def _strike_if_due(self) -> None:
        if self._due:
            self._due = False
            self._armed = 0
            self._hit_here()

    def _strike(self) -> None:
        self._armed = 0
        self._hit_here()

    def _hit_here(self) -> None:
        if self._divert is not None:
            self._divert()
        else:
            raise SoftTimeLimitExceeded(MESSAGE)


class ThreadSoftLimit(SoftLimit):
    """For a task in a thread of the child: the main thread has the exception raised there, at the next bytecode."""

    def __init__(self, cells: ChildSlotCells) -> None:
        super().__init__(cells)
        # Reentrant: where coroutines run in the main thread, the signal may come while that thread arms a slot.
        self._lock = threading.RLock()
        self._thread = 0
        self._struck = False

    def arm(self, sequence: int) -> None:
        """From here on assignment `sequence` may be struck, in the calling thread."""
        with self._lock:
            self._thread = threading.get_ident()
            self._struck = False
            super().arm(sequence)

    def disarm(self) -> None:
        """Nothing may be struck any more; an exception on its way is called off."""
        with self._lock:
            self._armed = 0
        if self._struck:
            _raise_in(self._thread, None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Do what must not be cut in two, such as writing a frame; the limit then strikes afterwards."""
        if not self._is_own_thread():
            yield
            return
        try:
            with self._lock:
                self._holding = True
            _checkpoint()
            yield
        finally:
            with self._lock:
                self._holding = False
        self._strike_if_due()

    def look(self) -> None:
        """The signal came: strike, if it is meant for this slot."""
        with self._lock:
            super().look()

    def _is_own_thread(self) -> bool:
        return threading.get_ident() == self._thread

    def _strike(self) -> None:
        self._armed = 0
        if self._divert is not None:
            self._divert()
        else:
            self._struck = True
            _raise_in(self._thread, SoftTimeLimitExceeded)


def _checkpoint() -> None:
    """Let an exception that was set for this thread before be raised here: it is, when a function is entered."""


def _raise_in(thread: int, exception: type[BaseException] | None) -> None:
    value = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), value)


def install(limits: Iterable[SoftLimit]) -> None:
    """Take the signal for these."""
    looks = [limit.look for limit in limits]

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        for look in looks:
            look()

    signal.signal(signal.SIGUSR1, on_signal)
