"""One child process, as its supervisor holds it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from caraway_worker import frames
from caraway_worker.delivery import Delivery
from caraway_worker.frames import Kind
from caraway_worker.options import ChildOptions
from caraway_worker.shared import SupervisorSide, create_shared_file

_READ_BYTES = 1 << 18
_SOCKET_BUFFER = 1 << 20
_EXIT_SECONDS = 1.0


class ChildOwner(Protocol):
    """Who is told what a child says."""

    def on_frame(self, child: "ChildProcess", kind: int, body: bytes) -> None:
        """One frame came."""

    def on_idle(self, child: "ChildProcess") -> None:
        """All frames that were there have been told."""

    def on_exit(self, child: "ChildProcess", code: int) -> None:
        """The process is gone, and all that it has said has been told. `code` as subprocess gives it."""


class ChildProcess:
    """Starts a child, speaks with it, and notices its death.

    The child is a fresh interpreter (fork and exec), never a fork of the supervisor: that holds an open gRPC channel.
    """

    def __init__(self, number: int, options: ChildOptions, owner: ChildOwner, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        self.ready = False
        self.leaving = False  # it starts nothing any more and exits
        self.slow = False  # its running task is a long one: nothing is queued behind it
        self.held_for: Delivery | None = None  # the task that is to be stopped: the child gets nothing until it ended
        self.assigned: dict[int, Delivery] = {}  # by sequence number, in order, the running one first
        self.last_started = 0  # sequence number; valid once it is gone
        self._owner = owner
        self._loop = loop
        self._next = 1
        self._reader = frames.FrameReader()
        self._unsent = bytearray()
        self._gone = False
        self._open = False
        self._spawn(options)

    def _spawn(self, options: ChildOptions) -> None:
        ours, theirs = socket.socketpair()
        shared = create_shared_file()
        try:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
            fds = (theirs.fileno(), shared)
            told = replace(options, socket=fds[0], shared=fds[1], supervisor=os.getpid())
            command = [sys.executable, "-m", "caraway_worker.child", told.to_text()]
            self._process = subprocess.Popen(command, pass_fds=fds, stdin=subprocess.DEVNULL)
            self._shared = SupervisorSide(shared)
        finally:
            theirs.close()
            os.close(shared)
        ours.setblocking(False)
        self._socket = ours
        self._open = True
        self._loop.add_reader(ours.fileno(), self._on_readable)
        self._watch_exit()

    def _watch_exit(self) -> None:
        if hasattr(os, "pidfd_open"):
            self._pidfd = os.pidfd_open(self._process.pid)
            self._loop.add_reader(self._pidfd, self._on_exit)
            return
        self._pidfd = -1
        call: Callable[[], object] = lambda: self._loop.call_soon_threadsafe(self._on_exit)  # noqa: E731
        threading.Thread(target=lambda: (self._process.wait(), call()), daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def takes(self) -> bool:
        """Whether tasks may be assigned to it."""
        return self.ready and not self.leaving and self.held_for is None and not self._gone

    def assign(self, deliveries: list[Delivery]) -> None:
        """Queue deliveries with the child, behind what it has."""
        parts = []
        sequence = self._next
        for delivery in deliveries:
            delivery.child, delivery.sequence = self.number, sequence
            self.assigned[sequence] = delivery
            body = frames.ASSIGN_HEAD.pack(sequence, delivery.not_after_ns) + delivery.lease
            parts.append(frames.HEAD.pack(Kind.ASSIGN, len(body)) + body)
            sequence += 1
        self._next = sequence
        self.send(b"".join(parts))

    def take_back(self) -> list[Delivery]:
        """Withdraw what the child has not started; it is surely not run there. See shared.py."""
        started = self._shared.withdraw_below(self._next)
        taken = [delivery for sequence, delivery in self.assigned.items() if sequence > started]
        for delivery in taken:
            self.forget(delivery)
        return taken

    def forget(self, delivery: Delivery) -> None:
        """The child has nothing to do with this delivery any more."""
        del self.assigned[delivery.sequence]
        delivery.child = 0
        if self.held_for is delivery:
            self.held_for = None

    def running(self) -> tuple[Delivery | None, float]:
        """Return the delivery that the child runs, and for how long, in seconds; None: nothing that is known."""
        sequence, started_ns = self._shared.running()
        delivery = self.assigned.get(sequence)
        if delivery is None or self._shared.running()[0] != sequence:
            return None, 0.0
        return delivery, (time.monotonic_ns() - started_ns) / 1e9

    def tell_cancelled(self, delivery: Delivery) -> None:
        """Let the running task know that its cancellation is asked for."""
        self._shared.cancel(delivery.sequence)

    def strike_soft_limit(self, delivery: Delivery) -> None:
        """Have SoftTimeLimitExceeded raised in the running task; if it has ended meanwhile, nothing happens."""
        self._shared.aim_soft_limit(delivery.sequence)
        self.signal(signal.SIGUSR1)

    def signal(self, sign: signal.Signals) -> None:
        """Send a signal to the process."""
        if not self._gone:
            self._process.send_signal(sign)

    def send(self, data: bytes) -> None:
        """Send whole frames; what the socket does not take now goes as soon as it does."""
        if not self._open:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it died; its exit will be told
        if sent < len(data):
            self._unsent += memoryview(data)[sent:]
            self._loop.add_writer(self._socket.fileno(), self._on_writable)

    def look(self) -> None:
        """Tell what is in the ring, without waiting to be rung at."""
        if not self._gone:
            self._tell(self._shared.read())

    def dismiss(self) -> None:
        """Let it exit by itself once it has run what it has."""
        self.leaving = True
        if self._open and not self._unsent:
            self._socket.shutdown(socket.SHUT_WR)

    def _on_writable(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())

    def _on_readable(self) -> None:
        if not self._read():
            # It exits; a child without its socket is of no use, whatever closed it.
            self._close_socket()
            self._loop.call_later(_EXIT_SECONDS, self.signal, signal.SIGKILL)

    def _read(self) -> bool:
        try:
            chunk = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        # The ring goes first: what the child wrote there is older than what it then sent over the socket.
        self._tell(self._shared.read(), self._reader.feed(chunk))
        return bool(chunk)

    def _tell(self, data: bytes, large: list[tuple[int, bytes]] | None = None) -> None:
        on_frame = self._owner.on_frame
        for kind, body in frames.split(data):
            on_frame(self, kind, body)
        for kind, body in large or ():
            if kind != Kind.RING:
                on_frame(self, kind, body)
        if data or large:
            self._owner.on_idle(self)

    def _on_exit(self) -> None:
        if self._gone:
            return
        code = self._process.wait()
        if self._open:
            while self._read_rest():
                pass
        self._tell(self._shared.read())
        self.last_started = self._shared.running()[0]
        self._gone = True
        self._release()
        self._owner.on_exit(self, code)

    def _read_rest(self) -> bool:
        try:
            chunk = self._socket.recv(_READ_BYTES)
        except OSError:
            return False
        self._tell(self._shared.read(), self._reader.feed(chunk))
        return bool(chunk)

    def _release(self) -> None:
        self._close_socket()
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self._shared.close()

    def _close_socket(self) -> None:
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._socket.fileno())
        if self._unsent:
            self._loop.remove_writer(self._socket.fileno())
        self._socket.close()


def exit_in_words(code: int) -> str:
    """Say how a process ended, from its exit code as subprocess gives it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
