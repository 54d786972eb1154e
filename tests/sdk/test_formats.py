"""Values in msgpack, YAML and pickle: what is written comes back, in the form that the contract's vectors show."""

import base64
import math
import random
import sys
import threading
from typing import Any

import msgpack
import pytest

from caraway import formats
from caraway.exceptions import DecodeError, EncodeError, SerializerNotInstalled
from caraway.payload import decode, decode_arguments, encode, encode_arguments
from caraway.v1 import task_pb2
from caraway.wire_error import to_error
from sdk.values import IN_PYTHON, draw, same, vectors

VECTORS = vectors("formats")


class AcceptAll:
    accept_content = ("msgpack", "pickle", "yaml")
    max_decompressed_bytes = 1 << 20


@pytest.mark.parametrize("vector", VECTORS["values"], ids=lambda vector: vector["name"])
def test_vectors_are_read_and_those_of_msgpack_written(vector: dict[str, str]) -> None:
    value = IN_PYTHON[vector["name"]]
    assert same(formats.read_yaml(vector["yaml"]), value)
    if "msgpack" in vector:
        data = base64.b64decode(vector["msgpack"])
        assert formats.write_msgpack(value) == data
        assert same(formats.read_msgpack(data), value)
    else:
        with pytest.raises(EncodeError, match="more than 64 bits"):
            formats.write_msgpack(value)


def test_every_vector_of_json_is_one_here() -> None:
    assert {vector["name"] for vector in VECTORS["values"]} == set(IN_PYTHON)


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_refused_vectors_are_refused(vector: dict[str, str]) -> None:
    payload = task_pb2.Payload(data=base64.b64decode(vector["base64"]), content_type=vector["content_type"])
    with pytest.raises(DecodeError):
        decode(payload)


@pytest.mark.parametrize("serializer", ["msgpack", "yaml", "pickle"])
@pytest.mark.parametrize("seed", range(60))
def test_any_value_comes_back_as_it_was(seed: int, serializer: str) -> None:
    value = draw(random.Random(seed), 5, bits=63)
    assert same(decode(encode(value, serializer), AcceptAll()), value)
    spec = task_pb2.TaskSpec(payload=encode_arguments((value, 1), {"value": value, "$caraway": 2}, serializer))
    args, kwargs = decode_arguments(spec, AcceptAll())
    assert same(args, (value, 1))
    assert same(kwargs, {"value": value, "$caraway": 2})


def test_content_types_are_celerys() -> None:
    assert {name: encode(1, name).content_type for name in ("msgpack", "yaml", "pickle")} == {
        "msgpack": "application/x-msgpack",
        "yaml": "application/x-yaml",
        "pickle": "application/x-python-serialize",
    }
    assert encode(1).WhichOneof("body") == "json"
    assert decode(task_pb2.Payload(data=b'{"a":[1]}', content_type="application/json")) == {"a": [1]}


def test_bytes_are_bytes_in_msgpack() -> None:
    assert formats.write_msgpack(b"\x00\xff") == b"\xc4\x02\x00\xff"
    assert decode(encode([{b"b", b"a"}], "msgpack")) == [{b"a", b"b"}]


def test_the_same_set_is_the_same_msgpack() -> None:
    words = [f"word{number:02}" for number in range(50)]
    assert msgpack.unpackb(formats.write_msgpack(set(words)))["value"] == words


@pytest.mark.parametrize("serializer", ["msgpack", "yaml"])
@pytest.mark.parametrize("value", [object(), {1: 2}, "\ud800", ["\ud800"]], ids=lambda value: type(value).__name__)
def test_what_has_no_form_is_refused_when_it_is_written(value: Any, serializer: str) -> None:
    with pytest.raises(EncodeError):
        encode(value, serializer)


@pytest.mark.parametrize("serializer", ["msgpack", "yaml"])
def test_numbers_that_are_not_finite_have_a_form_outside_json(serializer: str) -> None:
    read = decode(encode([math.inf, -math.inf, math.nan], serializer))
    assert read[:2] == [math.inf, -math.inf]
    assert math.isnan(read[2])


@pytest.mark.parametrize("serializer", ["msgpack", "yaml"])
def test_the_deepest_tuples_can_be_read(serializer: str) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = (deep,)
    assert decode(encode(deep, serializer)) == deep
    with pytest.raises(EncodeError, match="deep"):
        encode([deep], serializer)


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/x-msgpack", b"\x91" * 100_000 + b"\x01"),
        ("application/x-yaml", b"[" * 100_000),
        ("application/json", b"[" * 100_000),
    ],
)
def test_a_nesting_without_end_is_refused_and_kills_nothing(content_type: str, data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(task_pb2.Payload(data=data, content_type=content_type))


def test_what_can_not_be_pickled_is_refused() -> None:
    with pytest.raises(EncodeError, match="can't be pickled"):
        encode(threading.Lock(), "pickle")


def test_a_pickle_of_a_class_that_is_not_there_names_it() -> None:
    payload = task_pb2.Payload(data=b"cno_such_module\nThing\n.", content_type="application/x-python-serialize")
    with pytest.raises(DecodeError, match="no_such_module"):
        decode(payload, AcceptAll())


@pytest.mark.parametrize(("serializer", "module"), [("msgpack", "msgpack"), ("yaml", "yaml")])
def test_a_missing_package_is_named(serializer: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = encode(1, serializer)
    monkeypatch.setitem(sys.modules, module, None)
    for call in (lambda: encode(1, serializer), lambda: decode(payload)):
        with pytest.raises(SerializerNotInstalled, match=rf"pip install 'caraway\[{serializer}\]'"):
            call()


SECRET = "hunter2"
MALFORMED = [
    ("application/json", f'{{"$caraway":"date","value":"{SECRET}"}}'.encode()),
    ("application/json", f'{{"$caraway":"bytes","value":"{SECRET}"}}'.encode()),
    ("application/json", f'{{"a":"{SECRET}"'.encode()),
    ("application/json", SECRET.encode() + b"\xff"),
    ("application/x-yaml", f"{{$caraway: date, value: {SECRET}}}".encode()),
    ("application/x-yaml", f"a: [{SECRET}".encode()),
    ("application/x-yaml", f"!!{SECRET} 1".encode()),
    ("application/x-yaml", f"{SECRET}: 1: 2".encode()),
    ("application/x-msgpack", formats.write_msgpack([SECRET, "more"])[:-1]),
    ("application/x-msgpack", b"\xa9" + SECRET.encode() + b"\xff\xff"),
    ("application/x-msgpack", formats.write_msgpack(SECRET) + b"\x00"),
    ("application/x-python-serialize", b"S'" + SECRET.encode() + b"'\np0\n(lp1\nR."),
    ("application/x-python-serialize", SECRET.encode()),
]


@pytest.mark.parametrize(("content_type", "data"), MALFORMED)
def test_errors_of_reading_show_no_values(content_type: str, data: bytes) -> None:
    """A worker stores and logs them, with what caused them."""
    with pytest.raises(DecodeError) as raised:
        decode(task_pb2.Payload(data=data, content_type=content_type), AcceptAll())
    error = to_error(raised.value)
    assert SECRET not in f"{error.message} {error.detail} {error.causes} {error.traceback}"
