"""Values as exact JSON text with tagged values, the form of docs/payload.md."""

import json
from collections.abc import Iterable
from typing import Any, Final

from caraway import tags
from caraway.exceptions import DecodeError, EncodeError
from caraway.plain import SCALARS, Plain

__all__ = ["decode_text", "encode_arguments_text", "encode_text", "not_unicode"]

_prepare: Final = Plain(SCALARS).prepare

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
        # What many tasks return; an encoder would be made anew for it.
        if value is None:
            return "null"
        if type(value) is int:
            return int.__repr__(value)
        return _write(value if type(value) in SCALARS else _prepare(value))
    except ValueError as error:
        raise EncodeError(f"a value can't be written as JSON: {error}") from error


def decode_text(text: str) -> Any:
    """Read what `encode_text` of any language wrote. Raises DecodeError."""
    try:
        # The contract wants the tag's key written without escapes, so text without it has no tags, and needs no hook.
        return (_read_tagged if tags.QUOTED_KEY in text else _read_plain)(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"a payload can't be read: {error}") from error


def encode_arguments_text(args: Iterable[Any], kwargs: dict[str, Any]) -> str:
    """Write the arguments of a call as JSON text. Raises EncodeError."""
    # Positional arguments are a plain list whatever sequence they came in; only tuples inside them are tagged.
    plain = list(args)
    if not SCALARS.issuperset(map(type, plain)):
        plain = [_prepare(value, 1) for value in plain]
    if kwargs:
        kwargs = _prepare(kwargs)
    try:
        return _write({"args": plain, "kwargs": kwargs})
    except ValueError as error:
        raise EncodeError(f"an argument can't be written as JSON: {error}") from error


def not_unicode(error: UnicodeEncodeError) -> EncodeError:
    """Say that a text holds half a surrogate pair, which no encoding of Unicode can carry."""
    return EncodeError(f"a text is not Unicode (lone surrogate at {error.start}); send bytes instead")
