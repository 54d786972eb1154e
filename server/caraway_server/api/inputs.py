"""What nodes hand on, as the contract's messages; and GetInputs."""

from collections.abc import Iterable

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from caraway.v1 import task_pb2, worker_service_pb2
from caraway_server.api import errors, validate
from caraway_server.api.convert import error_of, task_from
from caraway_server.api.grpc_types import Context
from caraway_server.core.inputs import Failed, InputPart, InputStart, ListBegin, Value
from caraway_server.core.task import HELD
from caraway_server.store.codec import token_parts
from caraway_server.store.inputs import Position
from caraway_server.store.store import Store

PAGE_BYTES = 3 << 20  # a page of more than one value stays below the largest message

Message = worker_service_pb2.InputPart


def add_inputs(messages: RepeatedCompositeFieldContainer[Message], parts: Iterable[InputPart]) -> None:
    """Adds what is handed on to a message."""
    for part in parts:
        message = messages.add()
        if isinstance(part, InputStart):
            message.input.pass_as = part.passing  # type: ignore[assignment]
            message.input.kwarg, message.input.task_id = part.kwarg, part.task_id
        elif isinstance(part, Value):
            message.payload.ParseFromString(part.payload)
            message.payload.SetInParent()
        elif isinstance(part, Failed):
            message.failure.task_id = part.record.task_id
            message.failure.error.CopyFrom(error_of(part.record) or task_pb2.TaskError())
            if part.told:
                message.failure.task.CopyFrom(task_from(part.record, task_pb2.TASK_VIEW_FULL))
                message.failure.task.ClearField("error")
                message.failure.task.ClearField("progress")
        elif isinstance(part, ListBegin):
            message.list_begin.SetInParent()
        else:
            message.list_end.SetInParent()


class InputPages:
    """Serves GetInputs. One a gateway."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def GetInputs(
        self, request: worker_service_pb2.GetInputsRequest, context: Context
    ) -> worker_service_pb2.GetInputsResponse:
        validate.check_id("task_id", request.task_id)
        position = Position.from_token(request.page_token)
        record = (await self._store.get([request.task_id]))[0]
        task_id, fence = token_parts(request.lease_token)
        if record is None or task_id != request.task_id or record.state not in HELD or str(record.fence) != fence:
            raise errors.lease_lost(request.task_id)
        response = worker_service_pb2.GetInputsResponse()
        if record.inputs:
            parts, following = await self._store.inputs.page(record.inputs, position, PAGE_BYTES)
            add_inputs(response.inputs, parts)
            if following is not None:
                response.next_page_token = following.to_token()
        return response
