"""Keeps the results of eager tasks at the gateway: `task_store_eager_result`.

The gateway knows only results of tasks that a worker had. So each is submitted to a queue of its own, from which this
process leases it as a worker does, and reports what came of it.
"""

from typing import Any, Final

from caraway import states
from caraway.canvas.graph import Node
from caraway.eager_result import EagerResult
from caraway.exceptions import OperationalError
from caraway.ids import uuid7
from caraway.payload import encode
from caraway.refusal import from_status
from caraway.spec import CallOptions, fill
from caraway.steps import Steps, ask
from caraway.v1 import task_pb2, task_service_pb2, worker_service_pb2
from caraway.wire_error import to_error

__all__ = ["storing"]

_TTL: Final = 60
"""Seconds after which a task ends as expired if this process dies between its submit and its report."""

_KEPT: Final[tuple[Any, ...]] = (
    "task_id", "ignore_result", "result_ttl", "headers", "shadow", "stamps", "serializer", "compression",
    "argsrepr", "kwargsrepr",
)  # fmt: skip


def storing(app: Any, node: Node, options: CallOptions, ended: EagerResult) -> Steps[None]:
    """Store how a task ended. Raises as `Task.delay`: TaskIdConflict where another task has its id."""
    spec = task_pb2.TaskSpec()
    kept: Any = {name: value for name, value in options.items() if name in _KEPT}
    fill(spec, node.id, node.task, node.args, node.kwargs, kept)
    spec.queue = f"caraway-eager-{uuid7()}"
    spec.ttl.seconds = _TTL
    yield ask("SubmitTask", task_service_pb2.SubmitTaskRequest(task=spec))
    wish = worker_service_pb2.PollTasksRequest(worker_id=spec.queue, queues=[spec.queue])
    wish.max_wait.seconds = _TTL
    response = yield ask("PollTasks", wish)
    if not response.leases:
        raise OperationalError(f"the gateway did not give out the eager task {node.id}, whose result is to be stored")
    report = worker_service_pb2.TaskReport(task_id=node.id, lease_token=response.leases[0].lease_token)
    _write(report, ended, app)
    answer = yield ask("ReportTasks", worker_service_pb2.ReportTasksRequest(reports=[report]))
    status = answer.results[0].status
    if status.code:
        raise from_status(status)


def _write(report: worker_service_pb2.TaskReport, ended: EagerResult, app: Any) -> None:
    if ended.state == states.SUCCESS:
        report.succeeded.result.CopyFrom(encode(ended.result, app.result_serializer, app.result_compression))
    elif ended.state == states.IGNORED:
        report.ignored.SetInParent()
    elif ended.state == states.REJECTED:
        report.rejected.reason = str(ended.result)
    else:
        report.failed.error.CopyFrom(to_error(ended.result))
