"""Collects task specs into requests that fit into one message."""

from typing import Final

from caraway.v1 import task_pb2, task_service_pb2

__all__ = ["MAX_BYTES", "MAX_ITEMS", "Collector"]

MAX_ITEMS: Final = 500
MAX_BYTES: Final = 3_670_016
"""3.5 MiB: below a message's 4 MiB, with room for what frames the items."""

_FRAME: Final = 8
"""Bytes, at most, that an item costs in a request beside its own."""


class Collector:
    """Fills one request after the other, in place."""

    def __init__(self) -> None:
        """Starts empty."""
        self._request = task_service_pb2.BatchSubmitTasksRequest()
        self._bytes = 0

    def begin(self) -> task_pb2.TaskSpec:
        """Give an empty spec to fill. `end` or `drop` follows."""
        return self._request.requests.add().task

    def end(self) -> task_service_pb2.BatchSubmitTasksRequest | None:
        """Take what was filled into account; gives a request that is ready to be sent, if one is."""
        requests = self._request.requests
        size = requests[-1].ByteSize() + _FRAME
        self._bytes += size
        if self._bytes > MAX_BYTES and len(requests) > 1:
            last = requests.pop()
            full = self.take()
            self._request.requests.append(last)
            self._bytes = size
            return full
        return self.take() if len(requests) >= MAX_ITEMS else None

    def drop(self) -> None:
        """Forget the spec begun last, which could not be filled."""
        self._request.requests.pop()

    def take(self) -> task_service_pb2.BatchSubmitTasksRequest | None:
        """Give what is collected, if anything, and start anew."""
        request = self._request
        if not request.requests:
            return None
        self._request = task_service_pb2.BatchSubmitTasksRequest()
        self._bytes = 0
        return request
