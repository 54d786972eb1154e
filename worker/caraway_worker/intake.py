"""Turns leases into deliveries."""

import time
from collections.abc import Iterable
from dataclasses import replace

from caraway.request import SHADOW_HEADER
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_worker.catalog import Catalog, TaskEntry
from caraway_worker.delivery import Delivery
from caraway_worker.settings import Settings

_BY_DEFINITION = task_pb2.TaskSpec.ACK_MODE_UNSPECIFIED
_ON_START = task_pb2.TaskSpec.ACK_MODE_ON_START


class Intake:
    """Knows what holds where a task's own spec sets nothing: the task's definition, then the worker's limits."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._soft = settings.soft_time_limit.total_seconds() if settings.soft_time_limit else None
        self._hard = settings.time_limit.total_seconds() if settings.time_limit else None
        self._unknown = TaskEntry("", self._soft, self._hard, track_started=False)
        self._entries = {entry.name: self._with_defaults(entry) for entry in catalog.tasks}

    def _with_defaults(self, entry: TaskEntry) -> TaskEntry:
        soft = self._soft if entry.soft is None else entry.soft
        hard = self._hard if entry.hard is None else entry.hard
        return replace(entry, soft=soft, hard=hard)

    def deliveries(self, leases: Iterable[worker_service_pb2.TaskLease], now: float) -> list[Delivery]:
        """Make a delivery of each lease received at `now`, by the loop's clock."""
        return [self._delivery(lease, now) for lease in leases]

    def _delivery(self, lease: worker_service_pb2.TaskLease, now: float) -> Delivery:
        spec = lease.task
        name = spec.name
        entry = self._entries.get(name, self._unknown)
        delivery = Delivery(
            lease.lease_token, spec.task_id, name, lease.SerializeToString(), now, 0, entry.soft, entry.hard
        )
        if spec.HasField("time_limits"):
            limits = spec.time_limits
            if limits.HasField("soft"):
                delivery.soft = limits.soft.ToTimedelta().total_seconds()
            if limits.HasField("hard"):
                delivery.hard = limits.hard.ToTimedelta().total_seconds()
        mode = spec.ack_mode
        delivery.at_most_once = mode == _ON_START or (mode == _BY_DEFINITION and not entry.acks_late)
        delivery.fails_with_worker = not entry.reject_on_worker_lost
        if spec.headers:
            delivery.shown_name = spec.headers.get(SHADOW_HEADER, "")
        delivery.more_inputs = lease.more_inputs
        if lease.HasField("expires_in"):
            delivery.not_after_ns = time.monotonic_ns() + max(0, lease.expires_in.ToNanoseconds())
        return delivery
