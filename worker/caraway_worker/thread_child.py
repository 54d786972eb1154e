"""A child that is a thread of this process, and runs an app that is here: for workers inside of tests."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace

from caraway.app import Caraway
from caraway_worker import lifecycle
from caraway_worker.child import Child
from caraway_worker.log import logger
from caraway_worker.options import ChildOptions
from caraway_worker.process import Link, pair
from caraway_worker.shared import SupervisorSide, create_shared_file


class _ThreadChild(Child):
    def __init__(self, options: ChildOptions, app: Caraway) -> None:
        super().__init__(options)
        self._given = app

    def load(self) -> Caraway:
        """Take the app as it is."""
        self._instance = lifecycle.instance_of(self._given, self._options)
        return self._given

    def settle(self) -> None:
        """Leave the process as it is: it is not the child's own."""

    def run(self) -> None:
        """Serve until the supervisor lets it go, and leave nothing behind."""
        try:
            self.serve()
        except OSError as error:
            logger.debug("the supervisor is gone: %s", error)
        finally:
            self.close()

    def strike(self) -> None:
        """What the signal of the soft limit does in a process."""
        for slot in self.slots:
            slot.soft_limit.look()


class _Thread:
    """The thread, as a process."""

    def __init__(self, child: _ThreadChild) -> None:
        self.pid = os.getpid()
        self._child = child
        # A daemon, and so are the threads that it starts: a task that never ends must not keep the process.
        self._thread = threading.Thread(target=child.run, name="caraway-child", daemon=True)
        self._thread.start()

    def send_signal(self, sig: int) -> None:
        """Strike the soft limit. Nothing else reaches a thread."""
        if sig == signal.SIGUSR1:
            self._child.strike()

    def wait(self) -> int:
        """Wait for its end."""
        self._thread.join()
        return 0


def link_to(app: Caraway) -> Callable[[ChildOptions], Link]:
    """Return how a worker comes by a child that runs `app` in threads of this process."""

    def start(options: ChildOptions) -> Link:
        ours, theirs = pair()
        shared = create_shared_file(options.slots)
        supervisor_side = SupervisorSide(shared, options.slots)
        # The pool `thread`: that its tasks are struck where they run suits one slot as well.
        told = replace(options, pool="thread", socket=theirs.detach(), shared=shared, supervisor=os.getpid())
        return Link(_Thread(_ThreadChild(told, app)), ours, supervisor_side, killable=False, is_thread=True)

    return start
