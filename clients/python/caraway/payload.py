"""Arguments and results as exact JSON text with tagged values, the form of docs/payload.md."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from google.protobuf import struct_pb2

from caraway import tags
from caraway.exceptions import DecodeError, EncodeError
from caraway.v1 import task_pb2

__all__ = ["MAX_DEPTH", "decode", "decode_arguments", "decode_text", "encode", "encode_arguments", "encode_text"]

MAX_DEPTH: Final = 100
"""Containers may stand in one another so deep."""

# What JSON writes as it is. Exact types: a subclass may mean more than its base, and is looked at one by one.
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_KEYS: Final = frozenset({str})

# A walk has made sure that nothing is circular.
_write: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode


def _refuse_constant(name: str) -> Any:
    raise DecodeError(f"{name} is no number of JSON")


_read_plain: Final = json.JSONDecoder(parse_constant=_refuse_constant).decode
_read_tagged: Final = json.JSONDecoder(parse_constant=_refuse_constant, object_hook=tags.untag).decode


def encode_text(value: Any) -> str:
    """Write a value as JSON text.

    Raises EncodeError where the contract has no form for it: an unknown type, a key that is no string, a number that is
    not finite, containers deeper than MAX_DEPTH, text that is not Unicode.
    """
    try:
        return _write(value if type(value) in _SCALARS else _prepare(value, 0))
    except ValueError as error:
        raise EncodeError(f"a value can't be written as JSON: {error}") from error


def decode_text(text: str) -> Any:
    """Read what `encode_text` of any language wrote. Raises DecodeError."""
    try:
        # The contract wants the tag's key written without escapes, so text without it has no tags, and needs no hook.
        return (_read_tagged if tags.QUOTED_KEY in text else _read_plain)(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"a payload can't be read: {error}") from error


def encode(value: Any) -> task_pb2.Payload:
    """Write a result, or any one value. Raises EncodeError."""
    return _payload(encode_text(value))


def decode(payload: task_pb2.Payload) -> Any:
    """Read one value; None where there is no body. Raises DecodeError, also for a content type that is not JSON."""
    body = payload.WhichOneof("body")
    if body == "json":
        return decode_text(payload.json)
    if body is None:
        return None
    if payload.content_type == "application/octet-stream":
        return payload.data
    raise DecodeError(f"this version of Caraway can't read payloads of type {payload.content_type!r}")


def encode_arguments_text(args: Iterable[Any], kwargs: dict[str, Any]) -> str:
    """Write the arguments of a call as JSON text. Raises EncodeError."""
    # Positional arguments are a plain list whatever sequence they came in; only tuples inside them are tagged.
    plain = list(args)
    if not _SCALARS.issuperset(map(type, plain)):
        plain = [_prepare(value, 1) for value in plain]
    if kwargs:
        kwargs = _prepare(kwargs, 0)
    try:
        return _write({"args": plain, "kwargs": kwargs})
    except ValueError as error:
        raise EncodeError(f"an argument can't be written as JSON: {error}") from error


def encode_arguments(args: Iterable[Any], kwargs: dict[str, Any]) -> task_pb2.Payload:
    """Write the arguments of a call. Raises EncodeError."""
    return _payload(encode_arguments_text(args, kwargs))


def decode_arguments(spec: task_pb2.TaskSpec) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read the arguments of a task, written by a client library or by hand. Raises DecodeError."""
    if not spec.HasField("payload"):
        args = [_by_hand(value) for value in spec.args.values] if spec.HasField("args") else []
        kwargs = {key: _by_hand(value) for key, value in spec.kwargs.fields.items()} if spec.HasField("kwargs") else {}
        return tuple(args), kwargs
    arguments = decode(spec.payload)
    if arguments is None:
        return (), {}
    if type(arguments) is not dict:
        raise DecodeError('arguments are to be an object of "args" and "kwargs"')
    args, kwargs = arguments.pop("args", []), arguments.pop("kwargs", {})
    if type(args) is not list or type(kwargs) is not dict or arguments:
        raise DecodeError('arguments are to be an object of "args", a list, and "kwargs", an object')
    return tuple(args), kwargs


def _payload(text: str) -> task_pb2.Payload:
    try:
        return task_pb2.Payload(json=text)
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error


def not_unicode(error: UnicodeEncodeError) -> EncodeError:
    """Say that a text holds half a surrogate pair, which no encoding of Unicode can carry."""
    return EncodeError(f"a text is not Unicode (lone surrogate at {error.start}); send bytes instead")


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


def _prepare(value: Any, depth: int) -> Any:
    """Give `value` in a form that json writes exactly, itself where nothing needs a tag."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth >= MAX_DEPTH:
        raise EncodeError(f"containers stand in one another more than {MAX_DEPTH} deep, or hold themselves")
    if kind is dict:
        return _prepare_dict(value, depth)
    if kind is list:
        # The types of a list are gathered in C: long lists of plain values cost no walk in Python.
        if _SCALARS.issuperset(map(type, value)):
            return value
        return [_prepare(member, depth + 1) for member in value]
    writer = tags.writer_of(kind)
    if writer is None:
        return _prepare_subclass(value, kind, depth)
    return writer(value, _writer_of_members(depth))


def _writer_of_members(depth: int) -> Callable[[Any], Any]:
    return lambda member: _prepare(member, depth + 1)


def _prepare_dict(value: dict[Any, Any], depth: int) -> Any:
    if not _KEYS.issuperset(map(type, value)):
        for key in value:
            if not isinstance(key, str):
                raise EncodeError(f"keys are to be strings, and {key!r} is a {type(key).__qualname__}")
    members = value
    if not _SCALARS.issuperset(map(type, value.values())):
        members = {key: _prepare(member, depth + 1) for key, member in value.items()}
    return tags.escape(members) if tags.KEY in members else members


def _prepare_subclass(value: Any, kind: type, depth: int) -> Any:
    """Write a subclass of a type of JSON as its base: an IntEnum as its number, an OrderedDict as an object."""
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        return int(value)
    if issubclass(kind, float):
        return float(value)
    if issubclass(kind, dict):
        return _prepare_dict(dict(value), depth)
    if issubclass(kind, list):
        return [_prepare(member, depth + 1) for member in value]
    for base in kind.__mro__:
        writer = tags.writer_of(base)
        if writer is not None:
            return writer(value, _writer_of_members(depth))
    raise EncodeError(f"a {kind.__module__}.{kind.__qualname__} has no form in the payload contract: {value!r:.100}")
