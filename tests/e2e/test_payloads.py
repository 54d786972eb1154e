"""Arguments and results in every form, from the caller to the task and back."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from click.testing import CliRunner

from caraway import Caraway
from caraway.cli import main
from caraway.compression import NAMES
from caraway.exceptions import ContentDisallowed, DecodeError, EncodeError
from caraway.ids import uuid7
from e2e import payloads, sample
from e2e.conftest import Gate
from support.gateway import GatewayProcess
from support.processes import eventually
from support.worker import WorkerProcess

SECONDS = 20
MIB = 1 << 20
VALUE = {
    "when": datetime(2026, 1, 31, 12, tzinfo=UTC), "price": Decimal("1.50"), "id": UUID(int=42), "raw": b"\x00\xff",
    "pair": (1, {2, 3}), "text": "Kümmel 茴香 🌿 " * 50, "$caraway": "date",
}  # fmt: skip


def say(target: str, *words: str) -> str:
    """What a command writes to stdout; it is to end well."""
    ended = CliRunner(env={"CARAWAY_TARGET": target}).invoke(main, words)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


@pytest.fixture(scope="module", autouse=True)
def payloads_worker(gateway: GatewayProcess, sample_app: None) -> Iterator[WorkerProcess]:
    assert payloads.app.target == gateway.target
    process = WorkerProcess(gateway.target, "e2e.payloads", "-c", "1").ready()
    yield process
    process.stop()
    payloads.app.close()


@pytest.mark.parametrize("compression", [None, *NAMES])
@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml", "pickle"])
def test_values_come_to_the_task_and_back(serializer: str, compression: str | None) -> None:
    result = payloads.echo.apply_async([VALUE], serializer=serializer, compression=compression)
    returned = result.get(timeout=SECONDS)
    assert returned == VALUE
    assert type(returned["pair"]) is tuple
    assert result.args == (VALUE,)


def test_a_type_of_the_apps_own() -> None:
    assert payloads.double.delay(payloads.Money(21)).get(timeout=SECONDS) == payloads.Money(42)


def test_pickle_carries_any_object() -> None:
    with pytest.raises(EncodeError):
        payloads.value_of.delay(payloads.Unregistered(7))
    called = payloads.value_of.apply_async([payloads.Unregistered(7)], serializer="pickle")
    assert called.get(timeout=SECONDS) == 7


def test_a_retry_writes_its_arguments_as_the_task_does() -> None:
    result = payloads.grow.delay(payloads.Unregistered(40), 2)
    assert result.get(timeout=SECONDS) == 42
    assert result.retries == 1
    document = json.loads(say(payloads.app.target, "status", result.id, "--json"))
    assert (document["args"], document["kwargs"]) == ("(***, 2)", "{}")


def test_the_same_call_is_the_same_task_however_it_is_compressed() -> None:
    first = payloads.echo.delay(VALUE)
    for compression in NAMES:
        again = payloads.echo.apply_async([VALUE], task_id=first.id, compression=compression)
        assert again.id == first.id
    assert first.get(timeout=SECONDS) == VALUE


def test_more_than_the_limit_passes_where_it_is_compressed() -> None:
    """The gateway's limit is about what is sent; the result is compressed as well."""
    text = "x" * (5 * MIB)
    assert payloads.echo.apply_async([text], compression="zlib").get(timeout=SECONDS) == text


@pytest.mark.usefixtures("worker")
def test_a_worker_reads_no_pickle_unless_its_app_accepts_it(gateway: GatewayProcess) -> None:
    trusting = Caraway("trusting", target=gateway.target, accept_content=["pickle"], default_queue="e2e")
    result = trusting.send_task("e2e.sample.add", [1, 2], serializer="pickle")
    with pytest.raises(ContentDisallowed, match=r"not accepted here \(json, msgpack, yaml are\); set accept_content"):
        result.get(timeout=SECONDS)
    assert result.retries == 0
    trusting.close()


@pytest.mark.usefixtures("worker")
def test_a_worker_does_not_fill_its_memory_with_a_bomb() -> None:
    bomb = "x" * (65 * MIB)
    result = sample.add.apply_async([bomb, ""], compression="zlib")
    with pytest.raises(DecodeError, match="more than 67108864 when decompressed"):
        result.get(timeout=SECONDS)


def test_a_worker_whose_results_can_not_be_written_does_not_start(gateway: GatewayProcess) -> None:
    worker = WorkerProcess(gateway.target, "e2e.misconfigured")
    assert worker.end() != 0
    assert "there is no compression 'rar'; there are brotli" in worker.output


@pytest.mark.parametrize("words", [("--serializer", "msgpack"), ("--serializer", "yaml", "--compression", "gzip"), ()])
def test_the_command_line_writes_and_reads_them(gateway: GatewayProcess, words: tuple[str, ...]) -> None:
    value = {"day": {"$caraway": "date", "value": "2026-01-31"}, "words": "again " * 100}
    task_id = uuid7()
    call = ("call", "e2e.payloads.echo", "--queue", "payloads", "--args", json.dumps([value]), "--task-id", task_id)
    assert json.loads(say(gateway.target, *call, *words, "--wait", "20")) == value
    assert payloads.app.AsyncResult(task_id).args[0]["day"] == date(2026, 1, 31)
    assert json.loads(say(gateway.target, "result", task_id)) == value
    assert json.loads(json.loads(say(gateway.target, "status", task_id, "--json"))["args"]) == [value]


def test_the_command_line_does_not_read_a_pickle(gateway: GatewayProcess) -> None:
    called = payloads.echo.apply_async([payloads.Unregistered(1)], serializer="pickle", queue=uuid7())
    document = json.loads(say(gateway.target, "status", called.id, "--json"))
    assert document["state"] == "QUEUED"
    assert "args" not in document
    called.revoke()


def test_progress_is_written_as_results_are(gate: Gate) -> None:
    result = payloads.report.delay(VALUE, str(gate.release))
    eventually(lambda: result.state == "HALF", SECONDS)
    assert result.info == VALUE
    gate.open()
    result.get(timeout=SECONDS)
