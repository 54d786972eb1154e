"""A child must not outlive its supervisor, not even in a busy loop."""

import ctypes
import os
import select
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, fd: int) -> None:
    """Arrange that this process is killed when its parent dies.

    Arguments: `parent` is the supervisor's process id, `fd` a socket whose other end only the supervisor holds. On
    Linux the kernel does it. Elsewhere a thread waits for the socket to hang up; a task that holds the GIL delays it.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # The parent may have died before the call.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return
    threading.Thread(target=_watch, args=(fd,), name="caraway-parent", daemon=True).start()


def _watch(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, 0)  # hang-ups are told without being asked for
    poll.poll()
    os.kill(os.getpid(), signal.SIGKILL)
