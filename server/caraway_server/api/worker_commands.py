"""ControlService: what operators have workers do."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from google.rpc import code_pb2, status_pb2

from caraway.v1 import control_service_pb2, worker_service_pb2
from caraway_server.api import validate
from caraway_server.api.control_service import THERE, ControlService
from caraway_server.api.durations import micros
from caraway_server.api.errors import status_for
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Answers, Hub
from caraway_server.core.errors import Refused, ShuttingDown
from caraway_server.settings import Settings
from caraway_server.store.store import Store
from caraway_server.store.values import CommandAnswered

LARGEST_ARGUMENTS: Final = 256 * 1024
DEFAULT_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 60.0

Response = control_service_pb2.CommandWorkersResponse


class WorkerCommands:
    """Passes commands to workers and their replies back. One a gateway."""

    def __init__(self, store: Store, hub: Hub, workers: ControlService, settings: Settings) -> None:
        self._store = store
        self._hub = hub
        self._workers = workers
        self._settings = settings

    async def CommandWorkers(
        self, request: control_service_pb2.CommandWorkersRequest, context: Context
    ) -> AsyncIterator[Response]:
        self._check(request)
        names = await self._names(request)
        for worker_id in request.worker_ids:
            if worker_id not in names:
                error = Refused("WORKER_NOT_FOUND", f"no worker {worker_id!r} is there", worker_id=worker_id)
                yield Response(worker_id=worker_id, status=status_for(error))
        if not names:
            return
        command_id = self._store.commands.new_id()
        command = worker_service_pb2.WorkerCommand(command_id=command_id, command=request.command)
        if request.HasField("arguments"):
            command.arguments.CopyFrom(request.arguments)
        loop = asyncio.get_running_loop()
        with self._hub.asking(command_id) as answers:
            deadline = loop.time() + _seconds(request)
            await self._store.commands.give(names, command.SerializeToString())
            while names:
                answer = await _next(answers, deadline)
                if answer is None:
                    break
                if answer.worker_id in names:
                    yield _response(answer, names.pop(answer.worker_id))
        silent = status_pb2.Status(code=code_pb2.DEADLINE_EXCEEDED, message="it did not answer in time")
        for worker_id, name in names.items():
            yield Response(worker_id=worker_id, worker_name=name, status=silent)

    def _check(self, request: control_service_pb2.CommandWorkersRequest) -> None:
        validate.check_id("command", request.command)
        if len(request.worker_ids) > self._settings.max_batch_size:
            validate.check_batch("worker_ids", request.worker_ids, self._settings.max_batch_size)
        if request.HasField("arguments"):
            if request.arguments.WhichOneof("body") != "json":
                raise validate.invalid("arguments", "are to be JSON text")
            size = request.arguments.ByteSize()
            if size > LARGEST_ARGUMENTS:
                raise validate.invalid("arguments", f"have {size} bytes; at most {LARGEST_ARGUMENTS} are taken")
        if request.HasField("timeout") and micros(request.timeout) <= 0:
            raise validate.invalid("timeout", "is to be more than 0")

    async def _names(self, request: control_service_pb2.CommandWorkersRequest) -> dict[str, str]:
        """The workers that are meant and there, with their node names."""
        if request.worker_ids:
            workers = await self._workers.known(list(dict.fromkeys(request.worker_ids)))
        else:
            workers = await self._workers.there()
        return {worker.worker_id: worker.info.name for worker in workers if worker.state in THERE}


def _seconds(request: control_service_pb2.CommandWorkersRequest) -> float:
    return min(LONGEST_SECONDS, micros(request.timeout) / 1e6) if request.HasField("timeout") else DEFAULT_SECONDS


async def _next(answers: Answers, deadline: float) -> CommandAnswered | None:
    """The next answer; None: the time is over.

    Raises:
        ShuttingDown: the gateway leaves.
    """
    try:
        async with asyncio.timeout_at(deadline):
            answer = await answers.get()
    except TimeoutError:
        return None
    if answer is None:
        raise ShuttingDown("this gateway is shutting down; another one will take the command")
    return answer


def _response(answer: CommandAnswered, name: str) -> Response:
    reply = worker_service_pb2.CommandReply.FromString(answer.reply)
    response = Response(worker_id=answer.worker_id, worker_name=name, status=reply.status)
    if reply.HasField("output"):
        response.output.CopyFrom(reply.output)
    return response
