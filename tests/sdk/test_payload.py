"""Values as exact JSON text: what is written comes back, in the form that the contract's vectors show."""

import enum
import json
import math
import random
from collections import OrderedDict, namedtuple
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.protobuf import struct_pb2

from caraway.exceptions import ContentDisallowed, DecodeError, EncodeError
from caraway.json_text import decode_text, encode_text
from caraway.payload import decode, decode_arguments, encode, encode_arguments
from caraway.plain import MAX_DEPTH
from caraway.v1 import task_pb2
from sdk.values import IN_PYTHON, draw, same, vectors

VECTORS = vectors("payload")


@pytest.mark.parametrize("vector", VECTORS["values"], ids=lambda vector: vector["name"])
def test_vectors_are_written_and_read(vector: dict[str, str]) -> None:
    value = IN_PYTHON[vector["name"]]
    assert encode_text(value) == vector["json"]
    read = decode_text(vector["json"])
    assert (read, type(read)) == (value, type(value))


def test_every_vector_is_known_here() -> None:
    assert {vector["name"] for vector in VECTORS["values"]} == set(IN_PYTHON)


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_refused_vectors_are_refused(vector: dict[str, str]) -> None:
    with pytest.raises(DecodeError):
        decode_text(vector["json"])


@pytest.mark.parametrize("seed", range(300))
def test_any_value_comes_back_as_it_was(seed: int) -> None:
    value = draw(random.Random(seed), 5)
    assert same(decode_text(encode_text(value)), value)
    args, kwargs = decode_arguments(
        task_pb2.TaskSpec(payload=encode_arguments((value, 1), {"value": value, "$caraway": 2}))
    )
    assert same(args, (value, 1))
    assert same(kwargs, {"value": value, "$caraway": 2})


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [math.inf],
        {"a": {1: 2}},
        {None: 1},
        object(),
        {"deep": [object()]},
        frozenset({1}),
        Decimal("NaN"),
        "\ud800",
        ["\udfff"],
        time(1, 2, tzinfo=ZoneInfo("Europe/Berlin")),
        enum.Enum("Color", "RED").RED,  # type: ignore[attr-defined]
        10**5000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_is_refused_when_it_is_written(value: Any) -> None:
    with pytest.raises(EncodeError):
        encode(value)
    with pytest.raises(EncodeError):
        encode_arguments([value], {})


def test_a_cycle_and_a_nesting_too_deep_are_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert decode_text(encode_text(deep)) == deep
    for refused in (cycle, [deep]):
        with pytest.raises(EncodeError, match="deep"):
            encode_text(refused)


def test_the_deepest_tuples_can_be_read() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = (deep,)
    assert decode_text(encode_text(deep)) == deep


def test_subclasses_are_written_as_their_base() -> None:
    point = namedtuple("point", "x y")
    number = enum.IntEnum("Number", "ONE")
    value = [point(1, 2), number["ONE"], OrderedDict(a=1), type("Text", (str,), {})("x")]
    assert decode_text(encode_text(value)) == [(1, 2), 1, {"a": 1}, "x"]


def test_a_zone_that_is_no_whole_minute_is_written_in_utc() -> None:
    old = datetime(1890, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert old.utcoffset() == timedelta(minutes=53, seconds=28)
    assert decode_text(encode_text(old)) == old
    assert "+00:00" in encode_text(old)


def test_the_members_of_a_set_are_sorted_so_that_the_same_set_is_the_same_text() -> None:
    words = [f"word{number:02}" for number in range(50)]
    assert json.loads(encode_text(set(words)))["value"] == words


def test_arguments_by_hand_mean_integers_where_doubles_are_whole() -> None:
    args = struct_pb2.ListValue()
    args.extend([2, 2.5, "x", None, True, [1, {"a": 3}], {"$caraway": "date", "value": "2026-01-31"}])
    kwargs = struct_pb2.Struct()
    kwargs.update({"n": -3, "nothing": None})
    read = decode_arguments(task_pb2.TaskSpec(args=args, kwargs=kwargs))
    assert same(read, ((2, 2.5, "x", None, True, [1, {"a": 3}], date(2026, 1, 31)), {"n": -3, "nothing": None}))


def test_a_task_without_arguments_has_none() -> None:
    assert decode_arguments(task_pb2.TaskSpec()) == ((), {})
    assert decode_arguments(task_pb2.TaskSpec(payload=task_pb2.Payload(json='{"args":[1]}'))) == ((1,), {})


@pytest.mark.parametrize("text", ["[1]", '{"args":{}}', '{"kwargs":[]}', '{"args":[],"more":1}', "{", ""])
def test_arguments_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        decode_arguments(task_pb2.TaskSpec(payload=task_pb2.Payload(json=text)))


def test_bytes_with_a_content_type() -> None:
    assert decode(task_pb2.Payload(data=b"x", content_type="application/octet-stream")) == b"x"
    assert decode(task_pb2.Payload()) is None
    assert decode(task_pb2.Payload(data="é".encode(), content_type="text/plain")) == "é"
    with pytest.raises(ContentDisallowed, match=r"application/x-pickle.*register\(\) adds one"):
        decode(task_pb2.Payload(data=b"x", content_type="application/x-pickle"))
