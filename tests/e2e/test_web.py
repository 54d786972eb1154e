"""examples/web: a web service whose one event loop submits, waits and streams for many requests at once."""

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import WorkerStarter
from support.gateway import GatewayProcess
from support.processes import Running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECONDS = 30


class Service:
    """The service's process, and requests to it."""

    def __init__(self, target: str) -> None:
        env = {"PYTHONPATH": str(EXAMPLES), "CARAWAY_TARGET": target}
        self.running = Running([sys.executable, "-m", "uvicorn", "web.api:api", "--port", "0"], env=env)
        line = self.running.wait_for_line("running on http://")
        self._address = line.split("http://")[1].split()[0]

    def begin(self, method: str, path: str) -> http.client.HTTPConnection:
        """Send a request, without waiting for its answer."""
        connection = http.client.HTTPConnection(self._address, timeout=SECONDS)
        connection.request(method, path)
        return connection

    def ask(self, method: str, path: str) -> Any:
        """Send a request and read its answer."""
        return answer(self.begin(method, path))


def answer(connection: http.client.HTTPConnection) -> Any:
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return json.loads(body) if response.status == 200 else response.status


@pytest.fixture
def service(gateways: Any) -> Iterator[tuple[Service, GatewayProcess]]:
    """The service on a gateway of its own, without a worker."""
    gateway = gateways()
    made = Service(gateway.target)
    yield made, gateway
    made.running.stop()


def test_a_loop_answers_others_while_many_requests_wait(
    service: tuple[Service, GatewayProcess], start_worker: WorkerStarter, monkeypatch: pytest.MonkeyPatch
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
    service: tuple[Service, GatewayProcess], start_worker: WorkerStarter, monkeypatch: pytest.MonkeyPatch
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


def test_reports_that_are_not_there(service: tuple[Service, GatewayProcess]) -> None:
    web, _ = service
    assert [web.ask("GET", f"/reports/nobody{part}") for part in ("", "/text", "/events")] == [404, 404, 404]
    assert web.ask("DELETE", "/reports/nobody") == 404
