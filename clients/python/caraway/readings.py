"""What is read of workers and their tasks from the store, through the gateway; no worker is asked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from caraway.gateway import Gateway
from caraway.v1 import control_service_pb2, task_pb2, task_service_pb2

__all__ = ["Found", "pages", "read_workers", "tasks_held", "tasks_of_queues", "workers_there"]

_PAGE: Final = 50
"""The gateway's usual page: small enough for any max_batch_size that makes sense."""

_Worker = control_service_pb2.Worker
_THERE: Final = (_Worker.STATE_ACTIVE, _Worker.STATE_DRAINING)

Found = Iterator[tuple[_Worker, task_pb2.Task]]


def read_workers(gateway: Gateway) -> list[_Worker]:
    """Read all workers that were seen of late."""
    request = control_service_pb2.ListWorkersRequest()
    found: list[_Worker] = []
    while True:
        response = gateway.ask("ListWorkers", request)
        found += response.workers
        if not response.next_page_token:
            return found
        request.page_token = response.next_page_token


def workers_there(gateway: Gateway) -> list[_Worker]:
    """Read the workers that are there: active or draining."""
    return [worker for worker in read_workers(gateway) if worker.state in _THERE]


def pages(
    gateway: Gateway,
    chosen: task_pb2.TaskFilter,
    limit: int | None = None,
    view: task_pb2.TaskView.ValueType = task_pb2.TASK_VIEW_BASIC,
) -> Iterator[list[task_pb2.Task]]:
    """Read a list of tasks page by page, as far as it is asked for."""
    request = task_service_pb2.ListTasksRequest(filter=chosen, view=view)
    left = limit
    while left is None or left > 0:
        request.page_size = _PAGE if left is None else min(left, _PAGE)
        response: Any = gateway.ask("ListTasks", request)
        yield list(response.tasks)
        if left is not None:
            left -= len(response.tasks)
        if not response.next_page_token:
            return
        request.page_token = response.next_page_token


def tasks_held(
    gateway: Gateway,
    workers: Sequence[_Worker],
    state: task_pb2.Task.State.ValueType,
    view: task_pb2.TaskView.ValueType = task_pb2.TASK_VIEW_BASIC,
) -> Found:
    """Read the tasks in a state (LEASED or RUNNING) with the workers that hold them."""
    by_id = {worker.worker_id: worker for worker in workers}
    for page in pages(gateway, task_pb2.TaskFilter(states=[state], worker_ids=list(by_id)), view=view):
        for task in page:
            if task.worker_id in by_id:
                yield by_id[task.worker_id], task


def tasks_of_queues(
    gateway: Gateway,
    workers: Sequence[_Worker],
    states: Iterable[task_pb2.Task.State.ValueType],
    view: task_pb2.TaskView.ValueType = task_pb2.TASK_VIEW_BASIC,
) -> Found:
    """Read the tasks in these states, which no worker holds: each with every worker that serves its queue."""
    queues = sorted({queue for worker in workers for queue in worker.queues})
    for page in pages(gateway, task_pb2.TaskFilter(states=states, queues=queues), view=view):
        for task in page:
            for worker in workers:
                if task.spec.queue in worker.queues:
                    yield worker, task
