"""A gateway in this process, on a real socket, that plays TaskService from a dict: for what the SDK does by itself."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from caraway.payload import encode
from caraway.reasons import DOMAIN, REASONS
from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc

TERMINAL = (task_pb2.Task.STATE_SUCCEEDED, task_pb2.Task.STATE_FAILED, task_pb2.Task.STATE_REVOKED)


def refusal(reason: str, message: str = "", **metadata: str) -> status_pb2.Status:
    """A status as a gateway makes it."""
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata))
    code = code_pb2.Code.Value(REASONS[reason].code)
    return status_pb2.Status(code=code, message=message or reason.lower(), details=[detail])


class PlayedGateway(task_service_pb2_grpc.TaskServiceServicer):
    """Keeps tasks in a dict. A task ends when `end` is called, or at once if `answer` is set."""

    def __init__(self) -> None:
        self.tasks: dict[str, task_pb2.Task] = {}
        self.calls: list[str] = []
        self.refusals: list[status_pb2.Status | grpc.StatusCode] = []
        self.refused_names: dict[str, status_pb2.Status] = {}
        self.batch_sizes: list[int] = []
        self.batch_bytes: list[int] = []
        self.revocations: list[Any] = []
        self.answer: Any = None
        self.changed = threading.Condition()
        self.port = 0
        self._server: grpc.Server | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 4 * 2**20)]
        )
        task_service_pb2_grpc.add_TaskServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(None).wait(10)
            self._server = None

    def end(self, task_id: str, **fields: Any) -> None:
        """End a task, or change it: `state` and what goes with it."""
        with self.changed:
            self.tasks[task_id].MergeFrom(task_pb2.Task(**fields))
            self.tasks[task_id].revision += 1
            self.changed.notify_all()

    def wait_for_calls(self, name: str, count: int) -> None:
        """Wait until a method was called so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.calls.count(name) >= count, timeout=20)

    def _begin(self, name: str, context: grpc.ServicerContext) -> None:
        with self.changed:
            self.calls.append(name)
            self.changed.notify_all()
        if not self.refusals:
            return
        refused = self.refusals.pop(0)
        if isinstance(refused, grpc.StatusCode):
            context.abort(refused, "played")
        self._abort(context, refused)

    def _abort(self, context: grpc.ServicerContext, status: status_pb2.Status) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        context.abort(code, status.message)

    def _accept(self, spec: task_pb2.TaskSpec) -> task_service_pb2.SubmitTaskResponse:
        task = self.tasks.setdefault(
            spec.task_id,
            task_pb2.Task(task_id=spec.task_id, state=task_pb2.Task.STATE_QUEUED, spec=spec, revision=1),
        )
        if self.answer is not None:
            task.state = task_pb2.Task.STATE_SUCCEEDED
            task.result.CopyFrom(encode(self.answer))
        return task_service_pb2.SubmitTaskResponse(
            task=task_pb2.Task(task_id=spec.task_id, state=task.state),
            disposition=task_service_pb2.SUBMIT_DISPOSITION_CREATED,
        )

    def _find(self, task_id: str, context: grpc.ServicerContext) -> task_pb2.Task:
        if task_id not in self.tasks:
            self._abort(context, refusal("TASK_NOT_FOUND", f"there is no task {task_id}", task_id=task_id))
        return self.tasks[task_id]

    def SubmitTask(self, request: Any, context: Any) -> Any:
        self._begin("SubmitTask", context)
        return self._accept(request.task)

    def BatchSubmitTasks(self, request: Any, context: Any) -> Any:
        self._begin("BatchSubmitTasks", context)
        self.batch_sizes.append(len(request.requests))
        self.batch_bytes.append(request.ByteSize())
        response = task_service_pb2.BatchSubmitTasksResponse()
        for item in request.requests:
            refused = self.refused_names.get(item.task.name)
            if refused is not None:
                response.results.add(error=refused)
            else:
                response.results.add(response=self._accept(item.task))
        return response

    def GetTask(self, request: Any, context: Any) -> Any:
        self._begin("GetTask", context)
        return task_service_pb2.GetTaskResponse(task=self._find(request.task_id, context))

    def WaitTask(self, request: Any, context: Any) -> Any:
        self._begin("WaitTask", context)
        wait = request.max_wait.ToNanoseconds() / 1e9 if request.HasField("max_wait") else 60.0
        task = self._find(request.task_id, context)
        with self.changed:
            after = request.after_revision
            self.changed.wait_for(lambda: task.state in TERMINAL or 0 < after < task.revision, timeout=wait)
            return task_service_pb2.WaitTaskResponse(task=task, done=task.state in TERMINAL)

    def RevokeTasks(self, request: Any, context: Any) -> Any:
        self._begin("RevokeTasks", context)
        self.revocations.append(request)
        outcomes = task_service_pb2.RevokeTasksResponse.Result
        response = task_service_pb2.RevokeTasksResponse()
        for task_id in request.selector.task_ids:
            known = task_id in self.tasks
            outcome = outcomes.OUTCOME_REVOKED if known else outcomes.OUTCOME_NOT_FOUND
            response.results.add(task_id=task_id, outcome=outcome)
            if known:
                self.end(task_id, state=task_pb2.Task.STATE_REVOKED, error={"kind": task_pb2.TaskError.KIND_REVOKED})
        return response

    def DeleteTasks(self, request: Any, context: Any) -> Any:
        self._begin("DeleteTasks", context)
        outcomes = task_service_pb2.DeleteTasksResponse.Result
        response = task_service_pb2.DeleteTasksResponse()
        for task_id in request.selector.task_ids:
            task = self.tasks.get(task_id)
            if task is None:
                outcome = outcomes.OUTCOME_NOT_FOUND
            elif task.state in TERMINAL:
                del self.tasks[task_id]
                outcome = outcomes.OUTCOME_DELETED
            else:
                outcome = outcomes.OUTCOME_NOT_TERMINAL
            response.results.add(task_id=task_id, outcome=outcome)
        return response
