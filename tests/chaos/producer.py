"""A program that submits while other things are killed."""

import threading

import grpc

from caraway import Caraway
from caraway.exceptions import OperationalError
from caraway.v1 import task_pb2, task_service_pb2_grpc
from chaos.history import Expected, read_tasks
from support.processes import eventually

BATCH = 20
State = task_pb2.Task


class Producer:
    """Submits small batches, one after the other, and remembers what was accepted.

    Args:
        target: the gateway's address.
        rate: tasks a second at most; 0: as many as are confirmed.
    """

    def __init__(self, target: str, rate: float = 0) -> None:
        self._pause = BATCH / rate if rate else 0.0
        self._app = Caraway(target=target)
        self._target = target
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.expected: list[Expected] = []
        self.refused = 0
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stopped.wait(self._pause):
            numbers = range(number, number + BATCH)
            number += BATCH
            signatures = [self._app.signature("chaos.square", (n, 0.0)) for n in numbers]
            try:
                results = self._app.submit_many(signatures)
            except OperationalError:
                self.refused += 1
                continue
            self.expected += [Expected(result.id, n * n) for n, result in zip(numbers, results, strict=True)]

    @property
    def accepted(self) -> int:
        """How many tasks were accepted so far."""
        return len(self.expected)

    def until_more(self, count: int) -> None:
        """Waits until so many more are accepted."""
        wanted = len(self.expected) + count
        eventually(lambda: len(self.expected) >= wanted, timeout=40, what=f"{count} more tasks are accepted")

    def stop(self) -> None:
        """Submits no more."""
        self._stopped.set()
        self._thread.join(60)
        self._app.close()

    def ended(self) -> dict[str, task_pb2.Task]:
        """All that was accepted, once all of it has ended. None may be missing."""
        with grpc.insecure_channel(self._target) as channel:
            stub = task_service_pb2_grpc.TaskServiceStub(channel)
            pending = [item.task_id for item in self.expected]
            tasks: dict[str, task_pb2.Task] = {}

            def all_ended() -> bool:
                nonlocal pending
                found, missing = read_tasks(stub, pending)
                assert missing == []
                over = {task_id: task for task_id, task in found.items() if task.state > State.STATE_RETRYING}
                tasks.update(over)
                pending = [task_id for task_id in pending if task_id not in over]
                return not pending

            eventually(all_ended, timeout=60, what="everything accepted ends")
        return tasks
