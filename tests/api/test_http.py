"""JSON over HTTP, as curl calls it: the same services, errors, tokens and TLS as over gRPC."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from api.wire import Api
from caraway.v1 import (
    admin_service_pb2,
    control_service_pb2,
    task_service_pb2,
    worker_service_pb2,
    workflow_service_pb2,
)
from caraway_server.core.tokens import line_of, new_token
from support.certificates import Authority
from support.gateway import GatewayProcess
from support.processes import CARAWAY, Running, eventually
from support.secured import SecuredGateway, replace
from support.toolchains import require_programs
from support.watching import Watched

SECONDS = 30
FILES = (admin_service_pb2, control_service_pb2, task_service_pb2, worker_service_pb2, workflow_service_pb2)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Of an error."""
        (detail,) = self.json["details"]
        reason: str = detail["reason"]
        return reason


@dataclass(frozen=True)
class Curl:
    """Calls one gateway."""

    base: str
    flags: tuple[str, ...] = ()

    def __call__(self, path: str, body: Any = None, *flags: str) -> Answer:
        """POST, where there is a body; curl must come to an answer."""
        data = [] if body is None else ["--data-binary", body if isinstance(body, str) else json.dumps(body)]
        path = path if path.startswith("/") else f"/caraway.v1.{path}"
        done = subprocess.run(
            ["curl", "-sSi", "-H", "Expect:", "-m", str(SECONDS), *self.flags, *flags, *data, self.base + path],
            capture_output=True, text=True, timeout=SECONDS + 10, check=True,
        )  # fmt: skip
        head, _, text = done.stdout.replace("\r\n", "\n").partition("\n\n")
        first, *lines = head.split("\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Answer(int(first.split()[1]), headers, text)


def http_address(said: Running | None) -> str:
    """Where a gateway says that it serves HTTP."""
    assert said is not None
    return said.wait_for_line("JSON over HTTP").split()[-1]


@pytest.fixture(scope="module")
def server(short_folder: Callable[[], Path]) -> Iterator[GatewayProcess]:
    require_programs("curl")
    process = GatewayProcess(short_folder(), "--http", "127.0.0.1:0", "--http-origins", "https://here.example").start()
    yield process
    process.stop()


@pytest.fixture
def curl(server: GatewayProcess) -> Curl:
    return Curl(f"http://{http_address(server.running)}")


@pytest.fixture
def grpc_api(server: GatewayProcess, connect: Callable[..., Api]) -> Api:
    return connect(server.target)


def test_a_task_is_submitted_read_worked_on_and_waited_for(curl: Curl, queue: str) -> None:
    submitted = curl("TaskService/SubmitTask", {"task": {"name": "t", "queue": queue, "args": [2, "x"]}})
    assert (submitted.status, submitted.headers["content-type"]) == (200, "application/json; charset=utf-8")
    task_id = submitted.json["task"]["taskId"]
    assert curl("TaskService/GetTask", {"task_id": task_id}).json["task"]["state"] == "STATE_QUEUED"
    lease = curl("WorkerService/PollTasks", {"workerId": "curl", "queues": [queue], "maxLeases": 1})
    (held,) = lease.json["leases"]
    report = {"taskId": task_id, "leaseToken": held["leaseToken"], "succeeded": {"result": {"json": "4"}}}
    assert curl("WorkerService/ReportTasks", {"reports": [report]}).status == 200
    done = curl("TaskService/WaitTask", {"taskId": task_id, "maxWait": "10s"}).json
    assert (done["done"], done["task"]["result"]["json"]) == (True, "4")


def test_an_empty_body_is_an_empty_message(curl: Curl) -> None:
    info = curl("AdminService/GetServerInfo", "")
    assert info.status == 200
    assert info.json["maxBatchSize"] == 500


@pytest.mark.parametrize(
    ("method", "body", "status", "reason"),
    [
        ("TaskService/GetTask", {"taskId": "none"}, 404, "TASK_NOT_FOUND"),
        ("TaskService/GetTask", {}, 400, "INVALID_FIELD"),
        ("TaskService/GetTask", '{"taskId": ', 400, "MALFORMED_MESSAGE"),
        ("TaskService/GetTask", {"taskIdd": "x"}, 400, "MALFORMED_MESSAGE"),
        ("TaskService/SubmitTask", {"task": {"name": "t", "args": [2**60]}}, 400, "NUMBER_NOT_EXACT"),
        ("TaskService/SubmitTask", {"task": {"name": "t", "args": ["x" * (4 << 20)]}}, 400, "PAYLOAD_TOO_LARGE"),
        ("TaskService/SubmitTask", {"task": {"name": "t", "args": ["x" * (10 << 20)]}}, 400, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_errors_are_those_of_grpc(curl: Curl, tmp_path: Path, method: str, body: Any, status: int, reason: str) -> None:
    file = tmp_path / "body"
    file.write_text(body if isinstance(body, str) else json.dumps(body))
    answer = curl(method, f"@{file}")
    assert (answer.status, answer.reason) == (status, reason)
    assert answer.json["message"]


def test_what_is_not_there(curl: Curl) -> None:
    assert curl("TaskService/NoSuch", {}).status == 404
    assert curl("TaskService/GetTask").status == 405
    twice = curl("WorkerService/LeaseTasks", {})
    assert (twice.status, "PollTasks" in twice.json["message"]) == (501, True)


def test_a_stream_is_lines_of_json_until_its_end(curl: Curl, grpc_api: Api, queue: str) -> None:
    task_id = grpc_api.submit_id(queue)
    stream = grpc_api.stream(queue, credit=1)
    command = [
        "curl",
        "-sS",
        "-N",
        "--max-time",
        str(SECONDS),
        "--data-binary",
        json.dumps({"selector": {"taskIds": [task_id]}, "untilTerminal": True}),
    ]
    watching = Running([*command, f"{curl.base}/caraway.v1.TaskService/WatchTasks"])
    try:
        watching.wait_for_line("STATE_LEASED")
        grpc_api.succeed(stream.lease(), "7")
        watching.wait_for_line("STATE_SUCCEEDED")
        assert watching.process.wait(SECONDS) == 0
    finally:
        watching.stop()
    assert all(set(json.loads(line)) == {"result"} for line in watching.lines)


def test_a_stream_that_is_refused_at_once_is_an_error(curl: Curl) -> None:
    refused = curl("TaskService/WatchTasks", {})
    assert (refused.status, refused.reason) == (400, "INVALID_FIELD")


def test_a_deadline_of_the_caller(curl: Curl, grpc_api: Api, queue: str) -> None:
    task_id = grpc_api.submit_id(queue)
    waited = curl("TaskService/WaitTask", {"taskId": task_id, "maxWait": "20s"}, "-H", "Caraway-Timeout: 1.5")
    assert waited.status == 200
    assert "done" not in waited.json
    stream = curl(
        "TaskService/WatchTasks",
        {"selector": {"taskIds": [task_id]}, "untilTerminal": True},
        "-H",
        "Caraway-Timeout: 0.5",
    )
    assert json.loads(stream.body.splitlines()[-1])["error"]["code"] == 4
    wrong = curl("TaskService/GetTask", {"taskId": task_id}, "-H", "Caraway-Timeout: soon")
    assert (wrong.status, wrong.reason) == (400, "INVALID_FIELD")


def test_pages_of_named_origins_may_call_and_no_others(curl: Curl) -> None:
    asked = curl("TaskService/GetTask", None, "-X", "OPTIONS", "-H", "Origin: https://here.example")
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == "https://here.example"
    assert {"Authorization", "traceparent"} <= set(asked.headers["access-control-allow-headers"].split(", "))
    called = curl("AdminService/GetServerInfo", "", "-H", "Origin: https://here.example")
    assert called.headers["access-control-allow-origin"] == "https://here.example"
    stranger = curl("AdminService/GetServerInfo", "", "-H", "Origin: https://there.example")
    assert "access-control-allow-origin" not in stranger.headers
    refused = curl("AdminService/GetServerInfo", None, "-X", "OPTIONS", "-H", "Origin: https://there.example")
    assert "access-control-allow-origin" not in refused.headers


def test_tokens_and_tls_are_those_of_grpc(short_folder: Callable[[], Path], tmp_path: Path) -> None:
    require_programs("curl")
    gateway = SecuredGateway(short_folder(), "--http", "127.0.0.1:0").start()
    try:
        token = gateway.allow("curl")
        curl = Curl(
            f"https://localhost:{http_address(gateway.process.running).rpartition(':')[2]}",
            ("--cacert", str(gateway.ca)),
        )
        missing = curl("AdminService/GetServerInfo", "")
        assert (missing.status, missing.reason) == (401, "UNAUTHENTICATED")
        assert missing.headers["www-authenticate"] == "Bearer"
        assert curl("TaskService/WatchTasks", "no json").reason == "UNAUTHENTICATED"
        known = ("-H", f"Authorization: Bearer {token}")
        eventually(lambda: curl("AdminService/GetServerInfo", "", *known).status == 200, what="the token is known")
        plain = subprocess.run(["curl", "-sS", curl.base + "/openapi.json"], capture_output=True, check=False)
        assert plain.returncode == 60  # curl does not know who signed the certificate
        gateway.renew()
        renewed = ("--cacert", str(gateway.ca))
        ask = ["curl", "-sS", *renewed, curl.base + "/openapi.json"]
        eventually(lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0, what="it is renewed")
    finally:
        gateway.stop()


def test_an_authority_that_was_taken_away_opens_nothing(short_folder: Callable[[], Path]) -> None:
    require_programs("curl")
    gateway = SecuredGateway(short_folder(), "--http", "127.0.0.1:0", tokens=False, mutual=True)
    known = gateway.authority.cert
    trusting = gateway.folder / "known.pem"
    trusting.write_bytes(known)
    others = Authority("others")
    pairs = {"ours": gateway.client, "theirs": others.issue("client")}
    gateway.start()
    try:
        port = http_address(gateway.process.running).rpartition(":")[2]

        def opens(name: str) -> bool:
            cert, key = pairs[name].write(gateway.folder, name)
            flags = ["--cacert", str(trusting), "--cert", str(cert), "--key", str(key)]
            asked = ["curl", "-sS", *flags, f"https://localhost:{port}/openapi.json"]
            return subprocess.run(asked, capture_output=True, timeout=SECONDS, check=False).returncode == 0

        assert (opens("ours"), opens("theirs")) == (True, False)
        replace(gateway.ca, others.cert)
        eventually(lambda: opens("theirs"), what="the new authority's clients are let in")
        assert not opens("ours")
    finally:
        gateway.stop()


def test_a_token_of_no_text_is_not_known(short_folder: Callable[[], Path]) -> None:
    require_programs("curl")
    gateway = SecuredGateway(short_folder(), "--http", "127.0.0.1:0").start()
    try:
        base = f"https://localhost:{http_address(gateway.process.running).rpartition(':')[2]}"
        curl = Curl(base, ("--cacert", str(gateway.ca)))
        for strange in (b"\xff\xfe", "\u00fc".encode()):
            answer = curl("AdminService/GetServerInfo", "", "-H", os.fsdecode(b"Authorization: Bearer " + strange))
            assert (answer.status, answer.reason) == (401, "UNAUTHENTICATED")
        assert "Traceback" not in gateway.output
    finally:
        gateway.stop()


def test_beyond_this_machine_http_asks_for_tls_and_tokens_too(tmp_path: Path) -> None:
    open_to_all = Running([*CARAWAY, "server", "--data-dir", str(tmp_path), "--http", "0.0.0.0:0"])
    assert open_to_all.process.wait(SECONDS) == 2
    open_to_all.stop()
    assert "http = 0.0.0.0:0" in open_to_all.output
    assert "it reaches beyond this machine" in open_to_all.output


def test_several_processes_share_the_port(gateways: Callable[..., GatewayProcess], tmp_path: Path) -> None:
    require_programs("curl")
    first = gateways("--http", "127.0.0.1:0")
    port = http_address(first.running).rpartition(":")[2]
    first.stop()
    process = gateways("--processes", "2", "--http", f"127.0.0.1:{port}")
    http_address(process.running)
    curl = Curl(f"http://127.0.0.1:{port}")
    assert curl("AdminService/GetServerInfo", "").status == 200


def test_the_description_is_valid_and_names_every_method(curl: Curl) -> None:
    described = curl("/openapi.json").json
    validate(described)
    methods = {
        f"/{service.full_name}/{method.name}"
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if not method.client_streaming
    }
    assert set(described["paths"]) == methods


def test_calls_are_counted_as_those_of_grpc(gateways: Callable[..., GatewayProcess]) -> None:
    gateway = gateways("--http", "127.0.0.1:0", "--metrics-bind", "127.0.0.1:0")
    assert gateway.running is not None
    watched, curl = Watched(gateway.running), Curl(f"http://{http_address(gateway.running)}")
    assert curl("AdminService/GetServerInfo", "").status == 200
    assert curl("TaskService/GetTask", {"taskId": "nobody-knows"}).status == 404
    assert curl("TaskService/WatchTasks", {}).status == 400
    assert watched.value("caraway_rpcs_total", method="GetServerInfo", code="OK") == 1
    assert watched.value("caraway_rpcs_total", method="GetTask", code="NOT_FOUND") == 1
    assert watched.value("caraway_rpcs_total", method="WatchTasks", code="INVALID_ARGUMENT") == 1
    assert sum(watched.values("caraway_rpcs_open", "method").values()) == 0


def test_what_a_guard_refuses_is_counted(gateways: Callable[..., GatewayProcess], tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(line_of("tests", new_token()))
    flags = ("--tokens", str(tmp_path / "tokens"), "--http", "127.0.0.1:0", "--metrics-bind", "127.0.0.1:0")
    gateway = gateways(*flags)
    assert gateway.running is not None
    watched, curl = Watched(gateway.running), Curl(f"http://{http_address(gateway.running)}")
    assert curl("AdminService/GetServerInfo", "").status == 401
    assert watched.value("caraway_rpcs_total", method="GetServerInfo", code="UNAUTHENTICATED") == 1
