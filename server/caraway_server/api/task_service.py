"""TaskService: submit, read, wait, revoke, delete."""

import asyncio
from collections.abc import Callable, MutableMapping, Sequence

from caraway.v1 import task_pb2, task_service_pb2
from caraway_server.api import errors, validate
from caraway_server.api.convert import fill_spec, task_from
from caraway_server.api.durations import fill
from caraway_server.api.grpc_types import Context
from caraway_server.api.hub import Hub
from caraway_server.api.new_task import new_task
from caraway_server.api.revoking import read_how
from caraway_server.api.submitting import Submitter
from caraway_server.api.waiting import TaskReader, patience
from caraway_server.core.errors import CarawayServerError
from caraway_server.core.task import Record
from caraway_server.settings import MAX_MESSAGE_BYTES, Settings
from caraway_server.store.requests import MOST_IN_ONE_SCRIPT, parts_of
from caraway_server.store.store import Store
from caraway_server.store.values import NewTask, Submitted

REPLY_BYTES = MAX_MESSAGE_BYTES - 64 * 1024
READ_PAGE = 50

_DISPOSITIONS = {
    "created": task_service_pb2.SUBMIT_DISPOSITION_CREATED,
    "replaced": task_service_pb2.SUBMIT_DISPOSITION_REPLACED,
    "deduplicated": task_service_pb2.SUBMIT_DISPOSITION_DEDUPLICATED,
    "known": task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED,
    "deleted": task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED,
}
_Revoked = task_service_pb2.RevokeTasksResponse.Result
_REVOKED = {
    "revoked": _Revoked.OUTCOME_REVOKED,
    "cancel_requested": _Revoked.OUTCOME_CANCEL_REQUESTED,
    "already_terminal": _Revoked.OUTCOME_ALREADY_TERMINAL,
    "not_found": _Revoked.OUTCOME_NOT_FOUND,
}
_Requeued = task_service_pb2.RetryTasksResponse.Result
_REQUEUED = {
    "queued": _Requeued.OUTCOME_QUEUED,
    "not_retryable": _Requeued.OUTCOME_NOT_RETRYABLE,
    "not_found": _Requeued.OUTCOME_NOT_FOUND,
}
_Deleted = task_service_pb2.DeleteTasksResponse.Result
_DELETED = {
    "deleted": _Deleted.OUTCOME_DELETED,
    "not_terminal": _Deleted.OUTCOME_NOT_TERMINAL,
    "not_found": _Deleted.OUTCOME_NOT_FOUND,
    "needed": _Deleted.OUTCOME_NEEDED,
}


class TaskService:
    """What callers need. One a gateway.

    Args:
        store: where tasks are.
        hub: tells of their changes.
        settings: what requests are held to.
        stamp: adds to a new task's headers, where traces are on.
    """

    def __init__(
        self, store: Store, hub: Hub, settings: Settings, stamp: Callable[[MutableMapping[str, str]], None] | None
    ) -> None:
        self._stamp = stamp
        self._store = store
        self._hub = hub
        self._settings = settings
        self._reader = TaskReader(store, hub)
        self._submits = Submitter(store, hub)

    async def SubmitTask(
        self, request: task_service_pb2.SubmitTaskRequest, context: Context
    ) -> task_service_pb2.SubmitTaskResponse:
        # Whoever submits one task is likely to wait for it: noting that now saves the wait its own write.
        new = self._checked(request.task, watch=True)
        if request.validate_only:
            task = task_pb2.Task(task_id=new.task_id)
            fill_spec(task.spec, new, full=True)
            return task_service_pb2.SubmitTaskResponse(task=task)
        submitted = (await self._submits.submit([new]))[0]
        response = _accepted(new, submitted)
        if submitted.word in ("known", "deduplicated"):
            record = await self._reader.read(response.task.task_id)
            if record is not None:
                response.task.CopyFrom(task_from(record, task_pb2.TASK_VIEW_BASIC))
        elif submitted.word in ("created", "replaced"):
            _describe(response.task, new, submitted)
        return response

    async def BatchSubmitTasks(
        self, request: task_service_pb2.BatchSubmitTasksRequest, context: Context
    ) -> task_service_pb2.BatchSubmitTasksResponse:
        validate.check_batch("requests", request.requests, self._settings.max_batch_size)
        response = task_service_pb2.BatchSubmitTasksResponse()
        # While the store works on one part, the next is checked. All or nothing is one part.
        size = len(request.requests) if request.all_or_nothing else MOST_IN_ONE_SCRIPT
        parts = []
        for items in parts_of(request.requests, size):
            checked = self._checked_part(items, all_or_nothing=request.all_or_nothing)
            wanted = [
                new for new, item in zip(checked, items, strict=True)
                if isinstance(new, NewTask) and not item.validate_only
            ]  # fmt: skip
            submits = self._submits.submit(wanted, all_or_nothing=request.all_or_nothing)
            parts.append((checked, items, asyncio.ensure_future(submits)))
            await asyncio.sleep(0)
        await asyncio.gather(*(submitted for _, _, submitted in parts))
        for checked, items, submitted in parts:
            _fill_results(response, checked, items, submitted.result())
        return response

    async def RunTask(
        self, request: task_service_pb2.RunTaskRequest, context: Context
    ) -> task_service_pb2.RunTaskResponse:
        new = self._checked(request.task, watch=True)
        deadline = asyncio.get_running_loop().time() + patience(request, context)
        with self._hub.watching(new.task_id) as watcher:
            submitted = (await self._submits.submit([new]))[0]
            accepted = _accepted(new, submitted)
            record: Record | None = None
            if submitted.word == "known":
                record = await self._store.watch(new.task_id)
            elif submitted.word in ("created", "replaced"):
                watcher.revision = max(watcher.revision, submitted.revision)
            if submitted.word not in ("deleted", "deduplicated"):
                record = await self._reader.follow(watcher, record, new.task_id, 0, deadline)
        if submitted.word == "deduplicated":
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            record = await self._reader.wait(submitted.holder, 0, left)
        response = task_service_pb2.RunTaskResponse(task=accepted.task, disposition=accepted.disposition)
        if record is not None:
            response.task.CopyFrom(task_from(record, task_pb2.TASK_VIEW_FULL))
            response.done = record.is_terminal
        return response

    async def GetTask(
        self, request: task_service_pb2.GetTaskRequest, context: Context
    ) -> task_service_pb2.GetTaskResponse:
        validate.check_id("task_id", request.task_id)
        record = await self._reader.read(request.task_id)
        if record is None:
            raise errors.not_found(request.task_id)
        return task_service_pb2.GetTaskResponse(task=task_from(record, request.view))

    async def BatchGetTasks(
        self, request: task_service_pb2.BatchGetTasksRequest, context: Context
    ) -> task_service_pb2.BatchGetTasksResponse:
        validate.check_batch("task_ids", request.task_ids, self._settings.max_batch_size)
        view = request.view or task_pb2.TASK_VIEW_BASIC
        response = task_service_pb2.BatchGetTasksResponse()
        # Each id stands in the reply: in its task, as missing or as unread.
        size = sum(len(task_id.encode()) + 8 for task_id in request.task_ids)
        for start in range(0, len(request.task_ids), READ_PAGE):
            page = request.task_ids[start : start + READ_PAGE]
            for index, record in enumerate(await self._store.get(page)):
                if record is None:
                    response.missing_task_ids.append(page[index])
                    continue
                task = task_from(record, view)
                size += task.ByteSize() + 8
                if size > REPLY_BYTES and response.tasks:
                    response.unread_task_ids.extend(request.task_ids[start + index :])
                    return response
                response.tasks.append(task)
        return response

    async def WaitTask(
        self, request: task_service_pb2.WaitTaskRequest, context: Context
    ) -> task_service_pb2.WaitTaskResponse:
        validate.check_id("task_id", request.task_id)
        record = await self._reader.wait(request.task_id, max(0, request.after_revision), patience(request, context))
        if record is None:
            raise errors.not_found(request.task_id)
        return task_service_pb2.WaitTaskResponse(task=task_from(record, request.view), done=record.is_terminal)

    async def RevokeTasks(
        self, request: task_service_pb2.RevokeTasksRequest, context: Context
    ) -> task_service_pb2.RevokeTasksResponse:
        ids = self._selected(request.selector)
        how = read_how(request, "revoked")
        words = await self._store.revoke(ids, how.mode, how.reason, how.grace, how.signal)
        results = [_Revoked(task_id=task_id, outcome=_REVOKED[word]) for task_id, word in zip(ids, words, strict=True)]
        return task_service_pb2.RevokeTasksResponse(results=results)

    async def RetryTasks(
        self, request: task_service_pb2.RetryTasksRequest, context: Context
    ) -> task_service_pb2.RetryTasksResponse:
        ids = self._selected(request.selector)
        words = await self._store.requeue(ids)
        pairs = zip(ids, words, strict=True)
        results = [_Requeued(task_id=task_id, outcome=_REQUEUED[word]) for task_id, word in pairs]
        return task_service_pb2.RetryTasksResponse(results=results)

    async def DeleteTasks(
        self, request: task_service_pb2.DeleteTasksRequest, context: Context
    ) -> task_service_pb2.DeleteTasksResponse:
        ids = self._selected(request.selector)
        words = await self._store.delete(ids)
        results = [_Deleted(task_id=task_id, outcome=_DELETED[word]) for task_id, word in zip(ids, words, strict=True)]
        return task_service_pb2.DeleteTasksResponse(results=results)

    def _checked(self, spec: task_pb2.TaskSpec, *, watch: bool = False) -> NewTask:
        if self._stamp is not None:
            self._stamp(spec.headers)
        return new_task(spec, self._settings.max_payload_bytes, watch=watch)

    def _checked_or_error(self, item: task_service_pb2.SubmitTaskRequest) -> NewTask | CarawayServerError:
        try:
            return self._checked(item.task)
        except CarawayServerError as error:
            return error

    def _checked_part(
        self, items: Sequence[task_service_pb2.SubmitTaskRequest], *, all_or_nothing: bool
    ) -> list[NewTask | CarawayServerError]:
        checked = [self._checked_or_error(item) for item in items]
        if all_or_nothing and any(isinstance(new, CarawayServerError) for new in checked):
            refusal = errors.batch_rejected()
            return [refusal if isinstance(new, NewTask) else new for new in checked]
        return checked

    def _selected(self, selector: task_pb2.TaskSelector) -> Sequence[str]:
        validate.check_batch("selector.task_ids", selector.task_ids, self._settings.max_batch_size)
        return list(selector.task_ids)


def _accepted(new: NewTask, submitted: Submitted) -> task_service_pb2.SubmitTaskResponse:
    response = task_service_pb2.SubmitTaskResponse()
    _fill_accepted(response, new, submitted)
    return response


def _fill_accepted(response: task_service_pb2.SubmitTaskResponse, new: NewTask, submitted: Submitted) -> None:
    """Raises Refused where it was not taken."""
    disposition = _DISPOSITIONS.get(submitted.word)
    if disposition is None:
        raise errors.for_submit(submitted.word, new, submitted.holder)
    response.disposition = disposition
    task = response.task
    task.task_id = submitted.holder if submitted.word == "deduplicated" else new.task_id
    task.state = submitted.state  # type: ignore[assignment]
    task.revision = submitted.revision


def _describe(task: task_pb2.Task, new: NewTask, submitted: Submitted) -> None:
    """What a BASIC view shows of a task that was just made, without reading it."""
    fill_spec(task.spec, new, full=False)
    fill(task.create_time, submitted.created)
    if submitted.due:
        fill(task.next_attempt_time, submitted.due)


def _fill_results(
    response: task_service_pb2.BatchSubmitTasksResponse,
    checked: Sequence[NewTask | CarawayServerError],
    items: Sequence[task_service_pb2.SubmitTaskRequest],
    submitted: Sequence[Submitted],
) -> None:
    answers = iter(submitted)
    for new, item in zip(checked, items, strict=True):
        result = response.results.add()
        if isinstance(new, CarawayServerError):
            result.error.CopyFrom(errors.status_for(new))
        elif item.validate_only:
            result.response.task.task_id = new.task_id
        else:
            _fill_result(result, new, next(answers))


def _fill_result(result: task_service_pb2.BatchSubmitTasksResponse.Result, new: NewTask, submitted: Submitted) -> None:
    try:
        _fill_accepted(result.response, new, submitted)
    except CarawayServerError as error:
        result.error.CopyFrom(errors.status_for(error))
