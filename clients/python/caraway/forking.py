"""Lets a process fork while its threads call the gateway.

grpc's threads and locks do not survive a fork. So, before it: no new call begins, the channel is closed, which ends the
calls under way, and they are waited for. After it, parent and child each open a channel of their own at their next
call, and the parent's interrupted calls are made again: all of them are safe to repeat. A new channel in the child
alone is not enough: it hangs.
"""

import os
import threading
import weakref
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

__all__ = ["Gate", "Guarded", "guard"]

T = TypeVar("T")

_DRAIN: Final = 5.0
"""Seconds that a fork waits for closed calls to return; they do so within milliseconds."""


class Guarded(Protocol):
    """What holds a channel."""

    gate: "Gate"

    def drop(self) -> None:
        """Close the channel, if one is open. The gate is shut, and no call can begin."""


class Gate:
    """Counts calls under way; while it is shut, none begins."""

    __slots__ = ("_calls", "_condition", "_shut")

    def __init__(self) -> None:
        """Starts open."""
        self._condition = threading.Condition(threading.Lock())
        self._calls = 0
        # How many keep it shut: a fork and a close may meet.
        self._shut = 0

    def enter(self, opening: Callable[[], T]) -> T:
        """Begin a call; waits while shut. `opening` runs under the gate's lock and gives what the call needs."""
        with self._condition:
            while self._shut:
                self._condition.wait()
            opened = opening()
            self._calls += 1
            return opened

    def leave(self) -> None:
        """End a call."""
        with self._condition:
            self._calls -= 1
            if self._shut and not self._calls:
                self._condition.notify_all()

    def shut(self, drop: Callable[[], None]) -> None:
        """Let no call begin, end those under way by `drop`, and wait for them."""
        with self._condition:
            self._shut += 1
        # Not under the lock: closing a channel waits for calls that take the lock as they leave.
        drop()
        with self._condition:
            self._condition.wait_for(lambda: not self._calls, timeout=_DRAIN)

    def open(self) -> None:
        """Let calls begin again."""
        with self._condition:
            self._shut -= 1
            self._condition.notify_all()

    def renew(self) -> None:
        """Child only: the threads that were inside, or waited, exist no longer."""
        self._condition = threading.Condition(threading.Lock())
        self._calls = self._shut = 0


_guarded: "weakref.WeakSet[Guarded]" = weakref.WeakSet()
_lock = threading.Lock()
_installed = False


def guard(holder: Guarded) -> None:
    """Have `holder` closed around every fork. Call it before it has a channel.

    grpc's own fork handlers are in place by now, as `caraway.channel` makes a channel when it is loaded: what is
    registered last runs first before a fork, and channels are to be closed before grpc looks for them.
    """
    global _installed  # noqa: PLW0603 - handlers can be registered once a process, and never be removed
    with _lock:
        _guarded.add(holder)
        if not _installed and hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
            _installed = True


def _before() -> None:
    # Held until after the fork: no client, and so no channel, is new meanwhile.
    _lock.acquire()
    for holder in list(_guarded):
        holder.gate.shut(holder.drop)


def _after_in_parent() -> None:
    for holder in list(_guarded):
        holder.gate.open()
    _lock.release()


def _after_in_child() -> None:
    for holder in list(_guarded):
        holder.gate.renew()
    _lock.release()
