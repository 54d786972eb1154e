"""The steps that the suite takes itself, by its own calls and by what it does to processes and connections."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from google.protobuf import json_format
from google.rpc import code_pb2

from caraway.exceptions import TimeoutError
from caraway.v1 import admin_service_pb2, control_service_pb2, task_pb2, task_service_pb2
from conformance.languages import Language
from conformance.matching import MismatchError, check
from conformance.program.failures import as_failure
from conformance.program.tasks import task_of
from conformance.program_process import PATIENCE, Pending
from conformance.proxy import Proxy
from conformance.stage import WORKER, Cast, Stage
from conformance.wording import Names

Json = dict[str, Any]


class Playing(Protocol):
    """A case under way, as its steps see it."""

    stage: Stage
    cast: Cast
    kind: str
    names: Names
    begun: dict[str, Pending]
    proxies: dict[str, Proxy]

    def worker_named(self, name: str) -> str:
        """The full name of a worker."""

    def program_of(self, worker: str) -> Language:
        """Whose program runs a worker."""

    def forget_workers(self) -> None:
        """Their program was killed."""


class SuiteSteps:
    """A method for each step; what it returns, `as` gives a name."""

    def __init__(self, play: Playing) -> None:
        self._play = play

    # What was told

    def note(self, given: Json) -> None:
        """Wait for a note."""
        wanted = self._note(given)
        program = self._play.stage.program(self._play.program_of(wanted["worker"]), WORKER)
        program.note(lambda note: wanted.items() <= note.items())

    def no_note(self, given: Json) -> None:
        """A note has not come so far."""
        wanted = self._note(given)
        program = self._play.stage.program(self._play.program_of(wanted["worker"]), WORKER)
        assert not [note for note in program.notes if wanted.items() <= note.items()], "it came"

    def _note(self, given: Json) -> Json:
        return {**given, "worker": self._play.worker_named(given.get("worker", "own"))}

    def event(self, given: Json) -> None:
        """Wait for an event of a request."""
        expected = {name: value for name, value in given.items() if name != "of"}
        self._play.begun[given["of"]].event(lambda event: _fits(expected, event))

    # How tasks stand

    def until(self, given: Json) -> None:
        """Wait until a task stands as expected."""
        gateway = self._play.stage.caller(self._play.kind).gateway
        deadline = time.monotonic() + PATIENCE
        task = gateway.read(given["task_id"], full=True)
        while not _fits(given, task_of(task)):
            left = deadline - time.monotonic()
            try:
                task = gateway.wait(given["task_id"], max(left, 0.0), task.revision)
            except TimeoutError:
                check(given, task_of(task))
            if left < 0:
                check(given, task_of(task))
            time.sleep(0.002)  # a task that has ended is not waited for

    def find(self, given: Json) -> str:
        """Wait until a task of this name in the case's queue stands as expected."""
        states = [task_pb2.Task.State.Value(f"STATE_{given['state']}")] if "state" in given else []
        asked = task_service_pb2.ListTasksRequest(
            filter=task_pb2.TaskFilter(states=states, names=[given["name"]], queues=[self._play.names["queue"]])
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [task_of(task) for task in self._all_pages(asked)]
            for task in found:
                if _fits(given, task):
                    return str(task["task_id"])
            assert time.monotonic() < deadline, f"there are only {found}"
            time.sleep(0.01)

    def by_hand(self, given: Json) -> str:
        """Submit a task as grpcurl would. `fails`: its refusal."""
        fields = {name: value for name, value in given.items() if name != "fails"}
        spec = json_format.ParseDict({"queue": self._play.names["queue"], **fields}, task_pb2.TaskSpec())
        gateway = self._play.stage.caller(self._play.kind).gateway
        try:
            task_id = gateway.submit(spec)
        except Exception as error:
            check(given.get("fails"), as_failure(error))
            return ""
        assert "fails" not in given, "it was accepted"
        return task_id

    def counts(self, given: Json) -> None:
        """Wait until so many tasks in the case's queue, or another, are in a state."""
        state = task_pb2.Task.State.Value(f"STATE_{given['state']}")
        queue = given.get("queue", self._play.names["queue"])
        asked = task_service_pb2.ListTasksRequest(filter=task_pb2.TaskFilter(states=[state], queues=[queue]))
        asked.page_size = 500
        self._eventually(lambda: (len(self._all_pages(asked)), given["count"]))

    def _all_pages(self, asked: task_service_pb2.ListTasksRequest) -> list[task_pb2.Task]:
        asked.page_token, found = "", []
        while True:
            page = self._ask("ListTasks", asked)
            found += page.tasks
            if not page.next_page_token:
                return found
            asked.page_token = page.next_page_token

    def serving(self, given: Json) -> None:
        """Wait until the worker that serves the case's queue is shown like this."""
        expected = {name: value for name, value in given.items() if name != "info"}

        def look() -> tuple[Any, Any]:
            shown = [_worker_form(worker) for worker in self._serving()]
            return any(_fits({**expected, "info": given.get("info", {})}, worker) for worker in shown) or shown, True

        self._eventually(look)

    def _serving(self) -> list[control_service_pb2.Worker]:
        queue = self._play.names["queue"]
        workers = self._ask("ListWorkers", control_service_pb2.ListWorkersRequest(page_size=500)).workers
        return [worker for worker in workers if queue in worker.queues]

    def command(self, given: Json) -> None:
        """Send the worker that serves the case's queue a command; `code` is what it is to answer with."""
        asked = control_service_pb2.CommandWorkersRequest(command=given["command"])
        asked.timeout.seconds = 10
        asked.worker_ids.extend(worker.worker_id for worker in self._serving())
        replies = list(self._play.stage.caller(self._play.kind).gateway.command(asked))
        codes = [code_pb2.Code.Name(reply.status.code) for reply in replies]
        assert codes == [given["code"]], f"it answers {replies}"

    def _eventually(self, look: Callable[[], tuple[Any, Any]]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            got, wanted = look()
            if got == wanted:
                return
            assert time.monotonic() < deadline, f"expected {wanted}, got {got}"
            time.sleep(0.01)

    # What happens to gateways and connections

    def pause(self, queue: str) -> None:
        """Pause a queue."""
        self._ask("PauseQueue", admin_service_pb2.PauseQueueRequest(name=queue))

    def resume(self, queue: str) -> None:
        """Resume a queue."""
        self._ask("ResumeQueue", admin_service_pb2.ResumeQueueRequest(name=queue))

    def _ask(self, method: str, request: Any) -> Any:
        return self._play.stage.caller(self._play.kind).gateway.ask(method, request)

    def cut(self, role: str) -> None:
        """Break the connections of a role."""
        self._play.proxies[role].cut()

    def stall(self, role: str) -> None:
        """Let nothing through."""
        self._play.proxies[role].stall()

    def flow(self, role: str) -> None:
        """Let all through again."""
        self._play.proxies[role].flow()

    def restart_gateway(self, _given: Any) -> None:
        """End the gateway, and start it on the same port and data."""
        self.stop_gateway(None)
        self.start_gateway(None)

    def kill_gateway(self, _given: Any) -> None:
        """End it as a crash does."""
        self._play.stage.gateway(self._play.kind).kill()

    def stop_gateway(self, _given: Any) -> None:
        """End it."""
        self._play.stage.gateway(self._play.kind).stop()

    def start_gateway(self, _given: Any) -> None:
        """Start it again."""
        self._play.stage.gateway(self._play.kind).start()

    def kill(self, _role: str) -> None:
        """Kill the program that runs the workers."""
        self._play.stage.kill(self._play.cast.worker, WORKER)
        self._play.forget_workers()


def _worker_form(worker: control_service_pb2.Worker) -> Json:
    made: Json = json_format.MessageToDict(worker, preserving_proto_field_name=True)
    return made


def _fits(expected: Json, got: Json) -> bool:
    try:
        check(expected, got)
    except MismatchError:
        return False
    return True
