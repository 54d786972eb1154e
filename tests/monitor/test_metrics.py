"""Metrics of gateway and worker, read over HTTP while real tasks run."""

import re
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from caraway import Caraway, chain, group
from caraway.exceptions import TaskNotFound, TaskRevokedError
from caraway.monitor.labels import OTHER
from caraway_server.core.tokens import line_of, new_token
from support.gateway import GatewayProcess
from support.processes import eventually
from support.watching import Watched
from support.worker import WorkerProcess

DOC = Path(__file__).resolve().parents[2] / "docs" / "monitoring.md"
ROW = re.compile(r"^\| `(caraway_\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)


def run(client: Caraway, name: str, *args: int) -> object:
    return client.send_task(f"monitor.sample.{name}", args).get(timeout=30)


def test_a_task_is_counted_from_submit_to_end(
    client: Caraway, gateway_metrics: Watched, worker_metrics: Watched
) -> None:
    before = gateway_metrics.value("caraway_tasks_ended_total", state="SUCCEEDED")
    for number in range(3):
        run(client, "add", number, 1)
    assert gateway_metrics.value("caraway_tasks_ended_total", state="SUCCEEDED") == before + 3
    assert gateway_metrics.value("caraway_tasks_submitted_total", queue="watched", outcome="created") >= 3
    assert gateway_metrics.value("caraway_task_wait_seconds_count", queue="watched", task="monitor.sample.add") >= 3
    assert gateway_metrics.value("caraway_task_run_seconds_count", outcome="succeeded") >= 3
    assert gateway_metrics.value("caraway_reports_total", kind="succeeded", outcome="ok") >= 3
    assert gateway_metrics.value("caraway_rpcs_total", method="SubmitTask", code="OK") >= 3
    assert gateway_metrics.value("caraway_rpc_seconds_count", method="SubmitTask") >= 3
    assert gateway_metrics.value("caraway_rpcs_open", method="LeaseTasks") == 1
    assert worker_metrics.value("caraway_worker_run_seconds_count", task="monitor.sample.add", outcome="succeeded") >= 3


def test_a_wait_counts_from_when_a_task_could_be_leased(
    client: Caraway, gateway_metrics: Watched, watched_worker: WorkerProcess
) -> None:
    name = "monitor.sample.second_time"
    client.send_task(name, (), countdown=1).get(timeout=30)
    assert gateway_metrics.value("caraway_task_wait_seconds_count", queue="watched", task=name) == 2  # two attempts
    assert (
        gateway_metrics.value("caraway_task_wait_seconds_sum", queue="watched", task=name) < 0.9
    )  # the countdown is no wait
    assert gateway_metrics.value("caraway_retries_total") >= 1


def test_failures_revocations_and_deaths_are_told_apart(
    client: Caraway, gateway_metrics: Watched, worker_metrics: Watched
) -> None:
    failed = gateway_metrics.value("caraway_tasks_ended_total", state="FAILED")
    with pytest.raises(ValueError, match="so it is"):
        run(client, "fail")
    assert gateway_metrics.value("caraway_tasks_ended_total", state="FAILED") == failed + 1
    result = client.send_task("nobody.has", (), queue="elsewhere")
    result.revoke()
    with pytest.raises(TaskRevokedError):
        result.get(timeout=30)
    assert gateway_metrics.value("caraway_tasks_ended_total", state="REVOKED") == 1
    assert run(client, "die_once") == 2
    assert gateway_metrics.value("caraway_deliveries_lost_total", cause="process") == 1
    assert worker_metrics.value("caraway_worker_children_died_total") == 1
    assert worker_metrics.value("caraway_worker_children_started_total") == 3
    assert worker_metrics.value("caraway_worker_run_seconds_count", task="monitor.sample.die_once", outcome="lost") == 1


def test_a_refused_call_is_counted_under_its_code(client: Caraway, gateway_metrics: Watched) -> None:
    with pytest.raises(TaskNotFound):
        _ = client.AsyncResult("nobody-knows").state
    # A refusal is sent before the call has ended.
    eventually(lambda: gateway_metrics.value("caraway_rpcs_total", method="GetTask", code="NOT_FOUND") == 1)


def test_tasks_of_workflows_are_counted_as_any_others(client: Caraway, gateway_metrics: Watched) -> None:
    before = gateway_metrics.value("caraway_tasks_submitted_total", queue="watched", outcome="created")
    ended = gateway_metrics.value("caraway_tasks_ended_total", state="SUCCEEDED")
    add = [client.signature("monitor.sample.add", args, immutable=True) for args in ((1, 2), (3, 4), (5, 6))]
    assert chain(add[0], group(add[1:])).apply_async().get(timeout=30) == [7, 11]
    after = gateway_metrics.value("caraway_tasks_submitted_total", queue="watched", outcome="created")
    assert after - before == gateway_metrics.value("caraway_tasks_ended_total", state="SUCCEEDED") - ended == 3


def test_depth_and_age_are_read_when_asked_for(client: Caraway, gateway_metrics: Watched) -> None:
    for priority in (2, 7):
        client.send_task("nobody.has", (), queue="deep", priority=priority)
    client.send_task("nobody.has", (), queue="deep", countdown=3600)
    eventually(lambda: gateway_metrics.value("caraway_queue_waiting_tasks", queue="deep") == 3, what="three tasks wait")
    assert gateway_metrics.value("caraway_queue_ready_tasks", queue="deep") == 2
    eventually(
        lambda: gateway_metrics.value("caraway_queue_oldest_seconds", queue="deep") > 1.5, what="the oldest ages"
    )
    assert gateway_metrics.value("caraway_store_up") == 1


def test_the_worker_shows_its_slots_and_its_stream(worker_metrics: Watched) -> None:
    eventually(lambda: worker_metrics.value("caraway_worker_slots") == 2, what="both slots are there")
    assert worker_metrics.value("caraway_worker_connected") == 1
    assert worker_metrics.value("caraway_worker_streams_opened_total") == 1
    assert 0 <= worker_metrics.value("caraway_worker_heartbeat_age_seconds") < 2
    assert worker_metrics.value("caraway_worker_busy_slots") == 0


def test_store_calls_and_the_loops_lag_are_timed(client: Caraway, gateway_metrics: Watched) -> None:
    client.send_task("nobody.has", (), queue="deep")
    calls = gateway_metrics.values("caraway_store_call_seconds_count", "call")
    assert calls["submit"] >= 1
    assert calls["survey"] >= 1
    eventually(lambda: gateway_metrics.value("caraway_event_loop_lag_seconds_count") > 0, what="the lag is measured")


def test_the_documented_metrics_are_those_that_there_are(gateway_metrics: Watched, worker_metrics: Watched) -> None:
    documented = {(name, kind, labels.strip()) for name, kind, labels in ROW.findall(DOC.read_text())}
    there = set()
    for watched in (gateway_metrics, worker_metrics):
        for name, family in watched.families().items():
            if name.startswith("process_"):
                continue
            full = f"{name}_total" if family.type == "counter" else name
            there.add((full, family.type))
            for sample in family.samples:
                labels = ", ".join(f"`{label}`" for label in sample.labels if label != "le")
                assert (full, family.type, labels) in documented
    assert there == {(name, kind) for name, kind, _ in documented}


def test_names_beyond_the_limit_are_taken_together(client: Caraway, watched_gateway: GatewayProcess) -> None:
    assert watched_gateway.running is not None
    watched = Watched(watched_gateway.running)
    with client.batch():
        for number in range(250):
            client.send_task("nobody.has", (), queue=f"many-{number}")
    submitted = watched.values("caraway_tasks_submitted_total", "queue")
    assert len(submitted) == 201
    assert submitted[OTHER] >= 50
    for number in range(250):
        client.send_task("nobody.has", (), queue=f"many-{number}").revoke()


def test_refused_calls_of_methods_that_there_are_not_share_a_label(
    gateways: Callable[..., GatewayProcess], tmp_path: Path
) -> None:
    """Whoever has no token can't fill the gateway's memory with names."""
    (tmp_path / "tokens").write_text(line_of("tests", new_token()))
    gateway = gateways("--tokens", str(tmp_path / "tokens"), "--metrics-bind", "127.0.0.1:0")
    assert gateway.running is not None
    watched = Watched(gateway.running)
    with gateway.channel() as channel:
        for method in ("GetTask", "Nothing", "NothingElse"):
            with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
                channel.unary_unary(f"/caraway.v1.TaskService/{method}")(b"", timeout=20)
    wanted = {"GetTask": 1.0, OTHER: 2.0}
    eventually(lambda: watched.values("caraway_rpcs_total", "method") == wanted, what="all three are counted")
