"""A debugger for code that runs in a worker's child: pdb, over a socket of this machine.

from caraway.contrib import rdb

@app.task
def add(x, y):
    result = x + y
    rdb.set_trace()
    return result

The task stops there and logs where it waits: `telnet 127.0.0.1 6899` (or `nc`) then has pdb's prompt. `c` and `q` let
the task go on. docs/debugging.md says what time limits and pools make of it.
"""

import ipaddress
import logging
import os
import pdb
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any, Final

from caraway.exceptions import ImproperlyConfigured

__all__ = ["DEFAULT_PORT", "Rdb", "break_on_signal", "debugger", "set_trace"]

DEFAULT_PORT: Final = 6899
_PORTS_TRIED: Final = 100

logger = logging.getLogger("caraway.rdb")
_of_thread = threading.local()


class Rdb(pdb.Pdb):
    """pdb for one client, who is waited for as it is made."""

    def __init__(self, host: str | None = None, port: int | None = None, port_search_limit: int = _PORTS_TRIED) -> None:
        """Listen on the first free port from `port` on, and wait for a client.

        `host` and `port` are by default the environment's CARAWAY_RDB_HOST (127.0.0.1) and CARAWAY_RDB_PORT (6899; 0:
        any free port). Raises ImproperlyConfigured for a host that is not this machine's loopback, for a wrong port,
        and where none of `port_search_limit` ports is free.
        """
        with _listening(*_address(host, port), port_search_limit) as listener:
            here, at = listener.getsockname()[:2]
            logger.warning("remote debugger: waits for a client; connect with: telnet %s %s", here, at)
            self._client, (peer, peer_port, *_) = listener.accept()
        logger.warning("remote debugger: %s:%s is connected; the task waits for its commands", peer, peer_port)
        self._file = self._client.makefile("rw", encoding="utf-8", errors="replace")
        # SIGINT belongs to the worker.
        super().__init__(stdin=self._file, stdout=self._file, nosigint=True)
        self.prompt = "(rdb) "

    def interaction(self, *args: Any, **kwargs: Any) -> None:
        """Take commands; a connection that breaks meanwhile is as `q`."""
        try:
            super().interaction(*args, **kwargs)
        except OSError:
            self.set_quit()

    def close(self) -> None:
        """Let the client go."""
        if getattr(_of_thread, "current", None) is self:
            _of_thread.current = None
        try:
            self._file.close()
        except OSError:
            logger.debug("remote debugger: the client was gone before its last line was written")
        self._client.close()

    def set_continue(self) -> None:
        """Go on; with no breakpoint left nothing can stop here again, and the session ends."""
        super().set_continue()
        if not self.breaks:
            logger.warning("remote debugger: the session has ended, the task goes on")
            self.close()

    def set_quit(self) -> None:
        """Go on without breakpoints: who leaves the debugger, or loses the connection, ends no task."""
        self.clear_all_breaks()
        self.set_continue()


def debugger() -> Rdb:
    """Give this thread's session; without one, wait for a client. Raises as Rdb."""
    current: Rdb | None = getattr(_of_thread, "current", None)
    if current is None:
        current = _of_thread.current = Rdb()
    return current


def set_trace(frame: FrameType | None = None) -> None:
    """Stop in the caller, or in `frame`, once a client is connected. Raises as Rdb."""
    debugger().set_trace(frame or sys._getframe(1))


def break_on_signal(number: int = signal.SIGUSR2) -> None:
    """Have the signal stop this process's main thread wherever it is, as `set_trace` there would.

    A worker does so in each child where the environment says CARAWAY_RDBSIG=1.
    """

    def stop(_number: int, frame: FrameType | None) -> None:
        set_trace(frame)

    signal.signal(number, stop)


def _address(host: str | None, port: int | None) -> tuple[str, int]:
    host = host or os.environ.get("CARAWAY_RDB_HOST") or "127.0.0.1"
    given: Any = os.environ.get("CARAWAY_RDB_PORT") or DEFAULT_PORT if port is None else port
    try:
        number = int(given)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise ImproperlyConfigured(f"CARAWAY_RDB_PORT is to be a port, 0 to 65535, not {given!r}")
    try:
        found = [info[4][0] for info in socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)]
    except socket.gaierror as error:
        raise ImproperlyConfigured(f"CARAWAY_RDB_HOST={host} is not known: {error.strerror}") from error
    if not all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found):
        raise ImproperlyConfigured(
            f"CARAWAY_RDB_HOST={host} is not this machine's loopback, and who reaches the debugger runs code in the "
            "worker: leave it at 127.0.0.1, and come from elsewhere through ssh -L"
        )
    return str(found[0]), number


def _listening(host: str, port: int, limit: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = min(port + limit, 65536) if port else 1
    for candidate in range(port, last):
        try:
            return socket.create_server((host, candidate), family=family, backlog=1)
        except OSError as error:
            taken = error
    raise ImproperlyConfigured(
        f"no port from {port} to {last - 1} is free on {host} for the remote debugger ({taken}); set CARAWAY_RDB_PORT"
    )
