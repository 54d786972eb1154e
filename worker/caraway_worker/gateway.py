"""The worker's way to the gateway; the only module here that knows gRPC."""

import asyncio
from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from caraway.transport import Transport
from caraway.v1 import admin_service_pb2, worker_service_pb2
from caraway_worker.options import Limits

ABORTED = grpc.StatusCode.ABORTED.value[0]
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE.value[0]

# What will be answered the same however often it is asked. Not UNAUTHENTICATED: outcomes of tasks are kept until the
# gateway's tokens, or the worker's, have been put right.
_FINAL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.PERMISSION_DENIED,
    }
)

_MEBI = 1024 * 1024
_OPTIONS = [
    # The contract cuts every message below 4 MiB; the margin is for gateways that are set otherwise.
    ("grpc.max_receive_message_length", 16 * _MEBI),
    ("grpc.max_send_message_length", 16 * _MEBI),
    # Heartbeats on the stream find a dead peer within seconds; pings are the second line, rare enough for any server.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    # A gateway that is back must be found at once: the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Retries are ours (reports) or not wanted (the stream).
    ("grpc.enable_retries", 0),
]


class GatewayError(Exception):
    """A call failed. `final`: it would fail again; else it may succeed later."""

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class LeaseCall:
    """One lease stream. One reader and one writer at a time."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def read(self) -> worker_service_pb2.LeaseTasksResponse | None:
        """Return the next message, None at the end. Raises GatewayError."""
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        return None if message is grpc.aio.EOF else message

    async def write(self, message: worker_service_pb2.LeaseTasksRequest) -> None:
        """Send a message. Raises GatewayError."""
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        except (grpc.aio.UsageError, asyncio.InvalidStateError) as error:
            raise GatewayError("the stream has ended") from error

    def cancel(self) -> None:
        """End the stream."""
        self._call.cancel()


class Gateway:
    """A channel to one target, for one event loop. Raises InvalidSettings if a file of TLS is wrong."""

    def __init__(self, transport: Transport) -> None:
        self._metadata = transport.metadata
        transport.metadata()  # a token's file that can't be read is to be said now, not by every call
        self._channel = _channel(transport)
        self._lease_tasks = self._channel.stream_stream(
            "/caraway.v1.WorkerService/LeaseTasks",
            request_serializer=worker_service_pb2.LeaseTasksRequest.SerializeToString,
            response_deserializer=worker_service_pb2.LeaseTasksResponse.FromString,
        )
        # Reports come from the children as bytes and are sent on as they are, so nothing is serialized here.
        self._report_tasks: Any = self._channel.unary_unary(
            "/caraway.v1.WorkerService/ReportTasks",
            response_deserializer=worker_service_pb2.ReportTasksResponse.FromString,
        )
        self._get_inputs = self._channel.unary_unary(
            "/caraway.v1.WorkerService/GetInputs",
            request_serializer=worker_service_pb2.GetInputsRequest.SerializeToString,
            response_deserializer=worker_service_pb2.GetInputsResponse.FromString,
        )
        self._get_server_info = self._channel.unary_unary(
            "/caraway.v1.AdminService/GetServerInfo",
            request_serializer=admin_service_pb2.GetServerInfoRequest.SerializeToString,
            response_deserializer=admin_service_pb2.GetServerInfoResponse.FromString,
        )

        self._purge_queue = self._channel.unary_unary(
            "/caraway.v1.AdminService/PurgeQueue",
            request_serializer=admin_service_pb2.PurgeQueueRequest.SerializeToString,
            response_deserializer=admin_service_pb2.PurgeQueueResponse.FromString,
        )

    def open_stream(self) -> LeaseCall:
        """Open a lease stream; whether it works is seen at the first read or write."""
        return LeaseCall(self._lease_tasks(metadata=self._metadata()))

    async def report(self, request: bytes, timeout: float) -> worker_service_pb2.ReportTasksResponse:
        """Send a serialized ReportTasksRequest; `timeout` in seconds. Raises GatewayError."""
        try:
            response: worker_service_pb2.ReportTasksResponse = await self._report_tasks(
                request, timeout=timeout, metadata=self._metadata()
            )
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        return response

    async def inputs(
        self, request: worker_service_pb2.GetInputsRequest, timeout: float
    ) -> worker_service_pb2.GetInputsResponse:
        """Read a page of inputs; `timeout` in seconds. Raises GatewayError."""
        try:
            response: worker_service_pb2.GetInputsResponse = await self._get_inputs(
                request, timeout=timeout, metadata=self._metadata()
            )
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        return response

    async def limits(self, timeout: float) -> Limits:
        """Ask for the gateway's limits; what it does not say keeps its default. Raises GatewayError."""
        try:
            info = await self._get_server_info(
                admin_service_pb2.GetServerInfoRequest(), timeout=timeout, metadata=self._metadata()
            )
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        known = Limits()
        return Limits(
            max_payload_bytes=info.max_payload_bytes or known.max_payload_bytes,
            max_message_bytes=info.max_message_bytes or known.max_message_bytes,
            max_batch_size=info.max_batch_size or known.max_batch_size,
        )

    async def purge(self, queue: str, timeout: float) -> int:
        """Revoke all that waits in a queue; `timeout` in seconds a call. Returns how many. Raises GatewayError."""
        count = 0
        while True:
            try:
                response = await self._purge_queue(
                    admin_service_pb2.PurgeQueueRequest(name=queue), timeout=timeout, metadata=self._metadata()
                )
            except grpc.aio.AioRpcError as error:
                raise _translated(error) from error
            count += response.purged_count
            if not response.more:
                return count

    async def close(self) -> None:
        """Close the channel and end what is under way."""
        await self._channel.close()


def reason_of(status: status_pb2.Status) -> str:
    """Return the reason of the ErrorInfo among a status's details, empty if there is none."""
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def _channel(transport: Transport) -> grpc.aio.Channel:
    options = [*_OPTIONS, *transport.options]
    if not transport.secure:
        return grpc.aio.insecure_channel(transport.address, options=options)
    files = transport.tls_files()
    credentials = grpc.ssl_channel_credentials(files.ca, files.key, files.cert)
    return grpc.aio.secure_channel(transport.address, credentials, options=options)


def _translated(error: grpc.aio.AioRpcError) -> GatewayError:
    code = error.code()
    return GatewayError(f"{code.name}: {error.details()}", final=code in _FINAL)
