"""Long runs that the worker of another language lives through, beside Python's callers and workers."""

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from caraway import Caraway
from support.gateway import GatewayProcess
from support.processes import Running, eventually
from support.worker import WorkerProcess

StartWorker = Callable[..., Running]
"""Starts a worker of a queue, and of a gateway by its target; waits until it is ready."""


class Gate:
    """Two files that a handler says its start by and waits for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.started, self.release = folder / f"{name}.started", folder / f"{name}.release"
        self.arguments = (str(self.started), str(self.release))

    def wait_for_start(self) -> None:
        """Waits until a handler has begun."""
        eventually(self.started.exists, what="the handler has started")


def ended(process: Running) -> int:
    """Wait until a program ends by itself; gives its exit code."""
    process.process.wait(20)
    return process.stop()


class WorkerRuns:
    """To be inherited beside a fixture `start_worker`, a StartWorker, whose workers run at most two tasks at once.

    They have LANGUAGE.add (two integers), LANGUAGE.echo, and LANGUAGE.hold, which takes a gate's arguments, waits
    for it and gives the number of its delivery.
    """

    LANGUAGE: ClassVar[str]

    @pytest.fixture
    def apps(self) -> Iterator[Callable[[GatewayProcess, str], Caraway]]:
        """Makes apps, each on a gateway and with a queue; closes them with the test."""
        made: list[Caraway] = []

        def make(gateway: GatewayProcess, queue: str) -> Caraway:
            made.append(Caraway(self.LANGUAGE, target=gateway.target, default_queue=queue))
            return made[-1]

        yield make
        for app in made:
            app.close()

    def test_python_submits_to_it(self, gateway: GatewayProcess, start_worker: StartWorker, apps: Any) -> None:
        queue = f"python-to-{self.LANGUAGE}"
        start_worker(queue)
        app = apps(gateway, queue)
        assert app.send_task(f"{self.LANGUAGE}.add", (2**62, 1)).get(timeout=20) == 2**62 + 1
        assert app.send_task(f"{self.LANGUAGE}.add", kwargs={"x": 1, "y": 2}).get(timeout=20) == 3
        value: dict[str, Any] = {
            "at": datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC), "price": Decimal("1.50"), "raw": b"\0\xff",
            "many": [None, True, 2.5, 2**80, {"deep": ()}], "took": timedelta(days=1, microseconds=1),
        }  # fmt: skip
        assert app.send_task(f"{self.LANGUAGE}.echo", (value,)).get(timeout=20) == value

    def test_a_queue_that_both_serve(self, gateway: GatewayProcess, start_worker: StartWorker, apps: Any) -> None:
        queue = f"{self.LANGUAGE}-and-python"
        start_worker(queue)
        app = apps(gateway, queue)
        python = WorkerProcess(gateway.target, "e2e.sample", "-c", "1", "-Q", queue).ready()
        try:
            names = (f"{self.LANGUAGE}.add", "e2e.sample.add")
            sums = [app.send_task(name, (n, 1)) for n in range(20) for name in names]
            assert [each.get(timeout=30) for each in sums] == [n + 1 for n in range(20) for _ in names]
        finally:
            python.stop()

    def test_a_killed_worker_loses_nothing(
        self, gateways: Callable[..., GatewayProcess], start_worker: StartWorker, apps: Any, tmp_path: Path
    ) -> None:
        gateway = gateways("--lease", "2s", "--heartbeat", "500ms")
        first = start_worker("kill", gateway.target)
        gate = Gate(tmp_path, "held")
        held = apps(gateway, "kill").send_task(f"{self.LANGUAGE}.hold", gate.arguments)
        gate.wait_for_start()
        first.kill()
        gate.started.unlink()
        start_worker("kill", gateway.target)
        gate.wait_for_start()
        gate.release.touch()
        assert held.get(timeout=30) == 2, "its second delivery"

    def test_sigterm_drains(
        self, gateway: GatewayProcess, start_worker: StartWorker, apps: Any, tmp_path: Path
    ) -> None:
        queue = f"drain-{self.LANGUAGE}"
        app = apps(gateway, queue)
        worker = start_worker(queue)
        gates = [Gate(tmp_path, str(number)) for number in range(3)]
        held = [app.send_task(f"{self.LANGUAGE}.hold", gate.arguments) for gate in gates]
        for gate in gates[:2]:
            gate.wait_for_start()
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_for_line("takes no more tasks")
        for gate in gates:
            gate.release.touch()
        assert ended(worker) == 0
        assert [each.get(timeout=5) for each in held[:2]] == [1, 1]
        assert held[2].state == "PENDING", "it was not started, and waits for another worker"
        assert not gates[2].started.exists()
        start_worker(queue)
        assert held[2].get(timeout=20) >= 1

    def test_a_second_sigterm_stops(
        self, gateway: GatewayProcess, start_worker: StartWorker, apps: Any, tmp_path: Path
    ) -> None:
        queue = f"stop-{self.LANGUAGE}"
        worker = start_worker(queue)
        gate = Gate(tmp_path, "held")
        held = apps(gateway, queue).send_task(f"{self.LANGUAGE}.hold", gate.arguments)
        gate.wait_for_start()
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_for_line("takes no more tasks")
        worker.process.send_signal(signal.SIGTERM)
        assert ended(worker) == 0
        gate.release.touch()
        start_worker(queue)
        assert held.get(timeout=20) == 2, "it was handed back at once, not when its lease ran out"

    def test_a_restarted_gateway_finds_its_worker(
        self, gateways: Callable[..., GatewayProcess], start_worker: StartWorker, apps: Any, tmp_path: Path
    ) -> None:
        gateway = gateways()
        app = apps(gateway, "restart")
        worker = start_worker("restart", gateway.target)
        gate = Gate(tmp_path, "held")
        held = app.send_task(f"{self.LANGUAGE}.hold", gate.arguments)
        gate.wait_for_start()
        gateway.kill()
        worker.wait_for_line("the gateway can't be reached")
        gate.release.touch()
        gateway.start()
        assert held.get(timeout=30) == 1, "what ran meanwhile is reported, and does not run again"
        assert app.send_task(f"{self.LANGUAGE}.add", (1, 2)).get(timeout=30) == 3
