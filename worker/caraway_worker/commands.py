"""What operators may have a worker do, by name: ControlService.CommandWorkers."""

import inspect
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.rpc import code_pb2, status_pb2

from caraway.coroutines import run_to_end
from caraway.v1 import task_pb2, worker_service_pb2
from caraway.worker.control import BY_PLACE

logger = logging.getLogger("caraway.worker")

Command = Callable[..., Any]


class Commands:
    """Runs commands: each is a function that takes keyword arguments and returns what JSON has a form for."""

    def __init__(self, known: Mapping[str, Command], *, by_place: bool = False) -> None:
        """`by_place`: they take BY_PLACE."""
        self._known = dict(known)
        self._by_place = by_place

    def add(self, name: str, command: Command) -> None:
        """Answer to this name from now on. A ValueError or TypeError that it raises is the caller's fault."""
        self._known[name] = command

    def __contains__(self, name: str) -> bool:
        """Whether it answers to this name."""
        return name in self._known

    def answer(
        self, asked: worker_service_pb2.WorkerCommand, also: Iterable[str] = ()
    ) -> worker_service_pb2.CommandReply:
        """Run a command, and write down what came of it; `also` are names that others answer to."""
        reply = worker_service_pb2.CommandReply(command_id=asked.command_id)
        command = self._known.get(asked.command)
        if command is None:
            known = ", ".join(sorted({*self._known, *also}))
            text = f"this worker has no command {asked.command!r}; it has {known}"
            reply.status.CopyFrom(status_pb2.Status(code=code_pb2.UNIMPLEMENTED, message=text))
            return reply
        try:
            arguments = _arguments(asked.arguments)
            if BY_PLACE in arguments and not self._by_place:
                raise ValueError("it takes arguments as NAME=VALUE only")
            output = command(**arguments)
            if inspect.iscoroutine(output):
                output = run_to_end(output)
            reply.output.json = json.dumps(output, default=str)
        except (TypeError, ValueError) as error:
            text = f"the command {asked.command}: {error}"
            reply.status.CopyFrom(status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message=text))
        except Exception as error:
            logger.exception("the command %s raised", asked.command)
            text = f"the command {asked.command} raised {type(error).__name__}: {error}"
            reply.status.CopyFrom(status_pb2.Status(code=code_pb2.INTERNAL, message=text))
        return reply


def _arguments(payload: task_pb2.Payload) -> dict[str, Any]:
    arguments = json.loads(payload.json) if payload.json else {}
    if not isinstance(arguments, dict):
        raise ValueError("its arguments are to be a JSON object")
    return arguments
