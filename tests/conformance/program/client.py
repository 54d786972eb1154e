"""The role `client`: what the library does for a caller."""

import threading
from collections.abc import Mapping
from typing import Any

from caraway import Caraway
from caraway.exceptions import (
    CarawayError,
    OperationalError,
    PayloadError,
    RequestError,
    SubmitError,
    TimeoutError,
)
from caraway.payload import encode
from caraway.result import AsyncResult
from caraway.v1 import task_pb2, task_service_pb2
from conformance.program import canvases, lines
from conformance.program.failures import TaskEndedError, as_failure
from conformance.program.lines import Json
from conformance.program.settings import connection
from conformance.program.specs import call_of, submit
from conformance.program.tasks import task_of

Revoke = task_service_pb2.RevokeTasksRequest
OUTCOMES = {
    "RevokeTasks": task_service_pb2.RevokeTasksResponse.Result.Outcome,
    "RetryTasks": task_service_pb2.RetryTasksResponse.Result.Outcome,
    "DeleteTasks": task_service_pb2.DeleteTasksResponse.Result.Outcome,
}


class ClientRole:
    """An app for each client that was connected."""

    def __init__(self) -> None:
        self._apps: dict[str, Caraway] = {}
        self._lock = threading.Lock()

    def answer(self, number: int, request: Json) -> Json:
        """Do what a request asks."""
        do, name = request["do"], request["client"]
        if do == "connect":
            with self._lock:
                self._apps[name] = Caraway("conformance", **connection(request))
            return {}
        app = self._apps[name]
        if do == "close":
            app.close()
            return {}
        if do == "watch":
            return self._watch(app, number, request)
        method: Any = getattr(self, f"_{do}")
        return method(app, request)

    def _submit(self, app: Caraway, request: Json) -> Json:
        return {"task_id": submit(app, request["task"])}

    def _submit_many(self, app: Caraway, request: Json) -> Json:
        errors: Mapping[str, CarawayError] = {}
        results = []
        try:
            with app.batch():
                results = [app.send_task(**call_of(task)) for task in request["tasks"]]
        except SubmitError as error:
            errors = error.errors
        return {
            "results": [
                {"error": as_failure(errors[result.id])} if result.id in errors else {"task_id": result.id}
                for result in results
            ]
        }

    def _run(self, app: Caraway, request: Json) -> Json:
        task_id = submit(app, request["task"])
        return task_of(app.gateway.wait(task_id, request["timeout"]))

    def _read(self, app: Caraway, request: Json) -> Json:
        return task_of(app.gateway.read(request["task_id"], full=True))

    def _wait(self, app: Caraway, request: Json) -> Json:
        return task_of(app.gateway.wait(request["task_id"], request["timeout"]))

    def _result(self, app: Caraway, request: Json) -> Json:
        return _outcome(app, app.AsyncResult(request["task_id"]), request["timeout"])

    def _canvas(self, app: Caraway, request: Json) -> Json:
        canvas = canvases.build(app, request["canvas"])
        if "on_error" in request:
            canvas.link_error(canvases.build(app, {"task": request["on_error"]}))
        return _outcome(app, canvas.apply_async(), request["timeout"])

    def _watch(self, app: Caraway, number: int, request: Json) -> Json:
        asked = task_service_pb2.WatchTasksRequest(until_terminal=True, view=task_pb2.TASK_VIEW_BASIC)
        asked.selector.task_ids.extend(request["task_ids"])
        for response in app.gateway.watch(asked):
            if response.HasField("task"):
                lines.say({"id": number, "event": task_of(response.task)})
                continue
            mark = response.bookmark
            if mark.gap:
                lines.say({"id": number, "event": {"gap": True}})
            if mark.missing_task_ids:
                lines.say({"id": number, "event": {"missing": list(mark.missing_task_ids)}})
        return {}

    def _list(self, app: Caraway, request: Json) -> Json:
        asked = task_service_pb2.ListTasksRequest(page_size=request["page_size"])
        asked.filter.names.extend(request.get("names", ()))
        asked.filter.queues.extend(request.get("queues", ()))
        asked.filter.states.extend(task_pb2.Task.State.Value(f"STATE_{state}") for state in request.get("states", ()))
        tasks: list[Json] = []
        while True:
            page = app.gateway.ask("ListTasks", asked)
            tasks += [task_of(task) for task in page.tasks]
            if not page.next_page_token:
                return {"tasks": tasks}
            asked.page_token = page.next_page_token

    def _revoke(self, app: Caraway, request: Json) -> Json:
        asked = Revoke(mode=Revoke.Mode.Value(f"MODE_{request['mode']}"), reason=request.get("reason", ""))
        asked.signal = request.get("signal", "")
        if "grace" in request:
            asked.grace.FromNanoseconds(int(request["grace"] * 1e9))
        return _outcomes(app, "RevokeTasks", asked, request["task_ids"])

    def _retry(self, app: Caraway, request: Json) -> Json:
        return _outcomes(app, "RetryTasks", task_service_pb2.RetryTasksRequest(), request["task_ids"])

    def _delete(self, app: Caraway, request: Json) -> Json:
        return _outcomes(app, "DeleteTasks", task_service_pb2.DeleteTasksRequest(), request["task_ids"])


def _outcome(app: Caraway, result: Any, timeout: float) -> Json:
    try:
        return {"result": encode(result.get(timeout=timeout)).json}
    except (TimeoutError, RequestError, OperationalError, PayloadError):
        raise
    except Exception as error:
        failed = result if isinstance(result, AsyncResult) else next(each for each in result if each.failed())
        raise TaskEndedError(app.gateway.read(failed.id, full=True), error) from error


def _outcomes(app: Caraway, method: str, asked: Any, task_ids: list[str]) -> Json:
    asked.selector.task_ids.extend(task_ids)
    names = OUTCOMES[method]
    results = app.gateway.ask(method, asked).results
    return {"outcomes": [names.Name(result.outcome).removeprefix("OUTCOME_") for result in results]}
