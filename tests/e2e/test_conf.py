"""What an app's configuration says of its worker and of its calls, to a real worker and a real gateway."""

from collections.abc import Callable, Iterator

import pytest

from caraway.v1 import task_pb2, task_service_pb2, task_service_pb2_grpc
from e2e.conf_app import app, where
from support.gateway import GatewayProcess
from support.worker import WorkerProcess


@pytest.fixture(autouse=True)
def target(gateway: GatewayProcess) -> Iterator[str]:
    app.retarget(gateway.target)
    yield gateway.target
    app.retarget(None)


@pytest.fixture
def start(target: str) -> Iterator[Callable[..., WorkerProcess]]:
    started: list[WorkerProcess] = []

    def worker(*flags: str, **env: str) -> WorkerProcess:
        started.append(WorkerProcess(target, "e2e.conf_app", *flags, env=env).ready())
        return started[-1]

    yield worker
    for process in started:
        process.stop()


def stats(worker: WorkerProcess) -> dict[str, object]:
    (found,) = [one for one in app.control.inspect().stats().values() if one["pid"] == worker.pid]
    pool: dict[str, object] = found["pool"]
    return pool


def test_the_worker_runs_as_the_app_says(start: Callable[..., WorkerProcess]) -> None:
    worker = start()
    pool = stats(worker)
    assert pool["max-concurrency"] == 3
    assert pool["max-tasks-per-child"] == 1000
    assert "thread" in str(pool["implementation"])
    assert where.delay().get(timeout=30)[0] != worker.pid


def test_flags_and_variables_go_before_it(start: Callable[..., WorkerProcess]) -> None:
    pool = stats(start("-c", "2", CARAWAY_WORKER_POOL="process"))
    assert pool["max-concurrency"] == 2
    assert "process" in str(pool["implementation"])


def test_a_setting_that_no_worker_can_have_is_refused(target: str) -> None:
    broken = WorkerProcess(target, "e2e.conf_app", env={"CONF_CONCURRENCY": "5000"})
    assert broken.end() != 0
    assert "concurrency: write 1 to 1000" in broken.output


def test_calls_have_what_the_app_says(target: str, gateway: GatewayProcess) -> None:
    task_id = where.apply_async(countdown=3600).id
    with gateway.channel() as channel:
        request = task_service_pb2.GetTaskRequest(task_id=task_id, view=task_pb2.TASK_VIEW_FULL)
        spec = task_service_pb2_grpc.TaskServiceStub(channel).GetTask(request, timeout=10).task.spec
    assert (spec.queue, spec.priority, spec.result_ttl.seconds) == ("conf", 7, 77)
