"""TaskEnding: a task revoked, or forgotten."""

from collections.abc import Mapping
from typing import Any, Unpack

from caraway import batch
from caraway.durations import Seconds
from caraway.ending import (
    CeleryOptions,
    RevocationOptions,
    cancellation,
    check_forgotten,
    check_revoked,
    deletion,
    revocation,
)
from caraway.gateway import HasGateway
from caraway.stamp_revocation import revoking_stamped
from caraway.steps import awalk, walk
from caraway.v1 import task_pb2

__all__ = ["TaskEnding"]


class TaskEnding:
    """A base of AsyncResult."""

    __slots__ = ("_ended",)

    id: str
    app: HasGateway
    _ended: task_pb2.Task | None
    """The task, once it has ended."""

    def revoke(
        self,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        grace: Seconds | None = None,
        **_celery: Unpack[CeleryOptions],
    ) -> None:
        """Revoke the task: it never starts if it has not started. A running one goes on, unless `terminate`.

        `terminate=True` sends its process `signal` (default "SIGTERM") and kills it `grace` seconds later (default 0).
        `reason` is kept with the task. Celery's `connection`, `wait` and `timeout` are taken, and have no effect.
        Raises TaskNotFound.
        """
        batch.flush(self.app)
        check_revoked(self.id, self.app.gateway.revoke(revocation(self.id, terminate, signal, reason, grace)))

    async def arevoke(
        self,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        grace: Seconds | None = None,
        **_celery: Unpack[CeleryOptions],
    ) -> None:
        """Async twin of `revoke`."""
        await batch.aflush(self.app)
        check_revoked(self.id, await self.app.gateway.arevoke(revocation(self.id, terminate, signal, reason, grace)))

    def revoke_by_stamped_headers(self, headers: Mapping[str, Any], **how: Unpack[RevocationOptions]) -> list[str]:
        """Revoke all tasks with one of these stamps, as `app.control.revoke_by_stamped_headers`: not this one alone."""
        return walk(self.app, revoking_stamped(headers, **how))

    async def arevoke_by_stamped_headers(
        self, headers: Mapping[str, Any], **how: Unpack[RevocationOptions]
    ) -> list[str]:
        """Async twin of `revoke_by_stamped_headers`."""
        return await awalk(self.app, revoking_stamped(headers, **how))

    def _cancel(self, reason: str) -> None:
        """Ask a task to stop by itself; one that has not started is revoked."""
        batch.flush(self.app)
        check_revoked(self.id, self.app.gateway.revoke(cancellation(self.id, reason)))

    async def _acancel(self, reason: str) -> None:
        await batch.aflush(self.app)
        check_revoked(self.id, await self.app.gateway.arevoke(cancellation(self.id, reason)))

    def forget(self) -> None:
        """Delete the ended task with its result. Raises TaskNotFound, and ValueError if it has not ended."""
        batch.flush(self.app)
        check_forgotten(self.id, self.app.gateway.delete(deletion(self.id)))
        self._ended = None

    async def aforget(self) -> None:
        """Async twin of `forget`."""
        await batch.aflush(self.app)
        check_forgotten(self.id, await self.app.gateway.adelete(deletion(self.id)))
        self._ended = None
