"""Payloads: arguments and results in a content type, compressed or not. docs/payload.md is the contract."""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from google.protobuf import struct_pb2

from caraway import compression as compressions
from caraway import serialization, tags
from caraway.exceptions import ContentDisallowed, DecodeError
from caraway.json_text import decode_text, encode_arguments_text, encode_text, not_unicode
from caraway.serialization import Serializer
from caraway.v1 import task_pb2

__all__ = ["DEFAULTS", "ReadingRules", "decode", "decode_arguments", "encode", "encode_arguments"]

JSON: Final = "json"


class ReadingRules(Protocol):
    """What a reader takes: an app, or DEFAULTS."""

    @property
    def accept_content(self) -> Collection[str]:
        """Names or content types of serializers."""

    @property
    def max_decompressed_bytes(self) -> int:
        """How large a payload may become when it is decompressed."""


@dataclass(frozen=True, slots=True)
class _Defaults:
    accept_content: Collection[str] = serialization.SAFE
    max_decompressed_bytes: int = compressions.MAX_BYTES


DEFAULTS: Final = _Defaults()
"""Of a reader that no app tells what to take."""


def encode(value: Any, serializer: str = JSON, compression: str | None = None) -> task_pb2.Payload:
    """Write a result, or any one value. Raises EncodeError and SerializerNotInstalled."""
    if serializer == JSON and not compression:
        return _json_payload(encode_text(value))
    writer = serialization.named(serializer)
    return _packed(writer, writer.write(value), compression)


def decode(payload: task_pb2.Payload, rules: ReadingRules = DEFAULTS) -> Any:
    """Read one value; None where there is no body.

    Raises DecodeError, ContentDisallowed for a content type that `rules` do not take, SerializerNotInstalled for one
    whose package is missing here.
    """
    body = payload.WhichOneof("body")
    if body == "json":
        return decode_text(payload.json)
    return None if body is None else _decode_data(payload, rules)


def encode_arguments(
    args: Iterable[Any], kwargs: dict[str, Any], serializer: str = JSON, compression: str | None = None
) -> task_pb2.Payload:
    """Write the arguments of a call. Raises as `encode`."""
    if serializer == JSON and not compression:
        return _json_payload(encode_arguments_text(args, kwargs))
    writer = serialization.named(serializer)
    return _packed(writer, writer.write({"args": list(args), "kwargs": kwargs}), compression, identified=True)


def decode_arguments(spec: task_pb2.TaskSpec, rules: ReadingRules = DEFAULTS) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read the arguments of a task, written by a client library or by hand. Raises as `decode`."""
    if not spec.HasField("payload"):
        args = [_by_hand(value) for value in spec.args.values] if spec.HasField("args") else []
        kwargs = {key: _by_hand(value) for key, value in spec.kwargs.fields.items()} if spec.HasField("kwargs") else {}
        return tuple(args), kwargs
    arguments = decode(spec.payload, rules)
    if arguments is None:
        return (), {}
    if type(arguments) is not dict:
        raise DecodeError('arguments are to be an object of "args" and "kwargs"')
    args, kwargs = arguments.pop("args", []), arguments.pop("kwargs", {})
    if type(args) is not list or type(kwargs) is not dict or arguments:
        raise DecodeError('arguments are to be an object of "args", a list, and "kwargs", an object')
    return tuple(args), kwargs


def _json_payload(text: str) -> task_pb2.Payload:
    try:
        return task_pb2.Payload(json=text)
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error


def _packed(writer: Serializer, plain: bytes, compression: str | None, *, identified: bool = False) -> task_pb2.Payload:
    """Compress where that makes it smaller; `identified` adds what the call is known by, however it was compressed."""
    if compression:
        encoding = compressions.canonical(compression)
        data = compressions.compress(encoding, plain)
        if len(data) < len(plain):
            digest = hashlib.sha256(plain).digest() if identified else b""
            return task_pb2.Payload(
                data=data, content_type=writer.content_type, content_encodings=[encoding], plain_sha256=digest
            )
    if writer.name == JSON:
        return task_pb2.Payload(json=plain.decode())
    return task_pb2.Payload(data=plain, content_type=writer.content_type)


def _decode_data(payload: task_pb2.Payload, rules: ReadingRules) -> Any:
    reader = serialization.of_type(payload.content_type)
    if reader is not None:
        serialization.check_accepted(reader, rules.accept_content)
    elif payload.content_type not in _RAW:
        raise ContentDisallowed(
            f"no serializer reads {payload.content_type!r:.100}; caraway.serialization.register() adds one"
        )
    data = payload.data
    for encoding in reversed(payload.content_encodings):
        data = compressions.decompress(encoding, data, rules.max_decompressed_bytes)
    if payload.plain_sha256 and hashlib.sha256(data).digest() != payload.plain_sha256:
        raise DecodeError("a payload is not the one that plain_sha256 tells of")
    return reader.read(data) if reader is not None else _RAW[payload.content_type](data)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"a payload of text/plain is no UTF-8 (byte {error.start})") from None


# Nothing in these can do harm: they are taken whatever is accepted.
_RAW: Final[dict[str, Callable[[bytes], Any]]] = {
    "application/data": bytes,
    "application/octet-stream": bytes,
    "text/plain": _text,
}


def _by_hand(value: struct_pb2.Value) -> Any:
    """Read an argument written by hand: all its numbers are doubles, and those without a fraction mean integers."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "struct_value":
        return tags.untag({key: _by_hand(member) for key, member in value.struct_value.fields.items()})
    if kind == "list_value":
        return [_by_hand(member) for member in value.list_value.values]
    return None if kind is None or kind == "null_value" else getattr(value, kind)
