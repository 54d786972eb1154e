"""One child process, as its supervisor holds it: how it is started, spoken with, and how its death is noticed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from caraway_worker import frames
from caraway_worker.frames import Kind
from caraway_worker.options import ChildOptions
from caraway_worker.shared import SupervisorSide, create_shared_file
from caraway_worker.slot import Slot

_READ_BYTES = 1 << 18
_SOCKET_BUFFER = 1 << 20
_EXIT_SECONDS = 1.0
UNKNOWN_EXIT = 1 << 16  # nobody but a parent is told


class ChildOwner(Protocol):
    """Who is told what a child says."""

    def on_frame(self, child: "ChildProcess", kind: int, body: bytes) -> None:
        """One frame came."""

    def on_idle(self, child: "ChildProcess") -> None:
        """All frames that were there have been told."""

    def on_exit(self, child: "ChildProcess", code: int) -> None:
        """The process is gone, and all that it has said has been told. `code` as subprocess gives it."""


class Process(Protocol):
    """The process behind a child, as subprocess.Popen shows it."""

    pid: int

    def send_signal(self, sig: int) -> None:
        """Send a signal."""

    def wait(self) -> int:
        """Wait for its end and return its exit code."""


@dataclass(frozen=True, slots=True)
class Link:
    """A process that serves as a child, and the supervisor's ends of what it shares with it.

    `killable`: False for a process that is not the supervisor's to kill; `is_thread`: it is a thread of this process,
    and only `wait` tells of its end.
    """

    process: Process
    socket: socket.socket
    shared: SupervisorSide
    killable: bool = True
    is_thread: bool = False


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a socket that a supervisor and its child speak over."""
    ends = socket.socketpair()
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
    return ends


def start_child(options: ChildOptions) -> Link:
    """Start a child: a fresh interpreter (fork and exec), never a fork of the supervisor, which holds a gRPC channel.

    Raises OSError.
    """
    ours, theirs = pair()
    shared = create_shared_file(options.slots)
    try:
        fds = (theirs.fileno(), shared)
        told = replace(options, socket=fds[0], shared=fds[1], supervisor=os.getpid())
        command = [sys.executable, "-m", "caraway_worker.child", told.to_text()]
        process = subprocess.Popen(
            command, env={**os.environ, **options.environment}, pass_fds=fds, stdin=subprocess.DEVNULL
        )
        return Link(process, ours, SupervisorSide(shared, options.slots))
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(shared)


class ChildProcess:
    """Speaks with a child and notices its death."""

    def __init__(self, number: int, index: int, link: Link, owner: ChildOwner, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        self.index = index  # its place in the pool, from 1
        self.killable = link.killable
        self.is_thread = link.is_thread
        self.ready = False
        self.leaving = False  # it starts nothing any more and exits
        self.doomed: set[str] = set()  # tokens of tasks that it is killed for: it gets nothing until they have ended
        self.signalled = False  # it was sent a signal that may have killed it
        self._killed = False
        self._owner = owner
        self._loop = loop
        self._reader = frames.FrameReader()
        self._unsent = bytearray()
        self._gone = False
        self._process = link.process
        self._shared = link.shared
        count = len(link.shared.slots)
        self.slots = [Slot(self, cells, number, count) for number, cells in enumerate(link.shared.slots)]
        link.socket.setblocking(False)
        self._socket = link.socket
        self._open = True
        self._loop.add_reader(link.socket.fileno(), self._on_readable)
        self._watch_exit()

    def _watch_exit(self) -> None:
        if hasattr(os, "pidfd_open") and not self.is_thread:
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
        return self.ready and not self.leaving and not self.doomed and not self._killed and not self._gone

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do."""
        return not any(slot.assigned or slot.reserved for slot in self.slots)

    def slot_of(self, sequence: int) -> Slot:
        """The slot that this sequence number belongs to."""
        return self.slots[sequence % len(self.slots)]

    def strike(self) -> None:
        """Have the child look at its soft limit cells."""
        if not self._gone:
            self._process.send_signal(signal.SIGUSR1)

    def signal(self, sign: signal.Signals) -> None:
        """Send the process a signal that ends it, or may."""
        if not self._gone:
            self.signalled = True
            self._killed = self._killed or sign is signal.SIGKILL
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
            if self.killable:
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
        for slot in self.slots:
            slot.note_last_started()
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
    if code == UNKNOWN_EXIT:
        return "it is no more"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
