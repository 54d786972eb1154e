"""TaskFacts: what a task was sent as, and what became of it, as the gateway tells it."""

from datetime import UTC, datetime
from typing import Any

from caraway.exceptions import TaskNotFound, WorkerNotFound
from caraway.family import TaskFamily
from caraway.payload import decode_arguments
from caraway.steps import Steps, ask, awalk, walk
from caraway.v1 import control_service_pb2

__all__ = ["TaskFacts"]


class TaskFacts(TaskFamily):
    """A base of AsyncResult."""

    __slots__ = ()

    def exists(self) -> bool:
        """Whether the gateway knows the task: it was submitted, and neither forgotten nor deleted after its time."""
        try:
            self._read(full=False)
        except TaskNotFound:
            return False
        return True

    async def aexists(self) -> bool:
        """Async twin of `exists`."""
        try:
            await self._aread(full=False)
        except TaskNotFound:
            return False
        return True

    @property
    def name(self) -> str:
        """The task's name."""
        return self._read(full=False).spec.name

    @property
    def args(self) -> tuple[Any, ...]:
        """Its positional arguments."""
        return decode_arguments(self._read(full=True).spec, self.app)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """Its keyword arguments."""
        return decode_arguments(self._read(full=True).spec, self.app)[1]

    @property
    def queue(self) -> str:
        """The queue it was sent to."""
        return self._read(full=False).spec.queue

    @property
    def retries(self) -> int:
        """How often it was tried again so far."""
        return max(self._read(full=False).attempt - 1, 0)

    @property
    def date_done(self) -> datetime | None:
        """When it ended, in UTC; None before."""
        task = self._read(full=False)
        return task.end_time.ToDatetime(tzinfo=UTC) if task.HasField("end_time") else None

    @property
    def worker(self) -> str | None:
        """The name of the worker that has it, or had it last; its id where the worker is long gone. None: none had."""
        id = self._read(full=False).worker_id
        return walk(self.app, _name_of(id)) if id else None

    async def aworker(self) -> str | None:
        """Async twin of `worker`."""
        id = (await self._aread(full=False)).worker_id
        return await awalk(self.app, _name_of(id)) if id else None


def _name_of(worker_id: str) -> Steps[str]:
    try:
        response = yield ask("GetWorker", control_service_pb2.GetWorkerRequest(worker_id=worker_id))
    except WorkerNotFound:
        return worker_id
    name: str = response.worker.info.name
    return name or worker_id
