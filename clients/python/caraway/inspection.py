"""`app.control.inspect()`: what workers are, have and know, in the shapes that Celery gives."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any, Final

from caraway.current import current_app
from caraway.destination import Destination, keyed
from caraway.durations import Seconds
from caraway.exceptions import PayloadError
from caraway.payload import decode_arguments
from caraway.readings import Found, tasks_held, tasks_of_queues, workers_there
from caraway.v1 import control_service_pb2, task_pb2, task_service_pb2

__all__ = ["Inspect"]

_State = task_pb2.Task
_Worker = control_service_pb2.Worker
_FULL: Final = task_pb2.TASK_VIEW_FULL
_AT_ONCE: Final = 50
_HELD: Final = {_State.STATE_LEASED: "reserved", _State.STATE_RUNNING: "active"}


Replies = dict[str, Any] | None


class Inspect:
    """Each method gives `{worker: answer}`, or None where no worker is there, as Celery's do.

    Lists come from the store, so a busy worker has them too, and nothing is waited for; `ping`, `stats`, `conf` and
    `report` ask the workers and wait for them at most `timeout` seconds. All raise OperationalError when the gateway
    stays away.
    """

    def __init__(
        self,
        destination: str | Iterable[str] | None = None,
        timeout: Seconds = 1.0,
        callback: Callable[[Any], Any] | None = None,
        connection: Any = None,
        app: Any = None,
        limit: int | None = None,
        pattern: str | None = None,
        matcher: str | None = None,
    ) -> None:
        """As `app.control.inspect` of `app`, by default the current one. `connection` is taken for Celery's sake."""
        self.app = current_app() if app is None else app
        self._destination = Destination.of(destination, pattern, matcher)
        self._timeout = timeout
        self._callback = callback
        self._limit = limit

    # Asked of workers.

    def ping(self, destination: str | Iterable[str] | None = None) -> Replies:
        """`{"ok": "pong"}` of each."""
        return self._ask("ping", destination=destination)

    def stats(self) -> Replies:
        """Process id, pool, resource usage, and tasks taken by name."""
        return self._ask("stats")

    def conf(self, with_defaults: bool = False) -> Replies:
        """Settings of the workers as text, secrets masked: those that differ from their default, or all."""
        return self._ask("conf", {"with_defaults": with_defaults})

    def report(self) -> Replies:
        """`{"ok": text}`: versions, platform and settings."""
        return self._ask("report")

    def _ask(self, command: str, arguments: Any = None, destination: str | Iterable[str] | None = None) -> Replies:
        chosen = self._destination if destination is None else Destination.of(destination)
        found = {}
        for name, answer in self.app.control.ask(command, arguments, chosen, self._timeout, self._limit):
            found[name] = answer
            if self._callback is not None:
                self._callback({name: answer})
        return found or None

    # Read from the store.

    def active(self, safe: bool | None = None) -> Replies:
        """Tasks that run; one is known to run once it does so for 0.1 s, or at once with `track_started`."""
        return self._held(_State.STATE_RUNNING)

    def reserved(self, safe: bool | None = None) -> Replies:
        """Tasks that a worker has, and that are not known to run."""
        return self._held(_State.STATE_LEASED)

    def scheduled(self, safe: bool | None = None) -> Replies:
        """Tasks that wait for their time: in the store, so each is told of every worker that serves its queue."""
        states = (_State.STATE_SCHEDULED, _State.STATE_RETRYING)
        return self._listed(
            lambda workers: tasks_of_queues(self.app.gateway, workers, states, _FULL),
            lambda _, task: _waiting(task, self.app),
        )

    def revoked(self) -> Replies:
        """Ids of tasks that ended as revoked and can still be read, told of every worker that serves their queue."""
        states = (_State.STATE_REVOKED,)
        return self._listed(
            lambda workers: tasks_of_queues(self.app.gateway, workers, states), lambda _, task: task.task_id
        )

    def registered(self, *taskinfoitems: str) -> Replies:
        """Names of the tasks that a worker knows; `["*"]` for one that takes any. More is not told (ValueError)."""
        if taskinfoitems:
            raise ValueError("workers tell the names of their tasks alone: leave taskinfoitems out")
        return self._of_each(lambda worker: sorted(worker.task_names) or ["*"])

    registered_tasks = registered

    def active_queues(self) -> Replies:
        """Queues that a worker takes tasks from."""
        return self._of_each(lambda worker: [{"name": queue, "routing_key": queue} for queue in worker.queues])

    def query_task(self, *ids: str | Iterable[str]) -> Replies:
        """What workers have of these tasks: `{id: ["active" or "reserved", task]}`."""
        wanted = [one for given in ids for one in ((given,) if isinstance(given, str) else given)]
        workers = self._workers()
        keys = keyed(workers)
        found: dict[str, Any] = {name: {} for name in keys.values()}
        names = {worker.worker_id: worker.info.name for worker in workers}
        for task in self._read(wanted):
            state = _HELD.get(task.state)
            if state is not None and task.worker_id in keys:
                found[keys[task.worker_id]][task.task_id] = [state, _document(task, names[task.worker_id], self.app)]
        return found or None

    def _read(self, ids: Sequence[str]) -> Iterator[task_pb2.Task]:
        left = list(dict.fromkeys(ids))
        while left:
            asked, left = left[:_AT_ONCE], left[_AT_ONCE:]
            request = task_service_pb2.BatchGetTasksRequest(task_ids=asked, view=_FULL)
            response = self.app.gateway.ask("BatchGetTasks", request)
            yield from response.tasks
            left += response.unread_task_ids

    def _workers(self) -> list[_Worker]:
        found = self._destination.choose(workers_there(self.app.gateway))
        return list(found[: self._limit])

    def _of_each(self, tell: Callable[[_Worker], Any]) -> Replies:
        workers = self._workers()
        keys = keyed(workers)
        return {keys[worker.worker_id]: tell(worker) for worker in workers} or None

    def _held(self, state: task_pb2.Task.State.ValueType) -> Replies:
        return self._listed(
            lambda workers: tasks_held(self.app.gateway, workers, state, _FULL),
            lambda worker, task: _document(task, worker.info.name, self.app),
        )

    def _listed(self, read: Callable[[list[_Worker]], Found], show: Callable[[_Worker, task_pb2.Task], Any]) -> Replies:
        workers = self._workers()
        keys = keyed(workers)
        found: dict[str, list[Any]] = {name: [] for name in keys.values()}
        if workers:
            for worker, task in read(workers):
                found[keys[worker.worker_id]].append(show(worker, task))
        return found or None


def _document(task: task_pb2.Task, worker: str | None, app: Any) -> dict[str, Any]:
    spec = task.spec
    try:
        args, kwargs = decode_arguments(spec, app)
    except PayloadError:
        args, kwargs = (), {}
    return {
        "id": task.task_id,
        "name": spec.name,
        "type": spec.name,
        "args": list(args),
        "kwargs": kwargs,
        "hostname": worker,
        "time_start": task.start_time.ToNanoseconds() / 1e9 if task.HasField("start_time") else None,
        "acknowledged": spec.ack_mode == task_pb2.TaskSpec.ACK_MODE_ON_START and task.state == _State.STATE_RUNNING,
        "delivery_info": {
            "exchange": "",
            "routing_key": spec.queue,
            "priority": app.turned(spec.priority),
            "redelivered": task.delivery_count > task.attempt,
        },
    }


def _waiting(task: task_pb2.Task, app: Any) -> dict[str, Any]:
    eta = task.next_attempt_time.ToDatetime(tzinfo=UTC).isoformat() if task.HasField("next_attempt_time") else None
    return {"eta": eta, "priority": app.turned(task.spec.priority), "request": _document(task, None, app)}
