"""msgpack, yaml and pickle: each writes a value as bytes or text and reads it again.

msgpack and yaml write the same trees with tags as JSON does, beside what they have a form of their own for.
"""

import functools
import pickle
from typing import Any, Final

from caraway import tags
from caraway.exceptions import DecodeError, EncodeError
from caraway.extras import load
from caraway.plain import SCALARS, Plain

__all__ = ["read_msgpack", "read_pickle", "read_yaml", "write_msgpack", "write_pickle", "write_yaml"]

_prepare: Final = Plain(SCALARS).prepare
_prepare_with_bytes: Final = Plain(SCALARS | {bytes}).prepare

_ENDLESS_LINE: Final = 2**31 - 1
_MAP: Final = "tag:yaml.org,2002:map"
_LIST: Final = "tag:yaml.org,2002:seq"
_TEXT: Final = "tag:yaml.org,2002:str"
_MAX_LEVELS: Final = 450  # of nodes: 100 tuples in one another are 200 of them

# Errors of reading show no values, and do not carry the reader's own error, which may: a worker stores and logs them.


def write_msgpack(value: Any) -> bytes:
    """Write a value; bytes as they are. Raises EncodeError, also for an integer of more than 64 bits."""
    msgpack = load("msgpack", "msgpack", "msgpack")
    try:
        packed: bytes = msgpack.packb(_prepare_with_bytes(value))
    except OverflowError:
        raise EncodeError("msgpack has no integers of more than 64 bits; json has") from None
    except ValueError as error:
        raise EncodeError(f"a value can't be written as msgpack: {error}") from None
    return packed


def read_msgpack(data: bytes) -> Any:
    """Read a value. Raises DecodeError."""
    msgpack = load("msgpack", "msgpack", "msgpack")
    try:
        return msgpack.unpackb(data, object_hook=tags.untag, ext_hook=_refuse_extension, timestamp=3)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DecodeError(f"this is no msgpack that can be read: {type(error).__name__}") from None


def _refuse_extension(number: int, _data: bytes) -> Any:
    raise DecodeError(f"the msgpack extension {number} is not known")


def write_yaml(value: Any) -> str:
    """Write a value as one line. Raises EncodeError."""
    yaml = load("yaml", "pyyaml", "yaml")
    try:
        text: str = yaml.dump(
            _prepare(value), Dumper=_yaml_dumper(), allow_unicode=True, default_flow_style=True, sort_keys=False,
            width=_ENDLESS_LINE,
        )  # fmt: skip
    except (yaml.YAMLError, ValueError) as error:
        raise EncodeError(f"a value can't be written as YAML: {type(error).__name__}") from None
    return text


def read_yaml(text: str) -> Any:
    """Read one document of YAML's safe types, without aliases. Raises DecodeError."""
    yaml = load("yaml", "pyyaml", "yaml")
    try:
        loader = _yaml_loader()(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _YamlTree(loader).value(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DecodeError(f"this is no YAML that can be read: {type(error).__name__}{where}") from None


class _YamlTree:
    """Makes the value of YAML's nodes, with tags; by itself, as the loader's way needs many frames for each level."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._seen: set[int] = set()

    def value(self, node: Any) -> Any:
        """Make the value of a node. Raises DecodeError for one that was met before."""
        if id(node) in self._seen:
            raise DecodeError("YAML with aliases is not read: a few lines of them make more than any memory holds")
        self._seen.add(id(node))
        if node.tag == _MAP:
            return tags.untag({self.value(key): self.value(member) for key, member in node.value})
        if node.tag == _LIST:
            return [self.value(member) for member in node.value]
        return self._loader.construct_object(node, deep=True)


@functools.cache
def _yaml_dumper() -> Any:
    yaml = load("yaml", "pyyaml", "yaml")

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Writes a value that stands in two places twice, as the other formats do, and all text in quotes.

        Readers of YAML differ in what else they take for a number, a date or a truth value.
        """

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(_TEXT, text, style='"'))
    return Dumper


@functools.cache
def _yaml_loader() -> Any:
    yaml = load("yaml", "pyyaml", "yaml")

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Counts levels: the C library goes down until the stack is full, which would kill the process."""

        levels = 0

        def descend_resolver(self, *_at: Any) -> None:
            self.levels += 1
            if self.levels > _MAX_LEVELS:
                raise DecodeError(f"YAML of more than {_MAX_LEVELS} levels is not read")

        def ascend_resolver(self) -> None:
            self.levels -= 1

    return Loader


def write_pickle(value: Any) -> bytes:
    """Write any value that can be pickled. Raises EncodeError."""
    try:
        return pickle.dumps(value)
    except Exception as error:
        # A class's own code runs here, and may raise anything.
        raise EncodeError(f"a value can't be pickled: {type(error).__name__}: {error}") from error


def read_pickle(data: bytes) -> Any:
    """Read a pickle, which may run any code: only of a sender that is trusted. Raises DecodeError."""
    try:
        return pickle.loads(data)  # noqa: S301 - refused, long before, unless accept_content names it
    except (AttributeError, ImportError) as error:
        # It names the class that is missing here.
        raise DecodeError(f"a pickle can't be read: {error}") from None
    except Exception as error:
        raise DecodeError(f"a pickle can't be read: {type(error).__name__}") from None
