"""`app.control`: workers asked, commanded and shut down, tasks revoked, in Celery's words."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Unpack

from google.rpc import code_pb2

from caraway.destination import Destination, keyed
from caraway.durations import Seconds, set_duration
from caraway.ending import CeleryOptions, RevocationOptions, revocation
from caraway.gateway import Gateway
from caraway.inspection import Inspect
from caraway.readings import workers_there
from caraway.stamp_revocation import revoking_stamped
from caraway.steps import awalk, walk
from caraway.v1 import admin_service_pb2, control_service_pb2

__all__ = ["Control"]

_NO_DESTINATION: Final = "a revocation is a state of the task, and reaches every worker: leave destination out"

Names = str | Iterable[str] | None
Replies = Iterator[tuple[str, Any]]


class Control:
    """Commands go to workers over their streams and are not kept; revocations are states of tasks, and are."""

    def __init__(self, app: Any) -> None:
        """`app` is a Caraway; `app.control` is the usual way."""
        self.app = app

    @property
    def _gateway(self) -> Gateway:
        gateway: Gateway = self.app.gateway
        return gateway

    def inspect(
        self,
        destination: Names = None,
        timeout: Seconds = 1.0,
        callback: Callable[[Any], Any] | None = None,
        limit: int | None = None,
        pattern: str | None = None,
        matcher: str | None = None,
    ) -> Inspect:
        """Give what asks workers; `destination` are names or ids of workers, one or several, None: all."""
        return Inspect(destination, timeout, callback, None, self.app, limit, pattern, matcher)

    def broadcast(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        destination: Names = None,
        reply: bool = False,
        timeout: Seconds = 1.0,
        limit: int | None = None,
        callback: Callable[[Any], Any] | None = None,
        pattern: str | None = None,
        matcher: str | None = None,
    ) -> list[dict[str, Any]] | None:
        """Have workers do something; with `reply` gives `[{worker: what it answers}, ...]`, else None.

        It is over when all have answered, when `limit` have, or after `timeout`. `callback` is called with each
        reply as it comes. What a worker says against it is `{"error": "..."}`; a worker that is silent is left out.
        Raises OperationalError when the gateway is away.
        """
        chosen = Destination.of(destination, pattern, matcher)
        answers = []
        for name, answer in self.ask(command, arguments, chosen, timeout, limit):
            answers.append({name: answer})
            if callback is not None:
                callback(answers[-1])
        return answers if reply else None

    def ask(
        self,
        command: str,
        arguments: Mapping[str, Any] | None,
        destination: Destination,
        timeout: Seconds,
        limit: int | None = None,
    ) -> Replies:
        """Have workers do something, and give each one's name and answer as it comes, as `broadcast` says."""
        keys = keyed(destination.choose(workers_there(self._gateway)))
        if not keys:
            return
        request = control_service_pb2.CommandWorkersRequest(worker_ids=list(keys), command=command)
        if arguments:
            request.arguments.json = json.dumps(dict(arguments))
        set_duration(request.timeout, "timeout", timeout)
        count = 0
        for response in self._gateway.command(request):
            if response.status.code in (code_pb2.DEADLINE_EXCEEDED, code_pb2.NOT_FOUND):
                continue
            yield keys[response.worker_id], _answer(response)
            count += 1
            if limit is not None and count >= limit:
                return

    def ping(self, destination: Names = None, timeout: Seconds = 1.0) -> list[dict[str, Any]]:
        """Ask workers whether they are there: `[{worker: {"ok": "pong"}}, ...]`."""
        return self.broadcast("ping", destination=destination, reply=True, timeout=timeout) or []

    def shutdown(self, destination: Names = None, timeout: Seconds = 1.0) -> None:
        """Have workers end as SIGTERM does: they take no more, and end when what runs has ended."""
        self.broadcast("shutdown", destination=destination, timeout=timeout)

    def revoke(
        self,
        task_id: str | Iterable[str],
        destination: Names = None,
        terminate: bool = False,
        signal: str | None = None,
        reason: str | None = None,
        grace: Seconds | None = None,
        **_celery: Unpack[CeleryOptions],
    ) -> None:
        """Revoke a task, or several, as AsyncResult.revoke does. Ids that are not known are passed over, as in Celery.

        `destination` is refused (ValueError): a revocation is a state of the task, and reaches whoever has it. Celery's
        `connection`, `reply` and `timeout` are taken, and have no effect: nobody is to answer.
        """
        if destination is not None:
            raise ValueError(_NO_DESTINATION)
        for one in (task_id,) if isinstance(task_id, str) else task_id:
            self._gateway.revoke(revocation(one, terminate, signal if terminate else None, reason, grace))

    def revoke_by_stamped_headers(
        self, headers: Mapping[str, Any], destination: Names = None, **how: Unpack[RevocationOptions]
    ) -> list[str]:
        """Revoke all tasks that have at least one of these stamps: `{"day": "monday"}`, `{"day": ["fri", "sat"]}`.

        Those that are there: what is submitted later is not. They are looked for in the gateway's lists, page by page,
        which takes the longer the more tasks wait. Gives the ids of those that were revoked, or are told to stop.
        Raises TypeError or ValueError for what is no stamp; else as `revoke`.
        """
        if destination is not None:
            raise ValueError(_NO_DESTINATION)
        return walk(self.app, revoking_stamped(headers, **how))

    async def arevoke_by_stamped_headers(
        self, headers: Mapping[str, Any], destination: Names = None, **how: Unpack[RevocationOptions]
    ) -> list[str]:
        """Async twin of `revoke_by_stamped_headers`."""
        if destination is not None:
            raise ValueError(_NO_DESTINATION)
        return await awalk(self.app, revoking_stamped(headers, **how))

    def terminate(
        self,
        task_id: str | Iterable[str],
        destination: Names = None,
        signal: str | None = None,
        **_celery: Unpack[CeleryOptions],
    ) -> None:
        """Revoke with `terminate=True`."""
        self.revoke(task_id, destination, terminate=True, signal=signal)

    def purge(self) -> int:
        """Revoke all that waits in the app's queues (`task_queues`, or the default one); gives how many."""
        return sum(self._purge(name) for name in self.app.queue_names)

    def _purge(self, queue: str) -> int:
        count = 0
        while True:
            request = admin_service_pb2.PurgeQueueRequest(name=queue)
            response: admin_service_pb2.PurgeQueueResponse = self._gateway.ask("PurgeQueue", request)
            count += response.purged_count
            if not response.more:
                return count

    discard_all = purge


def _answer(response: control_service_pb2.CommandWorkersResponse) -> Any:
    if response.status.code != code_pb2.OK:
        return {"error": response.status.message}
    return json.loads(response.output.json) if response.output.json else None
