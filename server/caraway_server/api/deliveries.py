"""Deliveries and cancellations as the contract's messages."""

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from caraway.v1 import worker_service_pb2
from caraway_server.api.durations import fill
from caraway_server.api.inputs import add_inputs
from caraway_server.store.codec import token_for
from caraway_server.store.values import Cancel, Lease

Leases = RepeatedCompositeFieldContainer[worker_service_pb2.TaskLease]


def add_lease(messages: Leases, lease: Lease, duration: int) -> None:
    """Adds a delivery to a message's leases, in place: a copy of each would cost; `duration` is microseconds."""
    message = messages.add(
        lease_token=token_for(lease.task_id, lease.fence),
        fence=int(lease.fence),
        attempt=lease.retries + 1,
        delivery_count=lease.deliveries,
    )
    task = message.task
    task.MergeFromString(lease.spec)
    task.task_id, task.name, task.queue, task.priority = lease.task_id, lease.name, lease.queue, lease.priority
    fill(message.lease_duration, duration)
    fill(message.create_time, lease.created)
    if lease.more_inputs:
        message.more_inputs = True
    elif lease.handed:
        add_inputs(message.inputs, lease.handed)
    if lease.expires_in:
        fill(message.expires_in, lease.expires_in)


def cancel_item(cancel: Cancel, token: str) -> worker_service_pb2.CancelLeases.Item:
    """A cancellation, for the worker that holds the delivery."""
    item = worker_service_pb2.CancelLeases.Item(
        lease_token=token, terminate=cancel.mode == "t", reason=cancel.reason, signal=cancel.signal,
        pending_only=cancel.mode == "p",
    )  # fmt: skip
    fill(item.grace, cancel.grace)
    return item
