"""Times of the contract as the store's microseconds, and back."""

from google.protobuf import duration_pb2, timestamp_pb2


def micros(value: duration_pb2.Duration | timestamp_pb2.Timestamp) -> int:
    """Microseconds, rounded down."""
    return value.seconds * 1_000_000 + value.nanos // 1000


def fill(target: duration_pb2.Duration | timestamp_pb2.Timestamp, value: int) -> None:
    """Sets a message's field from microseconds, in place."""
    target.seconds, rest = divmod(value, 1_000_000)
    target.nanos = rest * 1000
