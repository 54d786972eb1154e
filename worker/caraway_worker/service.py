"""The service process: runs the app's code that belongs to no task, which are receivers of signals and own commands."""

import asyncio
import contextlib
import logging
import signal
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from google.rpc import code_pb2, status_pb2

from caraway.v1 import worker_service_pb2
from caraway_worker.frames import Kind, pack
from caraway_worker.notice import Notice
from caraway_worker.options import ChildOptions
from caraway_worker.process import ChildProcess, Link, exit_in_words

logger = logging.getLogger("caraway.worker")

Reply = Callable[[worker_service_pb2.CommandReply], None]

_MOST_WAITING: Final = 1000
_COMMAND_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 5.0
_MARGIN_SECONDS: Final = 2.0


class Service:
    """Started when there is something for it, and again after its death. Usable in the loop that made it.

    It is a process as those that run tasks are, but for that no task keeps it busy, and nothing that becomes of it
    touches one.
    """

    def __init__(self, options: ChildOptions, link: Callable[[ChildOptions], Link]) -> None:
        """`options` are those of the pool's children."""
        self._options = replace(options, is_service=True, pool="process", slots=1, max_tasks=None, max_memory=None)
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._child: ChildProcess | None = None
        self._number = 0
        self._waiting: deque[bytes] = deque()  # until it is there
        self._asked: dict[str, Reply] = {}
        self._up = asyncio.Event()  # or gone: nothing waits for its start
        self._gone = asyncio.Event()

    def tell(self, notice: Notice) -> None:
        """Have the receivers of a signal called."""
        self._send(pack(Kind.NOTICE, notice.to_bytes()))

    def run(self, command: worker_service_pb2.WorkerCommand, reply: Reply) -> None:
        """Have a command run; `reply` is called with what came of it, once."""
        self._asked[command.command_id] = reply
        self._loop.call_later(_COMMAND_SECONDS, self._give_up, command.command_id)
        self._send(pack(Kind.COMMAND, command.SerializeToString()))

    def _send(self, frame: bytes) -> None:
        if self._child is None and not self._start():
            return
        assert self._child is not None
        if self._child.ready:
            self._child.send(frame)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append(frame)
        else:
            logger.warning("%d messages wait for the service process; one more is dropped", _MOST_WAITING)

    def _start(self) -> bool:
        self._number += 1
        try:
            child = ChildProcess(self._number, 0, self._link(self._options), self, self._loop)
        except OSError as error:
            logger.error("the service process can't be started: %s", error)
            self._fail(f"the process that runs commands can't be started: {error}")
            return False
        self._child = child
        self._up.clear()
        self._gone.clear()
        if self._options.start_timeout > 0 and child.killable:
            self._loop.call_later(self._options.start_timeout + _MARGIN_SECONDS, self._check_started, child)
        return True

    def _check_started(self, child: ChildProcess) -> None:
        if self._child is child and not child.ready:
            self._kill("its start takes too long; where it hangs is in the log")

    def _give_up(self, command_id: str) -> None:
        if command_id in self._asked:
            self._kill(f"a command did not end within {_COMMAND_SECONDS:g} s")

    def _kill(self, why: str) -> None:
        logger.error("the service process is killed: %s", why)
        self._fail(f"the process that runs commands was killed: {why}")
        if self._child is not None and self._child.killable:
            self._child.signal(signal.SIGKILL)

    def _fail(self, why: str, ids: Iterable[str] | None = None) -> None:
        """Answer what is not answered."""
        for command_id in list(self._asked if ids is None else ids):
            status = status_pb2.Status(code=code_pb2.INTERNAL, message=why)
            self._asked.pop(command_id)(worker_service_pb2.CommandReply(command_id=command_id, status=status))

    # What the process says.

    def on_frame(self, child: ChildProcess, kind: int, body: bytes) -> None:
        """It said something."""
        if kind == Kind.READY:
            child.ready = True
            while self._waiting:
                child.send(self._waiting.popleft())
            self._up.set()
        elif kind == Kind.ANSWER:
            reply = worker_service_pb2.CommandReply.FromString(body)
            answer = self._asked.pop(reply.command_id, None)
            if answer is not None:
                answer(reply)
        elif kind == Kind.BROKEN:
            logger.error("the service process can't load the app:\n%s", body.decode())

    def on_idle(self, child: ChildProcess) -> None:
        """All that it has said has been taken in."""

    def on_exit(self, child: ChildProcess, code: int) -> None:
        """It is gone."""
        if not child.leaving:
            logger.error("the service process %d exited: %s", child.pid, exit_in_words(code))
        self._child = None
        self._waiting.clear()
        self._fail(f"the process that runs commands died: {exit_in_words(code)}")
        self._up.set()
        self._gone.set()

    async def close(self, *, at_once: bool = False) -> None:
        """Let it end what it was told, at most for some seconds, and exit; `at_once`: kill it."""
        child = self._child
        if child is None:
            return
        if not at_once:
            await _within(_CLOSE_SECONDS, self._up)
            child.dismiss()
            await _within(_CLOSE_SECONDS, self._gone)
        if self._child is None or not child.killable:
            return
        child.leaving = True
        child.signal(signal.SIGKILL)
        await self._gone.wait()


async def _within(timeout: float, event: asyncio.Event) -> None:
    """Wait for it, at most `timeout` seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), timeout)
