"""The child's way to its supervisor: the ring for nearly everything, the socket for what does not fit."""

import socket
import threading
import time

from caraway_worker.frames import Kind, pack
from caraway_worker.shared import ChildSide

_RING_FRAME = pack(Kind.RING)
_RING_INTERVAL_NS = 1_000_000


class Outbox:
    """Sends frames; several threads may.

    A frame in the ring is safe from this process's death. The supervisor is rung at for it at once, except while more
    work is at hand and it was rung at less than a millisecond ago: then the next frame rings, or the supervisor looks
    by itself within 20 ms. A wake-up for each of many tiny tasks would cost more than the tasks.
    """

    def __init__(self, sock: socket.socket, shared: ChildSide) -> None:
        self._socket = sock
        self._shared = shared
        self._lock = threading.Lock()
        self._rung_at = 0

    def put(self, kind: int, body: bytes, more: bool = False) -> None:
        """Send a frame; `more` says that another one is expected soon. Raises OSError when the supervisor is gone."""
        frame = pack(kind, body)
        with self._lock:
            if not self._shared.write(frame):
                self._socket.sendall(frame)
                return
            now = time.monotonic_ns()
            if more and now - self._rung_at < _RING_INTERVAL_NS:
                return
            if self._shared.ring():
                self._rung_at = now
                self._socket.sendall(_RING_FRAME)
