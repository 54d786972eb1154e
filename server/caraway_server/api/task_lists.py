"""TaskService: lists and counts."""

from collections.abc import Callable

from caraway.v1 import task_pb2, task_service_pb2
from caraway_server.api import validate
from caraway_server.api.convert import task_from
from caraway_server.api.durations import micros
from caraway_server.api.grpc_types import Context
from caraway_server.api.paging import page_size
from caraway_server.api.stamps import stamped_with
from caraway_server.core.task import Record, State
from caraway_server.settings import Settings
from caraway_server.store.store import Store

_LISTED_BY_WORKFLOW = frozenset({State.BLOCKED, State.REPLACED})
_GROUPS = task_service_pb2.CountTasksRequest.GroupBy


class TaskLists:
    """Reads pages of tasks, and counts. One a gateway."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def ListTasks(
        self, request: task_service_pb2.ListTasksRequest, context: Context
    ) -> task_service_pb2.ListTasksResponse:
        wanted = request.filter
        states = _states(wanted)
        size = page_size(request.page_size, self._settings.max_batch_size)
        records, token = await self._store.listing.page(
            states, list(wanted.queues), _test_of(wanted), size, request.page_token, wanted.parent_task_id
        )
        view = request.view or task_pb2.TASK_VIEW_BASIC
        return task_service_pb2.ListTasksResponse(
            tasks=[task_from(record, view) for record in records], next_page_token=token
        )

    async def CountTasks(
        self, request: task_service_pb2.CountTasksRequest, context: Context
    ) -> task_service_pb2.CountTasksResponse:
        listing = self._store.listing
        if request.group_by == _GROUPS.GROUP_BY_QUEUE:
            return task_service_pb2.CountTasksResponse(counts=await listing.count_by_queue())
        if request.group_by not in (_GROUPS.GROUP_BY_UNSPECIFIED, _GROUPS.GROUP_BY_STATE):
            raise validate.invalid("group_by", f"{request.group_by} is not known")
        return task_service_pb2.CountTasksResponse(counts=await listing.count_by_state())


def _states(wanted: task_pb2.TaskFilter) -> frozenset[State]:
    # What a task submitted is listed from one index, which has tasks of every state.
    beside = frozenset() if wanted.parent_task_id else _LISTED_BY_WORKFLOW
    listed = frozenset(State) - {State.TOMBSTONE} - beside
    if wanted.error_kinds and not wanted.states:
        return frozenset({State.FAILED, State.REVOKED, State.EXPIRED, State.REJECTED, State.RETRYING})
    if not wanted.states:
        return listed
    known = {state.value: state for state in listed}
    for number in wanted.states:
        if number in {state.value for state in beside}:
            raise validate.invalid(
                "filter.states", f"{State(number).name} is listed by ListWorkflowNodes, not by ListTasks"
            )
        if number not in known:
            raise validate.invalid("filter.states", f"{number} is not a state")
    return frozenset(known[number] for number in wanted.states)


def _test_of(wanted: task_pb2.TaskFilter) -> Callable[[Record], bool]:
    """Whether a record fits the filter's other conditions."""
    names, queues, workers = frozenset(wanted.names), frozenset(wanted.queues), frozenset(wanted.worker_ids)
    kinds = frozenset(wanted.error_kinds)
    after = micros(wanted.created_after) if wanted.HasField("created_after") else None
    before = micros(wanted.created_before) if wanted.HasField("created_before") else None
    validate.check_stamps("filter.stamps", wanted.stamps)
    is_stamped = stamped_with(wanted.stamps)

    def test(record: Record) -> bool:
        return (
            (not names or record.name in names)
            and (not queues or record.queue in queues)
            and (not workers or record.worker_id in workers)
            and (after is None or record.created >= after)
            and (before is None or record.created < before)
            and (not kinds or _kind_of(record) in kinds)
            and (not wanted.stamps or is_stamped(record))
        )

    return test


def _kind_of(record: Record) -> int:
    """The kind of the error that the task shows."""
    return task_from(record, task_pb2.TASK_VIEW_BASIC).error.kind
