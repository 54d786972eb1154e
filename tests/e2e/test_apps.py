"""Apps as programs have them: tasks discovered and shared, routes and queues, several apps, started by themselves."""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running
from support.worker import WorkerProcess

DEADLINE = 30.0

FILES = {
    "__init__.py": "",
    "app.py": """
        import os
        from caraway import Caraway, Middleware, Queue

        mine, other = os.environ["APPS_QUEUES"].split(",")


        class Wrapping(Middleware):
            def attempt(self, context, call_next):
                return self.wrap(context, call_next(context))

            async def aattempt(self, context, call_next):
                return self.wrap(context, await call_next(context))

            def wrap(self, context, value):
                return {"ran": value, "by": context.hostname} if context.task.startswith("wrapped.") else value


        app = Caraway(
            "proj",
            default_queue=mine,
            include=["proj.included"],
            task_queues=[Queue(mine), Queue(other)],
            task_create_missing_queues=False,
            task_routes={"proj.found.*": {"queue": other, "priority": 1}},
            task_priority_zero_first=True,
            task_inherit_parent_priority=True,
            task_annotations={"proj.included.patient": {"max_retries": 1, "default_retry_delay": 0}},
        )
        app.add_middleware(Wrapping())
        app.autodiscover_tasks(lambda: ["proj", "proj.found"], related_name="jobs")
        last = Caraway("last", target="127.0.0.1:9")
    """,
    "included.py": """
        import asyncio
        from proj.app import app, other

        @app.task(bind=True)
        def patient(self):
            if self.request.retries == 0:
                raise self.retry(queue=other)
            return [self.request.delivery_info["queue"], self.max_retries]

        @app.task(name="wrapped.plain")
        def plain(x):
            return x

        @app.task(name="wrapped.later")
        async def later(x):
            await asyncio.sleep(0)
            return x
    """,
    "found/__init__.py": "",
    "found/jobs.py": """
        from caraway import current_app, current_task, shared_task

        @shared_task(bind=True)
        def where(self, deep=True):
            found = [
                self.app.main, current_app.main, current_task.name,
                self.request.delivery_info["queue"], self.request.delivery_info["priority"],
            ]
            return [found, where.delay(False).id if deep else None]
    """,
}
PROGRAM = """
import sys
from caraway import Caraway

app = Caraway("prog")

@app.task
def add(x, y):
    return x + y

if __name__ == "__main__":
    app.worker_main() if sys.argv[1] == "worker" else app.start()
"""


@pytest.fixture(scope="module")
def queues() -> tuple[str, str]:
    name = uuid.uuid4().hex[:8]
    return f"mine-{name}", f"other-{name}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, queues: tuple[str, str]) -> Iterator[Path]:
    """A project, importable by whatever is started here."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        path = folder / "proj" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
    before = dict(os.environ)
    os.environ |= {"PYTHONPATH": str(folder), "APPS_QUEUES": ",".join(queues)}
    yield folder
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def worker(gateway: GatewayProcess, folder: Path) -> Iterator[WorkerProcess]:
    """Serves the queues that the app declares."""
    process = WorkerProcess(gateway.target, "proj.app:app", "-c", "1", "-n", "apps@here").ready()
    yield process
    process.stop()


@pytest.fixture
def app(gateway: GatewayProcess, worker: WorkerProcess, queues: tuple[str, str]) -> Iterator[Caraway]:
    """A client that knows no task."""
    with Caraway("client", target=gateway.target, default_queue=queues[0]) as made:
        yield made


def test_a_worker_imports_what_the_app_names_and_serves_its_queues(
    app: Caraway, worker: WorkerProcess, queues: tuple[str, str]
) -> None:
    (names,) = (app.control.inspect("apps@here", timeout=DEADLINE).registered() or {}).values()
    assert {name for name in names if name.startswith("proj.")} == {"proj.found.jobs.where", "proj.included.patient"}
    served = app.control.inspect("apps@here").active_queues() or {}
    assert [queue["name"] for queue in served["apps@here"]] == list(queues)


def test_a_shared_task_runs_in_the_app_of_the_worker_and_what_it_sends_is_routed(
    app: Caraway, queues: tuple[str, str]
) -> None:
    found, child = app.send_task("proj.found.jobs.where", priority=4).get(timeout=DEADLINE)
    # Told by a client that knows nothing of it: as it was sent. What the worker's app sends goes by its routes.
    assert found == ["proj", "proj", "proj.found.jobs.where", queues[0], 5]
    again, _ = app.AsyncResult(child).get(timeout=DEADLINE)
    assert again == ["proj", "proj", "proj.found.jobs.where", queues[1], 1]


def test_a_retry_may_go_to_another_queue_and_annotations_hold_in_the_worker(
    app: Caraway, queues: tuple[str, str]
) -> None:
    assert app.send_task("proj.included.patient").get(timeout=DEADLINE) == [queues[1], 1]


@pytest.mark.parametrize("name", ["wrapped.plain", "wrapped.later"])
def test_middleware_is_around_attempts_of_both_kinds(app: Caraway, name: str) -> None:
    assert app.send_task(name, (3,)).get(timeout=DEADLINE) == {"ran": 3, "by": "apps@here"}


def test_a_worker_for_a_queue_that_is_not_declared_is_refused(gateway: GatewayProcess, folder: Path) -> None:
    process = WorkerProcess(gateway.target, "proj.app:app", "-Q", "nowhere")
    assert process.end(DEADLINE) == 2
    assert any("the app's task_queues has no 'nowhere', but mine-" in line for line in process.lines)


def test_a_program_is_its_own_worker(gateway: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    queue = f"prog-{uuid.uuid4().hex[:8]}"
    flags = ["worker", "--target", gateway.target, "-Q", queue, "-c", "1", "-l", "INFO"]
    # From another folder: the children must find it all the same.
    process = Running([sys.executable, str(tmp_path / "prog.py"), *flags])
    try:
        process.wait_for_line(" ready.", DEADLINE)
        with Caraway("client", target=gateway.target) as client:
            assert client.send_task("prog.add", (1, 2), queue=queue).get(timeout=DEADLINE) == 3
    finally:
        process.stop()


def test_worker_main_starts_workers_only_and_start_anything(tmp_path: Path) -> None:
    app = Caraway("prog")
    with pytest.raises(ValueError, match="argv is to begin with 'worker'"):
        app.worker_main(["version"])
    (tmp_path / "prog.py").write_text(PROGRAM)
    version = Running([sys.executable, str(tmp_path / "prog.py"), "--version"])
    version.process.wait(DEADLINE)
    version.stop()
    plain = Running([*CARAWAY, "--version"])
    plain.process.wait(DEADLINE)
    plain.stop()
    assert version.lines == plain.lines != []
