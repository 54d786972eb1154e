"""Worker processes that are killed and replaced, and what else is killed beside them."""

import random
from collections.abc import Callable

import psutil

from support.gateway import GatewayProcess
from support.processes import eventually
from support.worker import WorkerProcess


class Workers:
    """Two worker processes; one that is killed is replaced by a new one, as an init system would do it.

    Args:
        target: the gateway's address.
        app: as -A takes it; the folder tests/ is importable.
        env: added to this process's environment.
    """

    def __init__(self, target: str, app: str, env: dict[str, str] | None = None) -> None:
        self._target, self._app, self._env = target, app, env
        self._all: list[WorkerProcess] = []
        self.running: list[WorkerProcess] = []
        self._start()
        self._start()

    def _start(self) -> None:
        worker = WorkerProcess(self._target, self._app, "-c", "2", "-n", f"w{len(self._all)}", env=self._env)
        self._all.append(worker)
        self.running.append(worker)

    def kill_one(self, chance: random.Random) -> None:
        """Kills a worker; another one takes its place."""
        worker = self.running.pop(chance.randrange(len(self.running)))
        worker.kill()
        self._start()

    def kill_child(self, chance: random.Random) -> None:
        """Kills a process that runs tasks, of a ready worker: one whose first process dies at its start ends."""

        def children() -> list[psutil.Process]:
            ready = [worker for worker in self.running if " ready." in worker.output]
            return [child for worker in ready for child in worker.children]

        found = eventually(children, what="a worker has children")
        assert isinstance(found, list)
        chance.choice(found).kill()

    def stop(self) -> None:
        """Ends all of them."""
        for worker in self._all:
            worker.stop()


def victims_of(
    workers: Workers, gateway: GatewayProcess, of_each: int, chance: random.Random
) -> list[tuple[str, Callable[[], None]]]:
    """What is to be killed, `of_each` times each, in an order that `chance` draws: its name, and what kills it."""

    def restart() -> None:
        gateway.kill()
        gateway.start()

    victims: list[tuple[str, Callable[[], None]]] = of_each * [
        ("worker", lambda: workers.kill_one(chance)),
        ("child", lambda: workers.kill_child(chance)),
        ("gateway", restart),
        ("store", lambda: psutil.Process(gateway.store_pid).kill()),
    ]
    chance.shuffle(victims)
    return victims
