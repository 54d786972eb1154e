"""Becomes the embedded Valkey: binds its life to the gateway's, its data folder to itself, then replaces this process.

A program, not a module: `python embedded_launch.py PARENT_PID LOCK_FILE SOCKET VALKEY_SERVER ARGUMENT...`. It stands
between gateway and Valkey because a process that has gRPC's threads must not run Python code between fork and exec.
Writes a line to its standard output once the folder is its own.
"""

import ctypes
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOCK_SECONDS = 15.0
IN_USE = 75


def main() -> None:
    """Exits with IN_USE where another store holds the data folder."""
    parent, lock_file, socket, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it died before the signal was asked for
        sys.exit(1)
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            # The lock passes to Valkey with the descriptor: two stores can never write one folder, and a gateway that
            # was killed and started again waits until the old store is gone.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit(IN_USE)
            time.sleep(0.02)
    os.set_inheritable(lock, True)
    Path(socket).unlink(missing_ok=True)  # a dead store's; only now: without the lock it could be a living one's
    os.write(1, b"locked\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(command[0], command)  # noqa: S606 - to become it is the point


if __name__ == "__main__":
    main()
