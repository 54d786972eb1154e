"""Logs as JSON, of gateway, worker and task."""

from caraway import Caraway
from support.processes import eventually
from support.watching import Watched


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
