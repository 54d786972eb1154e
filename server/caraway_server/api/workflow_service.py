"""WorkflowService: submit, append, seal, cancel, retry."""

import logging
from collections.abc import Sequence

from caraway.ids import uuid7
from caraway.v1 import workflow_pb2, workflow_service_pb2
from caraway_server.api import validate
from caraway_server.api.graph import GraphReader, fingerprint_of, full, known_nodes, too_far
from caraway_server.api.grpc_types import Context
from caraway_server.api.reports import trimmed
from caraway_server.api.revoking import read_how
from caraway_server.api.workflow_convert import found, not_found
from caraway_server.core.errors import Refused, StoreError
from caraway_server.settings import Settings
from caraway_server.store.batches import NewNode
from caraway_server.store.store import Store
from caraway_server.store.workflows import Accepted, NewWorkflow

_log = logging.getLogger(__name__)

USUAL_LEASE = 60_000_000  # microseconds, of a producer
SHORTEST_LEASE, LONGEST_LEASE = 1_000_000, 86_400_000_000

_Node = workflow_pb2.WorkflowNode


class WorkflowService:
    """Grows and ends workflows. One a gateway."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._workflows = store.workflows
        self._settings = settings

    async def SubmitWorkflow(
        self, request: workflow_service_pb2.SubmitWorkflowRequest, context: Context
    ) -> workflow_service_pb2.SubmitWorkflowResponse:
        new = self._new_workflow(request)
        if request.validate_only:
            checked = workflow_pb2.Workflow(workflow_id=new.workflow_id, name=new.name, node_count=len(new.nodes))
            return workflow_service_pb2.SubmitWorkflowResponse(workflow=checked)
        accepted = await self._workflows.submit(new)
        if accepted.record is None:
            raise _refusal(accepted, new)
        if accepted.record.parts:
            await self._make(new.workflow_id)
        workflow = found(new.workflow_id, accepted.record)
        return workflow_service_pb2.SubmitWorkflowResponse(workflow=workflow, created=accepted.word == "created")

    def _new_workflow(self, request: workflow_service_pb2.SubmitWorkflowRequest) -> NewWorkflow:
        spec = request.workflow
        workflow_id = spec.workflow_id or uuid7()
        validate.check_id("workflow.workflow_id", workflow_id)
        if spec.name:
            validate.check_id("workflow.name", spec.name)
        ttl = validate.bounded("workflow.result_ttl", spec.result_ttl) if spec.HasField("result_ttl") else 0
        if not spec.nodes and not request.open:
            raise validate.invalid("workflow.nodes", "is empty; name at least one, or submit it open")
        if request.HasField("producer_lease") and not request.open:
            raise validate.invalid("producer_lease", "is for open workflows; leave it out, or submit it open")
        if len(spec.nodes) > self._store.limits.max_workflow_nodes:
            raise full(workflow_id, self._store.limits.max_workflow_nodes)
        if not request.open:
            for node in spec.nodes:
                if node.HasField("collect"):
                    node.collect.open = False  # it is sealed already
        nodes = GraphReader(workflow_id, self._settings.max_payload_bytes).read(spec.nodes)
        fingerprint = fingerprint_of(spec, nodes, is_open=request.open)
        return NewWorkflow(workflow_id, fingerprint, nodes, spec.name, ttl, _lease(request))

    async def _make(self, workflow_id: str) -> None:
        """Has the nodes of a large workflow made before the answer, so that who has it can read them."""
        try:
            while (record := await self._workflows.get(workflow_id)) is not None and record.parts:
                await self._workflows.advance(workflow_id)
        except StoreError as error:  # it is accepted: the relay goes on
            _log.warning("the nodes of workflow %s are made later: %s", workflow_id, error)

    async def AppendWorkflowNodes(
        self, request: workflow_service_pb2.AppendWorkflowNodesRequest, context: Context
    ) -> workflow_service_pb2.AppendWorkflowNodesResponse:
        workflow_id, part = request.workflow_id, request.part
        validate.check_id("workflow_id", workflow_id)
        if part < 0 or (part == 0 and request.nodes):
            raise validate.invalid("part", f"is {part}; parts with nodes are numbered from 1")
        record = await self._workflows.get(workflow_id)
        if record is None:
            raise not_found(workflow_id)
        if record.parts:
            await self._make(workflow_id)
        nodes: list[NewNode] = []
        if part > record.last_part:
            nodes = await self._part(workflow_id, request.nodes)
        appended = await self._workflows.append(workflow_id, part, nodes)
        if appended.word == "busy":  # a task has added nodes meanwhile
            await self._make(workflow_id)
            appended = await self._workflows.append(workflow_id, part, nodes)
        if appended.word not in ("made", "known"):
            raise self._append_refusal(workflow_id, appended.word, appended.about, appended.last_part)
        return workflow_service_pb2.AppendWorkflowNodesResponse(last_part=appended.last_part)

    async def _part(self, workflow_id: str, nodes: Sequence[_Node]) -> list[NewNode]:
        own = {node.node_id for node in nodes}
        outside = {edge.node_id for node in nodes for edge in node.after} - own
        collects = {node.node_id for node in nodes if node.HasField("collect")}
        known = await known_nodes(self._store, workflow_id, sorted(outside | collects))
        reader = GraphReader(
            workflow_id, self._settings.max_payload_bytes, known=known, extended=collects & known.keys()
        )
        return reader.read(nodes)

    def _append_refusal(self, workflow_id: str, word: str, about: str, last_part: int) -> Refused:
        if word == "not_found":
            return not_found(workflow_id)
        if word == "not_open":
            return Refused(
                "WORKFLOW_NOT_OPEN", f"workflow {workflow_id!r} takes no more nodes: it is sealed, or was given up",
                workflow_id=workflow_id,
            )  # fmt: skip
        if word == "missing":
            return Refused(
                "WORKFLOW_PART_MISSING", f"part {last_part + 1} of workflow {workflow_id!r} comes next; send it first",
                workflow_id=workflow_id, last_part=last_part,
            )  # fmt: skip
        if word == "full":
            return full(workflow_id, self._store.limits.max_workflow_nodes)
        if word == "busy":
            return Refused(
                "STORE_UNAVAILABLE", f"earlier nodes of workflow {workflow_id!r} are not made yet; try again"
            )
        return _graph_refusal(word, about)

    async def SealWorkflow(
        self, request: workflow_service_pb2.SealWorkflowRequest, context: Context
    ) -> workflow_service_pb2.SealWorkflowResponse:
        validate.check_id("workflow_id", request.workflow_id)
        error = trimmed(request.error) if request.HasField("error") else b""
        record = await self._workflows.seal(request.workflow_id, error, "the producer gave up")
        return workflow_service_pb2.SealWorkflowResponse(workflow=found(request.workflow_id, record))

    async def CancelWorkflow(
        self, request: workflow_service_pb2.CancelWorkflowRequest, context: Context
    ) -> workflow_service_pb2.CancelWorkflowResponse:
        validate.check_id("workflow_id", request.workflow_id)
        how = read_how(request, "cancelled")
        record = await self._workflows.cancel(request.workflow_id, how.mode, how.reason, how.grace, how.signal)
        return workflow_service_pb2.CancelWorkflowResponse(workflow=found(request.workflow_id, record))

    async def RetryWorkflow(
        self, request: workflow_service_pb2.RetryWorkflowRequest, context: Context
    ) -> workflow_service_pb2.RetryWorkflowResponse:
        validate.check_id("workflow_id", request.workflow_id)
        word, record = await self._workflows.retry(request.workflow_id)
        if word in ("given_up", "incomplete"):
            why = "its producer gave up" if word == "given_up" else "results of its nodes were deleted"
            raise Refused(
                "WORKFLOW_NOT_RETRYABLE",
                f"workflow {request.workflow_id!r} can't be run again: {why}; submit a new one",
                workflow_id=request.workflow_id,
            )  # fmt: skip
        workflow = found(request.workflow_id, record)
        return workflow_service_pb2.RetryWorkflowResponse(workflow=workflow, retried=word == "retried")


def _lease(request: workflow_service_pb2.SubmitWorkflowRequest) -> int:
    if not request.open:
        return 0
    if not request.HasField("producer_lease"):
        return USUAL_LEASE
    lease = validate.bounded("producer_lease", request.producer_lease)
    if not SHORTEST_LEASE <= lease <= LONGEST_LEASE:
        raise validate.invalid("producer_lease", f"is {lease / 1e6:g} s; it goes from 1 s to 1 day")
    return lease


def _refusal(accepted: Accepted, new: NewWorkflow) -> Refused:
    if accepted.word == "conflict":
        return Refused(
            "WORKFLOW_ID_CONFLICT", f"workflow {new.workflow_id!r} exists with another spec; use a new id",
            workflow_id=new.workflow_id,
        )  # fmt: skip
    if accepted.word == "deleted":
        return Refused(
            "WORKFLOW_ID_CONFLICT", f"workflow {new.workflow_id!r} was there, and is deleted since; use a new id",
            workflow_id=new.workflow_id,
        )  # fmt: skip
    return _graph_refusal(accepted.word, accepted.about)


def _graph_refusal(word: str, about: str) -> Refused:
    if word == "too_far":
        return too_far()
    if word == "queue_full":
        return Refused(
            "QUEUE_FULL", f"queue {about!r} holds as many tasks as it may; retry later or start workers", queue=about
        )
    if word == "taken":
        return Refused("TASK_ID_CONFLICT", f"task {about!r} exists already; use a new id", task_id=about)
    if word == "closed":
        return Refused(
            "INVALID_WORKFLOW",
            f"collect {about!r} takes no more: it has ended, is not open, or something comes after it already",
            node_id=about,
        )  # fmt: skip
    return Refused("INVALID_WORKFLOW", f"node {about!r} is not in the workflow", node_id=about)
