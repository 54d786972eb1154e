"""Stamps: marks that tasks are found by."""

from collections.abc import Callable, Mapping

from google.protobuf import struct_pb2

from caraway.v1 import task_pb2
from caraway_server.core.task import Record


def stamped_with(wanted: Mapping[str, struct_pb2.ListValue]) -> Callable[[Record], bool]:
    """Whether a record has at least one of these stamps. Reads the record's spec, so it is to be asked last."""
    values = {name: [_plain(value) for value in listed.values] for name, listed in wanted.items()}

    def test(record: Record) -> bool:
        stamps = task_pb2.TaskSpec.FromString(record.spec).stamps
        return any(
            _plain(value) in values[name] for name in stamps.keys() & values.keys() for value in stamps[name].values
        )

    return test


def _plain(value: struct_pb2.Value) -> tuple[str, object]:
    kind = value.WhichOneof("kind") or ""
    return kind, getattr(value, kind, None)
