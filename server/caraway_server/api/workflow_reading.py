"""WorkflowService: read, wait, watch, list."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable

import msgpack

from caraway.v1 import task_pb2, workflow_pb2, workflow_service_pb2
from caraway_server.api import validate
from caraway_server.api.convert import node_id_of, task_from
from caraway_server.api.graph import known_nodes, unsound
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Hub, workflow_topic
from caraway_server.api.paging import offset_from, page_size, token_for_offset
from caraway_server.api.stamps import stamped_with
from caraway_server.api.task_service import READ_PAGE, REPLY_BYTES
from caraway_server.api.waiting import LOOK_AGAIN_SECONDS, patience
from caraway_server.api.workflow_convert import found, not_found, workflow_from
from caraway_server.core.task import Record
from caraway_server.core.workflow import WorkflowRecord
from caraway_server.settings import Settings
from caraway_server.store.store import Store

SIGN_OF_LIFE_SECONDS = 12.0
PACE_SECONDS = 0.1  # changes in quick succession are told as one
MOST_READ_FOR_A_PAGE = 1000
ANY_CHANGE = 2**52  # no revision is greater: the watch is always noted

Nodes = workflow_service_pb2.ListWorkflowNodesResponse


class WorkflowReading:
    """Reads workflows. One a gateway."""

    def __init__(self, store: Store, hub: Hub, settings: Settings) -> None:
        self._store = store
        self._workflows = store.workflows
        self._hub = hub
        self._settings = settings

    async def GetWorkflow(
        self, request: workflow_service_pb2.GetWorkflowRequest, context: Context
    ) -> workflow_service_pb2.GetWorkflowResponse:
        validate.check_id("workflow_id", request.workflow_id)
        record = await self._workflows.get(request.workflow_id)
        return workflow_service_pb2.GetWorkflowResponse(workflow=found(request.workflow_id, record))

    async def WaitWorkflow(
        self, request: workflow_service_pb2.WaitWorkflowRequest, context: Context
    ) -> workflow_service_pb2.WaitWorkflowResponse:
        workflow_id, after = request.workflow_id, max(0, request.after_revision)
        validate.check_id("workflow_id", workflow_id)
        deadline = asyncio.get_running_loop().time() + patience(request, context)
        with self._hub.watching(workflow_topic(workflow_id)) as watcher:
            while True:
                record = await self._workflows.watch(workflow_id, after)
                left = deadline - asyncio.get_running_loop().time()
                if record is None or _is_there(record, after) or left <= 0:
                    break
                await watcher.next(min(left, LOOK_AGAIN_SECONDS * random.uniform(0.8, 1.2)))
        workflow = found(workflow_id, record)
        return workflow_service_pb2.WaitWorkflowResponse(
            workflow=workflow, done=record is not None and record.is_terminal
        )

    async def WatchWorkflow(
        self, request: workflow_service_pb2.WatchWorkflowRequest, context: Context
    ) -> AsyncIterator[workflow_service_pb2.WatchWorkflowResponse]:
        validate.check_id("workflow_id", request.workflow_id)
        told, changed = request.after_revision, True
        with self._hub.watching(workflow_topic(request.workflow_id)) as watcher:
            while True:
                record = await self._workflows.watch(request.workflow_id, ANY_CHANGE)
                workflow = found(request.workflow_id, record)
                if workflow.revision > told or not changed or workflow.state != workflow_pb2.Workflow.STATE_RUNNING:
                    told = workflow.revision
                    yield workflow_service_pb2.WatchWorkflowResponse(workflow=workflow)
                if record is None or record.is_terminal:
                    return
                changed = await watcher.next(SIGN_OF_LIFE_SECONDS * random.uniform(0.8, 1.0))
                await asyncio.sleep(PACE_SECONDS)

    async def ListWorkflows(
        self, request: workflow_service_pb2.ListWorkflowsRequest, context: Context
    ) -> workflow_service_pb2.ListWorkflowsResponse:
        size = page_size(request.page_size, self._settings.max_batch_size)
        states = _known(request.states, workflow_pb2.Workflow.State.values())
        offset, stop = offset_from(request.page_token), False
        response = workflow_service_pb2.ListWorkflowsResponse()
        budget = MOST_READ_FOR_A_PAGE
        while not stop and len(response.workflows) < size and budget > 0:
            records, read = await self._workflows.page(offset, min(READ_PAGE, size - len(response.workflows)))
            stop = read == 0
            offset, budget = offset + read, budget - read
            response.workflows.extend(
                workflow_from(record) for record in records if not states or record.state in states
            )
        if not stop:
            response.next_page_token = token_for_offset(offset)
        return response

    async def ListWorkflowNodes(
        self, request: workflow_service_pb2.ListWorkflowNodesRequest, context: Context
    ) -> Nodes:
        validate.check_id("workflow_id", request.workflow_id)
        if await self._workflows.get(request.workflow_id) is None:
            raise not_found(request.workflow_id)
        states = _known(request.states, task_pb2.Task.State.values())
        collect = await self._collect(request) if request.collect_node_id else ""
        size = page_size(request.page_size, self._settings.max_batch_size)
        view = request.view or task_pb2.TASK_VIEW_BASIC
        validate.check_stamps("stamps", request.stamps)
        is_stamped = stamped_with(request.stamps)
        page = _NodePage(
            request.workflow_id,
            view,
            lambda record: (not states or record.state in states) and (not request.stamps or is_stamped(record)),
        )
        offset = offset_from(request.page_token)
        for _ in range(0, MOST_READ_FOR_A_PAGE, READ_PAGE):
            count = min(READ_PAGE, size - len(page.response.nodes))
            if collect:
                ids = await self._workflows.member_ids(collect, offset, count)
            else:
                ids = await self._workflows.node_ids(request.workflow_id, offset, count)
            taken = page.take(await self._store.get(ids))
            offset += taken
            if not ids:
                return page.response
            if taken < len(ids) or len(page.response.nodes) >= size:
                break
        page.response.next_page_token = token_for_offset(offset)
        return page.response

    async def _collect(self, request: workflow_service_pb2.ListWorkflowNodesRequest) -> str:
        """The id of the collect that a request names."""
        known = await known_nodes(self._store, request.workflow_id, [request.collect_node_id])
        records = await self._store.get(list(known.values()))
        if not records or records[0] is None or not records[0].collect:
            raise unsound(request.collect_node_id, "is no collect of this workflow")
        return records[0].task_id


class _NodePage:
    """Nodes of one reply, which stays below a message."""

    def __init__(self, workflow_id: str, view: task_pb2.TaskView.ValueType, wanted: Callable[[Record], bool]) -> None:
        self.response = Nodes()
        self._workflow_id = workflow_id
        self._view = view
        self._wanted = wanted
        self._size = 0

    def take(self, records: list[Record | None]) -> int:
        """Takes as many as fit; returns how many were looked at."""
        for index, record in enumerate(records):
            if record is None or not self._wanted(record):
                continue
            node = self._node(record)
            self._size += node.ByteSize() + 8
            if self._size > REPLY_BYTES and self.response.nodes:
                return index
            self.response.nodes.append(node)
        return len(records)

    def _node(self, record: Record) -> Nodes.Node:
        node = Nodes.Node(node_id=node_id_of(self._workflow_id, record.task_id), task=task_from(record, self._view))
        if record.inputs:
            for source, on, passing, kwarg in msgpack.unpackb(record.inputs, raw=True):
                node.after.add(
                    node_id=node_id_of(self._workflow_id, source.decode()), on=on, pass_as=passing, kwarg=kwarg.decode()
                )
        return node


def _is_there(record: WorkflowRecord, after_revision: int) -> bool:
    return record.is_terminal or 0 < after_revision < record.revision


def _known(states: Iterable[int], known: Iterable[int]) -> frozenset[int]:
    named = frozenset(states)
    if unknown := named - (frozenset(known) - {0}):
        raise validate.invalid("states", f"{min(unknown)} is not a state")
    return named
