"""examples/web: a web service whose one event loop submits, waits and streams for many requests at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import WorkerStarter
from support.gateway import GatewayProcess
from support.web import WebService, answer

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def service(gateways: Any) -> Iterator[tuple[WebService, GatewayProcess]]:
    """The service on a gateway of its own, without a worker."""
    gateway = gateways()
    made = WebService("web.api:api", {"PYTHONPATH": str(EXAMPLES), "CARAWAY_TARGET": gateway.target})
    yield made, gateway
    made.running.stop()


def test_a_loop_answers_others_while_many_requests_wait(
    service: tuple[WebService, GatewayProcess], start_worker: WorkerStarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, gateway = service
    ids = [web.ask("POST", f"/reports?user_id={user}")["id"] for user in range(20)]
    # Nobody can end these yet: were the loop held by one of them, no later request would be answered.
    waiting = [web.begin("GET", f"/reports/{task_id}/text") for task_id in ids]
    stream = web.begin("GET", f"/reports/{ids[0]}/events")
    assert web.ask("GET", f"/reports/{ids[-1]}") == {"state": "PENDING"}
    assert web.ask("GET", f"/reports/{ids[-1]}/text?patience=0") == 504
    assert web.ask("POST", "/reports?user_id=7") == {"id": ids[7]}
    assert web.ask("GET", "/reports/nobody") == 404
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    start_worker(gateway.target, app="web.tasks")
    texts = [answer(connection)["text"] for connection in waiting]
    assert texts == [f"report of user {user}, 3 pages" for user in range(20)]
    events = stream.getresponse().read().decode().strip().split("\n\n")
    assert events[-1] == f'event: SUCCESS\ndata: "{texts[0]}"'
    stream.close()


def test_progress_is_streamed_until_a_report_is_cancelled(
    service: tuple[WebService, GatewayProcess], start_worker: WorkerStarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, gateway = service
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    start_worker(gateway.target, app="web.tasks")
    ordered = web.ask("POST", "/reports?user_id=1&pages=1000000")["id"]
    stream = web.begin("GET", f"/reports/{ordered}/events")
    response = stream.getresponse()
    assert response.getheader("content-type", "").startswith("text/event-stream")
    lines = iter(response.readline, b"")
    assert next(line for line in lines if line == b"event: RENDERING\n")
    told = json.loads(next(lines).removeprefix(b"data: "))
    assert (told["of"], told["page"] >= 1) == (1000000, True)
    assert web.ask("DELETE", f"/reports/{ordered}") == 204
    assert [line for line in lines if line.startswith(b"event: ")][-1] == b"event: REVOKED\n"
    stream.close()
    assert web.ask("GET", f"/reports/{ordered}") == {"state": "REVOKED"}


def test_reports_that_are_not_there(service: tuple[WebService, GatewayProcess]) -> None:
    web, _ = service
    assert [web.ask("GET", f"/reports/nobody{part}") for part in ("", "/text", "/events")] == [404, 404, 404]
    assert web.ask("DELETE", "/reports/nobody") == 404
