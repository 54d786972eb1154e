"""The pool `solo`: tasks run in the process that the user started, and a second process serves as its supervisor.

So a debugger has the terminal, and nothing that a task does can keep the leases from being renewed. The supervisor
takes this process as its one child, over the same socket and memory as any; only that it may not kill it.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import FrameType

from caraway_worker import child, log
from caraway_worker.options import ChildOptions
from caraway_worker.process import UNKNOWN_EXIT, Link, pair
from caraway_worker.shared import SupervisorSide, create_shared_file

_END_SECONDS = 1.0
_LOOK_SECONDS = 0.5


def run(options: ChildOptions, arguments: list[str]) -> int:
    """Run tasks here. `arguments` are the command line with which the second process is started. Returns its code."""
    theirs, ours = pair()
    shared = create_shared_file(1)
    adopt = f"{os.getpid()},{theirs.fileno()},{shared}"
    command = [sys.executable, "-c", "from caraway.cli import main; main(prog_name='caraway')", *arguments]
    supervisor = subprocess.Popen(
        # A group of its own: keys pressed in the terminal are for this process, which passes them on.
        [*command, "--adopt", adopt],
        pass_fds=(theirs.fileno(), shared),
        stdin=subprocess.DEVNULL,
        process_group=0,
    )
    theirs.close()

    def pass_on(sign: int, _frame: FrameType | None) -> None:
        if supervisor.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor.pid, sign)

    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(sign, pass_on)
    threading.Thread(target=_follow, args=(supervisor,), daemon=True).start()
    log.set_up_child(options)
    os.environ.update(options.environment)
    child.serve(replace(options, socket=ours.detach(), shared=shared, supervisor=supervisor.pid))
    return supervisor.wait()


def _follow(supervisor: "subprocess.Popen[bytes]") -> None:
    """End with the supervisor, even in the midst of a task: it has handed that back."""
    code = supervisor.wait()
    time.sleep(_END_SECONDS)
    os._exit(code if code >= 0 else 1)


class _Adopted:
    """The process that started this one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def send_signal(self, sig: int) -> None:
        """Send a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, sig)

    def wait(self) -> int:
        """Wait for its end; only a parent is told the exit code."""
        while os.getppid() == self.pid:
            time.sleep(_LOOK_SECONDS)
        return UNKNOWN_EXIT


def adopt(text: str) -> Link:
    """Take the process that started this one as a child; `text` is what it said after --adopt."""
    pid, sock, shared = map(int, text.split(","))
    link = Link(_Adopted(pid), socket.socket(fileno=sock), SupervisorSide(shared, 1), killable=False)
    os.close(shared)
    return link
