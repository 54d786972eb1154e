"""How long calls hold the store, in processor time, so that other work on the machine does not count."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.store import Store

CHUNK = 1 << 20


class Meter:
    """Stands between a gateway and its store, and looks at the store's processor clock around each call of a script.

    One call is let through at a time, so that a script's time is its own; what waits makes all slower. `socket` is
    where to connect, `times` are the scripts' times in ms.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        """Listens in `folder`."""
        self.socket = folder / "metered.sock"
        self.times: list[float] = []
        self._store = store
        self._turn = threading.Lock()
        self._clock = (~store.pid << 3) | 2  # Linux: the processor clock of another process
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.socket))
        self._listener.listen(64)

    def accept(self) -> None:
        """Carry what comes, until closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _carry(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._store.socket))
            while True:
                readable, _, _ = select.select((client, server), (), ())
                if client not in readable:
                    data = server.recv(CHUNK)  # more of a reply, or a message that was published
                    if not data:
                        return
                    client.sendall(data)
                elif not self._call(client, server):
                    return

    def _call(self, client: socket.socket, server: socket.socket) -> bool:
        """Carry a call, and the begin of its reply. False: one of both is gone."""
        with self._turn:
            began = time.clock_gettime(self._clock)
            is_script = False
            while True:
                readable, _, _ = select.select((client, server), (), ())
                source, sink = (server, client) if server in readable else (client, server)
                data = source.recv(CHUNK)
                if not data:
                    return False
                if source is server and is_script:
                    self.times.append((time.clock_gettime(self._clock) - began) * 1000)
                is_script = is_script or b"EVALSHA" in data[:40]
                sink.sendall(data)
                if source is server:
                    return True


@contextmanager
def metered(store: Store, folder: Path) -> Iterator[Meter]:
    """Run one until the block ends."""
    meter = Meter(store, folder)
    thread = threading.Thread(target=meter.accept)
    thread.start()
    try:
        yield meter
    finally:
        meter.close()
        thread.join()
