"""/healthz and /readyz, and that the health service says the same."""

from collections.abc import Callable
from pathlib import Path

from api.wire import Api
from support.gateway import GatewayProcess
from support.processes import Running, eventually
from support.stores import StoreProcess
from support.watching import Watched
from support.worker import WorkerProcess

FREE = ("--metrics-bind", "127.0.0.1:0")


def is_ready(watched: Watched) -> bool:
    return watched.get("/readyz")[0] == 200


def test_a_gateway_is_ready_while_its_store_takes_writes(
    gateways: Callable[..., GatewayProcess], stores: Callable[..., StoreProcess]
) -> None:
    store = stores()
    gateway = gateways("--redis", store.url, *FREE)
    assert gateway.running is not None
    watched, api = Watched(gateway.running), Api(gateway.target)
    eventually(lambda: is_ready(watched) and api.is_serving(), what="both say that it is ready")
    store.kill()
    eventually(lambda: not is_ready(watched) and not api.is_serving(), timeout=30, what="both say that it is not")
    assert watched.get("/readyz") == (503, "not ready: the store does not work\n")
    assert watched.get("/healthz")[0] == 200  # it lives all the same
    assert watched.value("caraway_store_up") == 0
    store.start()
    eventually(lambda: is_ready(watched) and api.is_serving(), timeout=30, what="both say that it is ready again")
    api.close()


def test_a_worker_is_ready_while_its_stream_is_up(
    gateways: Callable[..., GatewayProcess], short_folder: Callable[[], Path]
) -> None:
    gateway = gateways("--lease", "2s", "--heartbeat", "500ms")
    worker = WorkerProcess(gateway.target, "monitor.sample", "-c", "1", *FREE)
    try:
        watched = Watched(worker)
        eventually(lambda: is_ready(watched), timeout=30, what="it is ready")
        gateway.stop()
        eventually(lambda: not is_ready(watched), what="it is not")
        assert watched.get("/readyz") == (503, "not ready: it has no stream to the gateway\n")
        assert watched.get("/healthz")[0] == 200
        gateway.start()
        eventually(lambda: is_ready(watched), timeout=30, what="it is ready again")
        assert watched.value("caraway_worker_streams_opened_total") == 2
    finally:
        worker.stop()


def test_each_gateway_process_has_a_port_of_its_own(gateways: Callable[..., GatewayProcess]) -> None:
    gateway = gateways("--processes", "2", *FREE)
    assert gateway.running is not None
    running: Running = gateway.running
    eventually(lambda: sum("metrics: http://" in line for line in running.lines) == 2, timeout=30)
    addresses = {line.partition("http://")[2] for line in running.lines if "metrics: http://" in line}
    assert len(addresses) == 2


def test_an_address_in_use_is_told_at_the_start(gateway: GatewayProcess, tmp_path: Path) -> None:
    first = WorkerProcess(gateway.target, "monitor.sample", "-c", "1", *FREE)
    try:
        address = Watched(first).address
        second = WorkerProcess(gateway.target, "monitor.sample", "-c", "1", "--metrics-bind", address)
        second.wait_for_line(f"--metrics-bind {address}")
        assert second.end() == 1
    finally:
        first.stop()


def test_what_is_no_request_is_answered_or_dropped(gateway_metrics: Watched) -> None:
    assert gateway_metrics.get("/elsewhere")[0] == 404
    assert gateway_metrics.get("/healthz?full=1")[0] == 200
