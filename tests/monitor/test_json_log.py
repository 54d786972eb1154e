"""Logs as JSON, of gateway, worker and task."""

import json

import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running, eventually
from support.watching import Watched
from support.worker import WorkerProcess

JSON = ("--log-format", "json")


def test_lines_about_a_task_carry_its_id_and_name(client: Caraway, worker_metrics: Watched) -> None:
    result = client.send_task("monitor.sample.add", (1, 2))
    assert result.get(timeout=30) == 3

    def said() -> dict[str, str]:
        records = [one for one in worker_metrics.records() if one.get("task_id") == result.id]
        assert all(one["task_name"] == "monitor.sample.add" for one in records)
        return {one["message"].partition(" in ")[0]: one["logger"] for one in records}

    named = f"Task monitor.sample.add[{result.id}]"
    wanted = {f"{named} received", "adding", f"{named} succeeded"}
    eventually(lambda: wanted <= said().keys(), what="all three lines")
    assert said()["adding"] == "monitor.sample"


def test_a_failure_is_one_line_with_its_traceback(client: Caraway, worker_metrics: Watched) -> None:
    result = client.send_task("monitor.sample.fail")
    result.get(timeout=30, propagate=False)

    def found() -> list[str]:
        return [one["message"] for one in worker_metrics.records() if one.get("task_id") == result.id]

    eventually(lambda: any("so it is" in line and "Traceback" in line for line in found()), what="the error's line")


def test_every_line_of_the_gateway_is_an_object(gateway_metrics: Watched) -> None:
    lines = [line for line in gateway_metrics.process.lines if "caraway server listens" not in line]
    assert lines
    assert all(line.startswith("{") for line in lines)
    first = gateway_metrics.records()[0]
    assert {"time", "level", "logger", "message", "process"} <= first.keys()


def test_a_worker_writes_nothing_but_objects_from_start_to_end(gateway: GatewayProcess) -> None:
    """What it prints for people, too: a container's log has both of its streams."""
    worker = WorkerProcess(gateway.target, "monitor.sample", "-c", "1", *JSON).ready()
    assert worker.stop() == 0
    records = [json.loads(line) for line in worker.lines]
    banner, ready, drains = (
        next(one for one in records if words in one["message"])
        for words in ("[tasks]", " ready.", "no more tasks are taken")
    )
    assert [one["level"] for one in (banner, ready, drains)] == ["INFO"] * 3


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("server", "--redis", "redis://127.0.0.1:1/0", "--metrics-bind", "192.0.2.1:9464"), "--metrics-bind"),
        (("worker", "-A", "monitor.no_such_app", "-c", "1"), "no_such_app"),
    ],
)
def test_why_it_can_not_start_is_one_object(command: tuple[str, ...], words: str) -> None:
    failing = Running([*CARAWAY, *command, *JSON])
    assert failing.process.wait(30) == 1
    failing.stop()
    (record,) = (json.loads(line) for line in failing.lines)
    assert (record["level"], record["logger"]) == ("CRITICAL", "caraway")
    assert words in record["message"]
