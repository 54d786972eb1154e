"""Serializers by the names and content types that Celery's users know, and a program's own."""

import codecs
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from caraway import formats
from caraway.exceptions import ContentDisallowed, DecodeError, EncodeError, SerializerNotInstalled
from caraway.json_text import decode_text, encode_text
from caraway.tags import register_type

__all__ = ["SAFE", "Serializer", "check_accepted", "named", "of_type", "register", "register_type", "unregister"]

SAFE: Final = ("json", "msgpack", "yaml")
"""Serializers whose reading runs no code: what is accepted by default."""

_BINARY: Final = "binary"


@dataclass(frozen=True, slots=True)
class Serializer:
    """Writes values as bytes of one content type."""

    name: str
    encode: Callable[[Any], str | bytes]
    decode: Callable[[Any], Any]
    content_type: str
    content_encoding: str = "utf-8"
    """Of the text that `encode` gives and `decode` takes; "binary" where that is bytes."""

    def write(self, value: Any) -> bytes:
        """Write a value. Raises EncodeError."""
        written = self.encode(value)
        if isinstance(written, bytes):
            return written
        try:
            return written.encode(self.content_encoding)
        except UnicodeEncodeError as error:
            raise EncodeError(f"a text has no form in {error.encoding} (character {error.start})") from None

    def read(self, data: bytes) -> Any:
        """Read a value. Raises DecodeError."""
        if self.content_encoding == _BINARY:
            return self.decode(data)
        try:
            return self.decode(data.decode(self.content_encoding))
        except UnicodeDecodeError as error:
            raise DecodeError(f"a payload is no text in {error.encoding} (byte {error.start})") from None


_BUILT_IN: Final = (
    Serializer("json", encode_text, decode_text, "application/json"),
    Serializer("msgpack", formats.write_msgpack, formats.read_msgpack, "application/x-msgpack", _BINARY),
    Serializer("pickle", formats.write_pickle, formats.read_pickle, "application/x-python-serialize", _BINARY),
    Serializer("yaml", formats.write_yaml, formats.read_yaml, "application/x-yaml"),
)
_BUILT_IN_NAMES: Final = frozenset(serializer.name for serializer in _BUILT_IN)

_by_name: dict[str, Serializer] = {serializer.name: serializer for serializer in _BUILT_IN}
_by_type: dict[str, Serializer] = {serializer.content_type: serializer for serializer in _BUILT_IN}


def register(
    name: str,
    encoder: Callable[[Any], str | bytes],
    decoder: Callable[[Any], Any],
    content_type: str,
    content_encoding: str = "utf-8",
) -> None:
    """Add a serializer of one's own to this process, or replace it; an app uses it once its accept_content names it.

    `encoder` is given a value: a result, or a call's arguments as {"args": list, "kwargs": dict}. It returns text,
    which is written in `content_encoding`, or bytes where that is "binary"; `decoder` is given the same. Raises
    ValueError for a name or content type that another one has, and LookupError for an unknown content_encoding.
    """
    if name in _BUILT_IN_NAMES:
        raise ValueError(f"{name!r} is one of Caraway's own serializers; give yours another name")
    holder = _by_type.get(content_type)
    if not content_type or (holder is not None and holder.name != name):
        raise ValueError(f"the content type {content_type!r} of {name!r} is to be given, and not another serializer's")
    if content_encoding != _BINARY:
        codecs.lookup(content_encoding)
    if name in _by_name:
        unregister(name)
    made = Serializer(name, _guarded(encoder, EncodeError, name), _guarded(decoder, DecodeError, name),
                      content_type, content_encoding)  # fmt: skip
    _by_name[name] = _by_type[content_type] = made


def unregister(name: str) -> None:
    """Remove a serializer of one's own. Raises SerializerNotInstalled, and ValueError for one of Caraway's."""
    if name in _BUILT_IN_NAMES:
        raise ValueError(f"{name!r} is one of Caraway's own serializers; leave it out of accept_content instead")
    del _by_type[named(name).content_type]
    del _by_name[name]


def named(name: str) -> Serializer:
    """Find a serializer by its name. Raises SerializerNotInstalled, and TypeError for what is no name."""
    if not isinstance(name, str):
        raise TypeError(f"serializer is to be the name of one, not a {type(name).__name__}")
    found = _by_name.get(name)
    if found is None:
        raise SerializerNotInstalled(f"there is no serializer {name!r}; there are {', '.join(sorted(_by_name))}")
    return found


def of_type(content_type: str) -> Serializer | None:
    """Find a serializer by its content type."""
    return _by_type.get(content_type)


def check_accepted(serializer: Serializer, accept_content: Collection[str]) -> None:
    """Raise ContentDisallowed unless `accept_content` has its name or content type; JSON is always taken."""
    name, content_type = serializer.name, serializer.content_type
    if name == "json" or name in accept_content or content_type in accept_content:
        return
    advice = f"set accept_content to one that names {name!r}"
    if name == "pickle":
        advice += ", but only where everyone who may submit is trusted: reading a pickle runs code of its writer"
    taken = ", ".join(sorted({"json", *accept_content}))
    raise ContentDisallowed(f"{content_type} is not accepted here ({taken} are); {advice}")


def _guarded(run: Callable[[Any], Any], failure: type[Exception], name: str) -> Callable[[Any], Any]:
    """Turn what a program's own code raises into Caraway's error."""

    def call(given: Any) -> Any:
        try:
            return run(given)
        except (EncodeError, DecodeError):
            raise
        except Exception as error:
            # Its own text may show a value, and stays with the caller: a worker stores what it raises.
            raise failure(f"the serializer {name!r} failed: {type(error).__name__}") from (
                error if failure is EncodeError else None
            )

    return call
